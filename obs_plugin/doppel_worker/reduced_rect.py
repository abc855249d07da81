"""A rectangle of a frame at a whole fraction of its size, to look at its colours.

Each component is averaged by powers of two from the rectangle's corner on, so nothing has to be warped, and
chroma that is subsampled is that much less to average.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from doppel_models.types import ByteArray

from doppel_worker.color import NEUTRAL_CHROMA, ColorConversion
from doppel_worker.compositor import Rect
from doppel_worker.frame import FrameView
from doppel_worker.plane_access import COMPONENTS


def reduced(frame: FrameView, rect: Rect, factor: int) -> ByteArray | None:
    """The rectangle at ``1 / factor`` of its size, rounded down; (h, w, 3) uint8 RGB.

    Args:
        frame: the frame; its rows are stored top first.
        rect: inside the frame, its corner on even pixels.
        factor: 2 or more, not more than the rectangle's sides.

    Returns:
        None where the frame ends too near to the rectangle: blocks must be whole, so that some pixels beside
        it are needed.
    """
    if rect.x0 & 1 or rect.y0 & 1 or not 2 <= factor <= min(rect.width, rect.height):
        return None
    width, height = rect.width // factor, rect.height // factor
    block = 1 << (factor.bit_length() - 1)
    # So many pixels of the result stand for whole blocks.
    period = block // math.gcd(factor, block)
    wide, tall = -(-width // period) * period, -(-height // period) * period
    whole = Rect(rect.x0, rect.y0, rect.x0 + wide * factor, rect.y0 + tall * factor)
    if whole.x1 > frame.width or whole.y1 > frame.height:
        return None
    components = COMPONENTS[frame.layout.pixel_format]
    planes = []
    for component in components.all:
        samples = component.take(frame, component.covering(whole))
        planes.append(_means(samples, block >> component.x_shift, block >> component.y_shift))
    rgb = _rgb(frame, planes, packed_rgb=components.packed_rgb)
    if block < factor:
        rgb = np.asarray(cv2.resize(rgb, (wide, tall), interpolation=cv2.INTER_LINEAR), np.uint8)
    return rgb[:height, :width]


def _means(samples: ByteArray, across: int, down: int) -> ByteArray:
    """Of blocks of ``across`` x ``down`` samples, powers of two; 2 x 2 at a time, where OpenCV is quick."""
    while across > 1 or down > 1:
        fx, fy = min(across, 2), min(down, 2)
        size = samples.shape[1] // fx, samples.shape[0] // fy
        samples = np.asarray(cv2.resize(samples, size, interpolation=cv2.INTER_AREA), np.uint8)
        across, down = across // fx, down // fy
    return samples


def _rgb(frame: FrameView, planes: list[ByteArray], *, packed_rgb: bool) -> ByteArray:
    if packed_rgb:
        return np.asarray(cv2.merge(planes), np.uint8)
    if len(planes) == 1:
        neutral = np.full(planes[0].shape, NEUTRAL_CHROMA, np.uint8)
        planes = [*planes, neutral, neutral]
    # Not limited to the frame's range first: a mean hardly ever lies beyond it.
    return ColorConversion.of(frame.color).yuv_to_rgb(np.asarray(cv2.merge(planes), np.uint8))
