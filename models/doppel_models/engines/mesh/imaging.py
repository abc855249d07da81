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
TextureMap = FloatArray
"""(2, h, w) coordinates in a texture, 0..1 from left to right and from top to bottom. OpenCV samples by two
planes faster than by pairs."""
_NO_MAP: Any = None
_BAND_ROWS = 16
"""Rows of a coarse mask that are rendered in one go, as wide as the mask is there."""


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
    whole = picture[: height * factor, : width * factor]
    if factor > 3:
        # A mean of four samples of each pair of rows and columns: half the time, and hardly another picture.
        whole = resize(whole, (2 * width, 2 * height))
    return shrink(whole, (width, height))  # type: ignore[return-value]


def blur(picture: Picture, sigma: float) -> Picture:
    """Gaussian blur by ``sigma`` pixels."""
    out: Any = cv2.GaussianBlur(picture, (0, 0), sigma)
    return out  # type: ignore[no-any-return]


def blur_near(picture: Picture, sigma: float) -> Picture:
    """:func:`blur` that ends at three standard deviations, where it has lost a 300th; OpenCV goes to four."""
    side = 2 * round(3 * sigma) + 1
    out: Any = cv2.GaussianBlur(picture, (side, side), sigma)
    return out  # type: ignore[no-any-return]


def soften(picture: Picture, sigma: float) -> Picture:
    """Nearly :func:`blur`, in a third of the time; ``sigma`` is met to within a fifth of a pixel."""
    radius = max(1, round(math.sqrt(6 * sigma * sigma + 1) - 1))
    out: Any = cv2.stackBlur(picture, (2 * radius + 1, 2 * radius + 1))
    return out  # type: ignore[no-any-return]


def box(picture: Picture, side: int) -> Picture:
    """Mean of ``side`` x ``side`` pixels."""
    out: Any = cv2.blur(picture, (side, side))
    return out  # type: ignore[no-any-return]


def warp_back(picture: ByteArray, matrix: npt.NDArray[np.float64], size: tuple[int, int]) -> ByteArray:
    """An RGB patch of ``size`` (width, height); pixel p is a :func:`padded` picture at ``matrix`` times p."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    out = cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(out, cv2.COLOR_RGBA2RGB), np.uint8)


def multiply(picture: ByteArray, gain: FloatArray) -> ByteArray:
    """Pixels times a gain (h, w, 3) that is given on a coarser grid, limited to 0..255."""
    fine = resize(gain, (picture.shape[1], picture.shape[0]))
    out: Any = cv2.multiply(picture, fine, dtype=cv2.CV_8U)
    return out  # type: ignore[no-any-return]


def solve(left: npt.NDArray[np.floating], right: npt.NDArray[np.floating]) -> FloatArray:
    """Solve a small symmetric, positive definite system; a quarter of NumPy's time.

    Args:
        left: (n, n).
        right: (n, m), of the same type.

    Returns:
        (n, m) float32; 0 where ``left`` is not positive definite.
    """
    return np.asarray(cv2.solve(left, right, flags=cv2.DECOMP_CHOLESKY)[1], np.float32)


def tint(picture: ByteArray, gain: Sequence[float]) -> None:
    """Multiply the three colours by one gain each, in place."""
    factors: Any = (*gain, 1.0)
    cv2.multiply(picture, factors, dst=picture)


def blend_in(over: ByteArray, under: ByteArray, mask: ByteArray, share: float) -> None:
    """Lay ``over`` (h, w, 3) into ``under`` by ``share`` 0..1 of a mask (h, w) 0..255; changes ``under``."""
    part: Any = mask if share >= 1 else cv2.convertScaleAbs(mask, alpha=share)
    weight = part.astype(np.float32)
    cv2.blendLinear(over, under, weight, np.float32(255) - weight, dst=under)


def sample(texture: Picture, texture_map: TextureMap) -> Picture:
    """A square texture at these coordinates."""
    x, y = _texels(texture_map, texture.shape[0])
    out: Any = cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return out  # type: ignore[no-any-return]


def padded(picture: ByteArray) -> ByteArray:
    """RGB with a fourth channel: OpenCV samples four in less than half the time of three."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA), np.uint8)


