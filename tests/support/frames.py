"""Frames made from pictures."""

from __future__ import annotations

import cv2
import numpy as np
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_models.types import ByteArray
from doppel_worker.frame import ColorInfo, FrameView


def rgba_frame(picture: ByteArray, frame_id: int = 0, fps: float = 30.0) -> FrameView:
    """A frame in RGBA that shows ``picture``, (h, w, 3) uint8 RGB; its time follows from its number."""
    height, width = picture.shape[:2]
    alpha = np.full((height, width, 1), 255, np.uint8)
    plane = np.concatenate([picture, alpha], axis=2).reshape(height, width * 4)
    return _frame(PixelFormat.RGBA, (plane,), width, height, frame_id, fps)


def i420_frame(picture: ByteArray, frame_id: int = 0, fps: float = 30.0) -> FrameView:
    """The same in I420, BT.601 limited; for even sizes."""
    height, width = picture.shape[:2]
    stacked = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2YUV_I420).reshape(-1)
    luma, chroma = width * height, width * height // 4
    planes = (
        stacked[:luma].reshape(height, width),
        stacked[luma : luma + chroma].reshape(height // 2, width // 2),
        stacked[luma + chroma :].reshape(height // 2, width // 2),
    )
    return _frame(PixelFormat.I420, planes, width, height, frame_id, fps)


def _frame(
    pixel_format: PixelFormat,
    planes: tuple[ByteArray, ...],
    width: int,
    height: int,
    frame_id: int,
    fps: float,
) -> FrameView:
    layout = FrameLayout.of(pixel_format, width, height)
    color = ColorInfo.bt601_limited()
    return FrameView(layout, planes, color, False, frame_id, round(frame_id * 1e9 / fps))
