"""Packed RGB formats (RGBA, BGRA, BGRX, BGR3), in storage coordinates. The fourth byte is never written.

Limited-range RGB (which libobs stretches when it draws) is taken as it is stored: what is read is written
back the same way, so only the networks see slightly less contrast.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from doppel_ipc.pixel_format import PixelFormat
from doppel_models.types import ByteArray

from doppel_worker.compositor import Rect
from doppel_worker.enlarged import Enlarged, laid_over
from doppel_worker.frame import FrameView
from doppel_worker.plane_access import blend_over
from doppel_worker.warping import Window, shrink, thumbnail_row_step

_TO_RGB = {
    PixelFormat.RGBA: cv2.COLOR_RGBA2RGB,
    PixelFormat.BGRA: cv2.COLOR_BGRA2RGB,
    PixelFormat.BGRX: cv2.COLOR_BGRA2RGB,
    PixelFormat.BGR3: cv2.COLOR_BGR2RGB,
}


def _pixels(frame: FrameView, rect: Rect, row_step: int = 1) -> ByteArray:
    """A view (h, w, 3 or 4) of a rectangle."""
    step = frame.layout.pixel_format.planes[0].bytes
    rows = frame.planes[0][rect.y0 : rect.y1 : row_step, rect.x0 * step : rect.x1 * step]
    return rows.reshape(rows.shape[0], rect.width, step)


def _to_rgb(frame: FrameView, pixels: ByteArray) -> ByteArray:
    return np.asarray(cv2.cvtColor(pixels, _TO_RGB[frame.layout.pixel_format]), np.uint8)


def read(frame: FrameView, rect: Rect) -> ByteArray:
    """A rectangle as uint8 RGB."""
    return _to_rgb(frame, _pixels(frame, rect))


def paste(frame: FrameView, rect: Rect, rgb: ByteArray, mask: ByteArray) -> None:
    """Blend ``rgb`` over a rectangle by ``mask``."""
    _put(frame, rect, blend_over(read(frame, rect), rgb, mask))


def _put(frame: FrameView, rect: Rect, rgb: ByteArray) -> None:
    order = [0, 0, 1, 1, 2, 2] if frame.layout.pixel_format is PixelFormat.RGBA else [0, 2, 1, 1, 2, 0]
    cv2.mixChannels([rgb], [_pixels(frame, rect)], order)


def paste_crop(
    frame: FrameView, matrix: npt.NDArray[np.float64], rgb: ByteArray, mask: ByteArray
) -> Rect | None:
    """Blend a crop (``matrix``: stored pixels -> crop) over the frame; the part that it covers."""
    enlarged = Enlarged.of(frame, matrix, rgb, mask)
    if enlarged is None:
        return None
    whole = enlarged.fitted(enlarged.samples)
    above = np.asarray(cv2.cvtColor(whole, cv2.COLOR_RGBA2RGB), np.uint8)
    left = np.asarray(cv2.merge([cv2.bitwise_not(cv2.extractChannel(whole, 3))] * 3), np.uint8)
    _put(frame, enlarged.rect, laid_over(read(frame, enlarged.rect), above, left))
    return enlarged.rect


def sample(frame: FrameView, matrix: npt.NDArray[np.float64], dsize: tuple[int, int]) -> ByteArray:
    """A crop by ``matrix`` (stored pixels -> crop)."""
    window = Window.of(matrix, dsize, frame.width, frame.height)
    pixels = window.reduce(_pixels(frame, window.rect), 0, 0)
    return _to_rgb(frame, window.warp(pixels, 0, 0))


def thumbnail(frame: FrameView, dsize: tuple[int, int]) -> ByteArray:
    """The whole frame reduced to ``dsize``."""
    step = thumbnail_row_step(frame.height, dsize[1])
    pixels = _pixels(frame, Rect(0, step // 2, frame.width, frame.height), step)
    return _to_rgb(frame, shrink(pixels, dsize))