def continued(drawn: FloatArray) -> TextureMap:
    """Two attributes of three planes (3, h, w), of which the third is their coverage.

    They are continued a little past the covered pixels, so that enlarging them does not pull their edge
    towards 0.
    """
    inside: Any = (drawn[2] > 0.5).view(np.uint8)
    texture_map = np.empty((2, *drawn.shape[1:]), np.float32)
    for plane, out in zip(drawn, texture_map, strict=False):
        # Beside the mesh: the largest of what it covers nearby, which is one of the nearest ones.
        cv2.dilate(plane, _NEAR, dst=out)
        cv2.copyTo(plane, inside, out)
    return texture_map


_NEAR = np.ones((3, 3), np.uint8)


def _texels(coordinates: FloatArray, size: int) -> FloatArray:
    """Coordinates 0..1 as texels of a texture with so many along its side."""
    texels = coordinates * np.float32(size)
    texels -= np.float32(0.5)
    return texels


class Canvas:
    """Renders at full resolution into memory that is used again: fresh pages cost as much as the work."""

    def __init__(self) -> None:
        """Start without memory; it grows to the largest picture."""
        self._memory: dict[str, npt.NDArray[Any]] = {}

    def texture(
        self, texture: ByteArray, texture_map: TextureMap, mask: ByteArray, size: tuple[int, int]
    ) -> ByteArray:
        """A texture at positions given on a coarser grid.

        Args:
            texture: (n, n, 4) uint8, see :func:`padded`.
            texture_map: (h, w) coordinates in the texture; enlarged to ``size``.
            mask: (h, w) uint8; where it is 0, and its neighbours are, nothing is rendered.
            size: (width, height) of the result.
        """
        width, height = size
        x, y = positions = self._array("positions", (2, height, width), np.float32)
        for coarse, fine in zip(_texels(texture_map, texture.shape[0]), positions, strict=True):
            cv2.resize(coarse, size, dst=fine, interpolation=cv2.INTER_LINEAR)
        out = self.picture(size)
        for x0, y0, x1, y1 in _bands(mask, size):
            at = x[y0:y1, x0:x1], y[y0:y1, x0:x1]
            # Into the same memory each time: bands are small, and so it stays in the cache.
            part = self._array("band", (y1 - y0, x1 - x0, 4), np.uint8)
            cv2.remap(texture, *at, cv2.INTER_LINEAR, dst=part, borderMode=cv2.BORDER_REPLICATE)
            cv2.cvtColor(part, cv2.COLOR_RGBA2RGB, dst=out[y0:y1, x0:x1])
        return out

    def picture(self, size: tuple[int, int]) -> ByteArray:
        """What was rendered last, or less; (height, width, 3)."""
        out: ByteArray = self._array("out", (size[1], size[0], 3), np.uint8)
        return out

    def _array(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Any:
        size = math.prod(shape)
        memory = self._memory.get(name)
        if memory is None or memory.size < size:
            self._memory[name] = memory = np.zeros(size + size // 4, dtype)
        return memory[:size].reshape(shape)


def _bands(mask: ByteArray, size: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    """Rectangles (x0, y0, x1, y1) of a picture of ``size`` that hold all that a coarser mask shows."""
    rows, columns = mask.shape
    step_x, step_y = size[0] / columns, size[1] / rows
    bands = []
    for start in range(0, rows, _BAND_ROWS):
        end = min(start + _BAND_ROWS, rows)
        # Enlarging the mask spreads it into the neighbours of what it shows.
        left, _, wide, _ = cv2.boundingRect(mask[max(start - 1, 0) : end + 1])
        if wide:
            x0, x1 = int((left - 1) * step_x) - 1, math.ceil((left + wide + 1) * step_x) + 1
            # The last one's end may come out just below the picture's.
            bottom = size[1] if end == rows else math.floor(end * step_y)
            bands.append((max(x0, 0), math.floor(start * step_y), min(x1, size[0]), bottom))
    return bands
