"""OpenCV's picture operations with the types that go in and come out; its own stubs only know a wide union.

Positions are in pixels with pixel centres at whole numbers; borders are replicated; sampling is bilinear.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from doppel_models.types import ByteArray, FloatArray

Picture = TypeVar("Picture", bound=npt.NDArray[Any])
_NO_MAP: Any = None


def remap(picture: Picture, positions: FloatArray) -> Picture:
    """``picture`` sampled at ``positions``, (h, w, 2) float32 of x and y."""
    out: Any = cv2.remap(picture, positions, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return out  # type: ignore[no-any-return]


def resize(picture: Picture, size: tuple[int, int]) -> Picture:
    """To ``size`` (width, height), bilinear: for enlarging."""
    out: Any = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    return out  # type: ignore[no-any-return]


def shrink(picture: Picture, size: tuple[int, int]) -> Picture:
    """To ``size`` (width, height), each pixel the mean of what it covers: for reducing."""
    out: Any = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return out  # type: ignore[no-any-return]


def shrink_whole(picture: Picture, factor: int) -> Picture:
    """By a whole factor, which is fast; what is left over on the right and below is cut off."""
    if factor <= 1:
        return picture
    height, width = picture.shape[0] // factor, picture.shape[1] // factor
    return shrink(picture[: height * factor, : width * factor], (width, height))  # type: ignore[return-value]


def blur(picture: Picture, sigma: float) -> Picture:
    """Gaussian blur by ``sigma`` pixels."""
    out: Any = cv2.GaussianBlur(picture, (0, 0), sigma)
    return out  # type: ignore[no-any-return]


def box(picture: Picture, side: int) -> Picture:
    """Mean of ``side`` x ``side`` pixels."""
    out: Any = cv2.blur(picture, (side, side))
    return out  # type: ignore[no-any-return]


def warp_back(picture: Picture, matrix: npt.NDArray[np.float64], size: tuple[int, int]) -> Picture:
    """A patch of ``size`` (width, height): its pixel p shows ``picture`` at ``matrix`` (2, 3) times p."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    out: Any = cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return out  # type: ignore[no-any-return]


def multiply(picture: ByteArray, gain: FloatArray) -> ByteArray:
    """Pixels times a gain (h, w, 3) that is given on a coarser grid, limited to 0..255."""
    fine = resize(gain, (picture.shape[1], picture.shape[0]))
    out: Any = cv2.multiply(picture, fine, dtype=cv2.CV_8U)
    return out  # type: ignore[no-any-return]


def tint(picture: ByteArray, gain: Sequence[float]) -> None:
    """Multiply the three colours by one gain each, in place."""
    factors: Any = (*gain, 1.0)
    cv2.multiply(picture, factors, dst=picture)


def blend(over: ByteArray, under: ByteArray, share: FloatArray) -> ByteArray:
    """``over`` where ``share`` (h, w) is 1, ``under`` where it is 0."""
    out: Any = cv2.blendLinear(over, np.ascontiguousarray(under), share, 1 - share)
    return out  # type: ignore[no-any-return]


class Canvas:
    """Renders at full resolution into memory that is used again: fresh pages cost as much as the work."""

    def __init__(self) -> None:
        """Start without memory; it grows to the largest picture."""
        self._memory: dict[str, npt.NDArray[Any]] = {}

    def texture(self, texture: ByteArray, positions: FloatArray, size: tuple[int, int]) -> ByteArray:
        """A texture at positions given on a coarser grid; fixed point, exact to 1/32 texel.

        Args:
            texture: (n, m, 3) uint8.
            positions: (h, w, 2) float32, x and y in the texture; enlarged to ``size``.
            size: (width, height) of the result.
        """
        width, height = size
        fine = self._array("fine", (height, width, 2), np.float32)
        cv2.resize(positions, size, dst=fine, interpolation=cv2.INTER_LINEAR)
        whole = self._array("whole", (height, width, 2), np.int16)
        fraction = self._array("fraction", (height, width), np.uint16)
        cv2.convertMaps(fine, _NO_MAP, cv2.CV_16SC2, whole, fraction)
        out: ByteArray = self._array("out", (height, width, 3), np.uint8)
        cv2.remap(texture, whole, fraction, cv2.INTER_LINEAR, dst=out, borderMode=cv2.BORDER_REPLICATE)
        return out

    def _array(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Any:
        size = math.prod(shape)
        memory = self._memory.get(name)
        if memory is None or memory.size < size:
            self._memory[name] = memory = np.empty(size + size // 4, dtype)
        return memory[:size].reshape(shape)
