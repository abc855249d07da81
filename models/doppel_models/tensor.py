"""How a network wants its picture, and how it gives one back: layout, channel order and value range."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
import numpy.typing as npt

from doppel_models.types import ByteArray

Triple = tuple[float, float, float]


@dataclasses.dataclass(frozen=True, slots=True)
class DeviceTensor:
    """A tensor in a device's memory, C-contiguous. Used in the order of the device's one stream."""

    pointer: int
    """Address on the device."""
    shape: tuple[int, ...]
    dtype: Literal["float32", "float16", "uint8"]
    device: Literal["cuda", "cpu"]
    """As ONNX Runtime names it; ``cpu`` where the tests run the kernels without a GPU."""
    device_id: int
    owner: object = dataclasses.field(repr=False, compare=False)
    """Keeps the memory alive. Its maker may write over it with its next result of the same kind."""


Tensor = npt.NDArray[np.float32] | npt.NDArray[np.float16] | DeviceTensor
"""A network's input or output: an array in this process's memory, or memory of a device."""


@dataclasses.dataclass(frozen=True, slots=True)
class TensorFormat:
    """A picture as a tensor of batch 1. Value of a channel: ``(byte / 255 - mean) / std``."""

    layout: Literal["nchw", "nhwc"] = "nchw"
    channels: Literal["rgb", "bgr"] = "rgb"
    mean: Triple = (0.0, 0.0, 0.0)
    """Per channel, in the order R, G, B whatever ``channels`` says."""
    std: Triple = (1.0, 1.0, 1.0)
    dtype: Literal["float32", "float16"] = "float32"

    def shape(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Shape of the tensor of a picture of that size."""
        return (1, 3, height, width) if self.layout == "nchw" else (1, height, width, 3)

    def encode(self, rgb: ByteArray) -> npt.NDArray[np.float32] | npt.NDArray[np.float16]:
        """The tensor of a picture ``(height, width, 3)`` uint8 RGB."""
        scale = (1.0 / (255.0 * np.asarray(self.std, np.float32))).astype(np.float32)
        offset = np.asarray(self.mean, np.float32) / np.asarray(self.std, np.float32)
        values = rgb * scale - offset
        if self.channels == "bgr":
            values = values[..., ::-1]
        if self.layout == "nchw":
            values = values.transpose(2, 0, 1)
        return np.ascontiguousarray(values[None], dtype=np.dtype(self.dtype))

    def decode(self, tensor: npt.NDArray[np.floating]) -> ByteArray:
        """The picture ``(height, width, 3)`` uint8 RGB of a tensor; what lies outside 0..255 is limited.

        Values that are not finite become 0: whoever must know looks before decoding.
        """
        values = np.asarray(tensor[0], np.float32)
        if self.layout == "nchw":
            values = values.transpose(1, 2, 0)
        if self.channels == "bgr":
            values = values[..., ::-1]
        values = (values * np.asarray(self.std, np.float32) + np.asarray(self.mean, np.float32)) * 255.0
        values = np.nan_to_num(values, nan=0.0, posinf=255.0, neginf=0.0)
        return np.ascontiguousarray(np.rint(np.clip(values, 0.0, 255.0)).astype(np.uint8))
