"""Luma and chroma formats, planar and packed, and grey, in storage coordinates.

Chroma is taken to lie in the middle of the pixels that share it, for reading and writing alike. (libobs
draws 4:2:0 with the samples half a pixel further left; read and written the same way, nothing moves.)
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from doppel_models import channels
from doppel_models.types import ByteArray

from doppel_worker.color import NEUTRAL_CHROMA, ColorConversion
from doppel_worker.compositor import Rect
from doppel_worker.enlarged import Enlarged, lay_over
from doppel_worker.frame import FrameView
from doppel_worker.plane_access import COMPONENTS, Component, blend_over, reduce_to
from doppel_worker.warping import Window, shrink, thumbnail_row_step


def read(frame: FrameView, rect: Rect) -> ByteArray:
    """A rectangle as uint8 RGB; chroma is interpolated between its samples."""
    conversion = ColorConversion.of(frame.color)
    luma, *chroma = COMPONENTS[frame.layout.pixel_format].all
    planes = [luma.take(frame, rect), *(_upsampled(frame, component, rect) for component in chroma)]
    return _to_rgb(conversion, [conversion.clip(plane, index) for index, plane in enumerate(planes)])


def paste(frame: FrameView, rect: Rect, rgb: ByteArray, mask: ByteArray) -> None:
    """Blend ``rgb`` over a rectangle by ``mask``; the blend is done in luma and chroma."""
    planes = list(channels.split(ColorConversion.of(frame.color).rgb_to_yuv(rgb)))
    luma, *chroma = COMPONENTS[frame.layout.pixel_format].all
    _blend(frame, luma, rect, planes[0], mask)
    if not chroma:
        return
    inside = chroma[0].inside(rect, frame)
    if inside.width == 0 or inside.height == 0:
        return
    few_mask = reduce_to(chroma[0], rect, frame, mask)
    for component, plane in zip(chroma, planes[1:], strict=True):
        _blend(frame, component, inside, reduce_to(component, rect, frame, plane), few_mask)


def paste_crop(
    frame: FrameView, matrix: npt.NDArray[np.float64], rgb: ByteArray, mask: ByteArray
) -> Rect | None:
    """Blend a crop (``matrix``: stored pixels -> crop) over the frame; the part that it covers."""
    enlarged = Enlarged.of(frame, matrix, rgb, mask, ColorConversion.of(frame.color))
    if enlarged is None:
        return None
    *planes, left = enlarged.planes()
    lefts: dict[tuple[int, int], ByteArray] = {}
    for component, plane in zip(COMPONENTS[frame.layout.pixel_format].all, planes, strict=False):
        shifts = component.x_shift, component.y_shift
        if shifts not in lefts:
            lefts[shifts] = enlarged.fitted(left, *shifts)
        where, above = enlarged.where(component, frame), enlarged.fitted(plane, *shifts)
        lay_over(component, frame, where, above, lefts[shifts])
    return enlarged.rect


def sample(frame: FrameView, matrix: npt.NDArray[np.float64], dsize: tuple[int, int]) -> ByteArray:
    """A crop by ``matrix`` (stored pixels -> crop): warped as planes, so that only the crop is converted."""
    conversion = ColorConversion.of(frame.color)
    window = Window.of(matrix, dsize, frame.width, frame.height)
    luma, *chroma = COMPONENTS[frame.layout.pixel_format].all
    planes = [conversion.clip(window.warp(window.reduce(luma.take(frame, window.rect), 0, 0), 0, 0), 0)]
    if chroma:
        planes += _warped_chroma(frame, window, chroma, conversion)
    return _to_rgb(conversion, planes)


def _warped_chroma(
    frame: FrameView, window: Window, chroma: list[Component], conversion: ColorConversion
) -> list[ByteArray]:
    """U and V of a crop.

    They are taken at half the crop's size, as cameras take them: half the time, and nobody sees it.
    """
    half = window.halved()
    (width, height), (columns, rows) = half.dsize, window.dsize
    # One above the other, so that they are enlarged in one go. Each has a border, which is cut off again.
    both = np.empty((len(chroma) * height, width), np.uint8)
    for index, component in enumerate(chroma):
        sx, sy = component.x_shift, component.y_shift
        samples = half.reduce(component.take(frame, component.covering(window.rect)), sx, sy)
        part = both[index * height : (index + 1) * height]
        conversion.clip(half.warp(samples, sx, sy, out=part), index + 1, out=part)
    large = cv2.resize(both, (2 * width, 2 * len(both)), interpolation=cv2.INTER_LINEAR)
    tops = [2 + 2 * height * index for index in range(len(chroma))]
    return [np.asarray(large[top : top + rows, 2 : 2 + columns], np.uint8) for top in tops]


def thumbnail(frame: FrameView, dsize: tuple[int, int]) -> ByteArray:
    """The whole frame reduced to ``dsize``; only some rows of large frames are read."""
    conversion = ColorConversion.of(frame.color)
    planes = []
    for index, component in enumerate(COMPONENTS[frame.layout.pixel_format].all):
        width, height = component.size(frame)
        step = thumbnail_row_step(height, dsize[1])
        samples = component.take(frame, Rect(0, step // 2, width, height), step)
        planes.append(conversion.clip(shrink(samples, dsize), index))
    return _to_rgb(conversion, planes)


def _to_rgb(conversion: ColorConversion, planes: list[ByteArray]) -> ByteArray:
    """Clipped Y, U, V (or Y alone) of equal shapes as RGB."""
    if len(planes) == 1:
        neutral = np.full(planes[0].shape, NEUTRAL_CHROMA, np.uint8)
        planes = [planes[0], neutral, neutral]
    return conversion.yuv_to_rgb(_merge(planes))


def _upsampled(frame: FrameView, component: Component, rect: Rect) -> ByteArray:
    """A component's samples for every pixel of a rectangle."""
    sx, sy = component.x_shift, component.y_shift
    if sx == 0 and sy == 0:
        return component.take(frame, rect)
    width, height = component.size(frame)
    # One sample more on every side, so that the rectangle's edge is interpolated like its inside.
    x0, y0 = max(0, (rect.x0 >> sx) - 1), max(0, (rect.y0 >> sy) - 1)
    x1, y1 = min(width, -(-rect.x1 >> sx) + 1), min(height, -(-rect.y1 >> sy) + 1)
    samples = component.take(frame, Rect(x0, y0, x1, y1))
    size = ((x1 - x0) << sx, (y1 - y0) << sy)
    large = np.asarray(cv2.resize(samples, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    left, top = rect.x0 - (x0 << sx), rect.y0 - (y0 << sy)
    return large[top : top + rect.height, left : left + rect.width]


def _blend(frame: FrameView, component: Component, where: Rect, above: ByteArray, mask: ByteArray) -> None:
    below = component.take(frame, where)
    if component.step > 1:
        component.put(frame, where, blend_over(below, above, mask))
    else:
        # Where the samples lie: what is copied afterwards would be written twice.
        blend_over(below, above, mask, out=below)


def _merge(planes: list[ByteArray]) -> ByteArray:
    return np.asarray(cv2.merge(planes), np.uint8)
