"""How a network wants its picture, and how it gives one back: layout, channel order and value range."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Literal, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from doppel_models import channels
from doppel_models.types import ByteArray

_FAR = 1e4
"""Stands for an infinite value: beyond every byte."""
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
        height, width = rgb.shape[:2]
        tensor = np.empty(self.shape(width, height), np.float32)
        # There are only 256 bytes: their values are looked up, which is exact and fast.
        red_first = _tables(self.mean, self.std)
        if self.layout == "nhwc":
            bgr = self.channels == "bgr"
            picture = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR) if bgr else rgb
            tables = red_first[::-1] if bgr else red_first
            cv2.LUT(picture, np.ascontiguousarray(tables.T[None]), dst=tensor[0])
        else:
            order = (2, 1, 0) if self.channels == "bgr" else (0, 1, 2)
            planes = channels.split(rgb)
            for plane, channel in enumerate(order):
                cv2.LUT(planes[channel], red_first[channel], dst=tensor[0, plane])
        return tensor if self.dtype == "float32" else tensor.astype(np.float16)

    def decode(self, tensor: npt.NDArray[np.floating]) -> ByteArray:
        """The picture ``(height, width, 3)`` uint8 RGB of a tensor; what lies outside 0..255 is limited.

        Values that are not finite become 0: whoever must know looks before decoding.
        """
        values = np.ascontiguousarray(tensor[0], np.float32)
        if not is_finite(values):
            values = np.nan_to_num(values, nan=-_FAR, posinf=_FAR, neginf=-_FAR)
        if self.layout == "nhwc":
            planes = [cv2.extractChannel(values, channel) for channel in range(3)]
        else:
            planes = [values[channel] for channel in range(3)]
        if self.channels == "bgr":
            planes.reverse()
        # Rounded and limited to a byte in one step.
        scaled = [
            cv2.addWeighted(plane, 255.0 * std, plane, 0.0, 255.0 * mean, dtype=cv2.CV_8U)
            for plane, mean, std in zip(planes, self.mean, self.std, strict=True)
        ]
        return np.asarray(cv2.merge(scaled), np.uint8)


def is_finite(values: npt.NDArray[np.float32]) -> bool:
    """Whether an array holds numbers alone."""
    # What is no number makes the sum none; so may very large numbers, so that it is only a hint.
    total = sum(cv2.sumElems(values.reshape(len(values), -1)))
    return math.isfinite(total) or bool(np.isfinite(values).all())


@functools.lru_cache(maxsize=16)
def _tables(mean: Triple, std: Triple) -> npt.NDArray[np.float32]:
    """(3, 256): the values of all bytes in red, green and blue."""
    scale = (1.0 / (255.0 * np.asarray(std, np.float32))).astype(np.float32)
    offset = np.asarray(mean, np.float32) / np.asarray(std, np.float32)
    tables = np.arange(256, dtype=np.float32) * scale[:, None] - offset[:, None]
    return np.asarray(tables, np.float32)


@dataclasses.dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small copy of a picture on a device."""

    rgb: ByteArray
    """(side, side, 3) uint8: the means of the picture's blocks."""
    finite: bool
    """False: the tensor holds values that are not finite."""


class TensorOps(Protocol):
    """What a device does for networks that run on it."""

    def tensor(self, shape: tuple[int, ...], dtype: str, slot: int = 0) -> DeviceTensor:
        """The one tensor of that shape, type and slot; its memory stays where it is. Crops have slot 0."""

    def put(self, array: npt.NDArray[np.generic], slot: int) -> DeviceTensor:
        """A copy of an array in the tensor of its shape and type and that slot."""

    def thumbnails(self, pictures: Sequence[tuple[DeviceTensor, TensorFormat]], side: int) -> list[Thumbnail]:
        """Small copies of pictures whose sides are multiples of ``side``; waits for the device."""

    def fetch(self, tensor: DeviceTensor) -> npt.NDArray[np.float32]:
        """A tensor's numbers as an array; waits for the device."""
