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
        values, bgr = rgb, self.channels == "bgr"
        if self.layout == "nchw":
            values = channels.split(rgb)[::-1] if bgr else channels.split(rgb)
        elif bgr:
            values = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)
        scale, offset = _linear(self)
        tensor = np.empty(self.shape(width, height), np.float32)
        np.multiply(values, scale, out=tensor[0])
        if offset is not None:
            tensor -= offset
        return tensor if self.dtype == "float32" else tensor.astype(np.float16)

    def decode(self, tensor: npt.NDArray[np.floating]) -> ByteArray:
        """The picture ``(height, width, 3)`` uint8 RGB of a tensor; what lies outside 0..255 is limited.

        Values that are not finite become 0: whoever must know looks before decoding.
        """
        values = np.ascontiguousarray(tensor[0], np.float32)
        if not is_finite(values):
            values = np.nan_to_num(values, nan=-_FAR, posinf=_FAR, neginf=-_FAR)
        return self.decode_finite(values)

    def decode_finite(self, values: npt.NDArray[np.float32]) -> ByteArray:
        """:meth:`decode` of a batch's one picture, contiguous, which is known to hold numbers alone."""
        nhwc, bgr = self.layout == "nhwc", self.channels == "bgr"
        if len(set(self.mean)) == len(set(self.std)) == 1:
            # All channels alike: in one go.
            flat = values.reshape(len(values), -1)
            scaled = _bytes(flat, self.mean[0], self.std[0]).reshape(values.shape)
            if nhwc:
                return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_BGR2RGB), np.uint8) if bgr else scaled
            planes = list(scaled)
        else:
            order = (2, 1, 0) if bgr else (0, 1, 2)
            planes = [
                _bytes(plane, self.mean[channel], self.std[channel])
                for plane, channel in zip(channels.split(values) if nhwc else values, order, strict=True)
            ]
        return np.asarray(cv2.merge(planes[::-1] if bgr else planes), np.uint8)


def _bytes(values: npt.NDArray[np.float32], mean: float, std: float) -> ByteArray:
    """(h, w) rounded and limited to bytes in one step."""
    return np.asarray(
        cv2.addWeighted(values, 255.0 * std, values, 0.0, 255.0 * mean, dtype=cv2.CV_8U), np.uint8
    )


def is_finite(values: npt.NDArray[np.float32]) -> bool:
    """Whether an array holds numbers alone."""
    # What is no number makes the sum none; so may very large numbers, so that it is only a hint.
    total = sum(cv2.sumElems(values.reshape(len(values), -1)))
    return math.isfinite(total) or bool(np.isfinite(values).all())


@functools.lru_cache(maxsize=16)
def _linear(fmt: TensorFormat) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]:
    """What a tensor's bytes are multiplied by, and what is taken off then; one number where all are alike."""
    order = [2, 1, 0] if fmt.channels == "bgr" else [0, 1, 2]
    mean, std = (np.asarray(values, np.float32)[order] for values in (fmt.mean, fmt.std))
    scale, offset = (1.0 / (255.0 * std)).astype(np.float32), np.asarray(mean / std, np.float32)
    if fmt.layout == "nchw":
        scale, offset = scale[:, None, None], offset[:, None, None]
    if len(set(fmt.std)) == 1:
        scale = scale.reshape(-1)[0]
    return scale, offset if offset.any() else None


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
