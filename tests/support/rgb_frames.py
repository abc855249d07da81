"""RGBA frames from pictures, and a plain compositor for them: what the tracker needs and no more."""

from __future__ import annotations

import cv2
import numpy as np
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_models.types import ByteArray, FloatArray
from doppel_worker.compositor import Rect
from doppel_worker.frame import ColorInfo, FrameView


def rgba_frame(picture: ByteArray, frame_id: int = 0, fps: float = 30.0) -> FrameView:
    """A frame in RGBA that shows ``picture``, (h, w, 3) uint8 RGB; its time follows from its number."""
    height, width = picture.shape[:2]
    layout = FrameLayout.of(PixelFormat.RGBA, width, height)
    alpha = np.full((height, width, 1), 255, np.uint8)
    plane = np.concatenate([picture, alpha], axis=2).reshape(height, width * 4)
    stamp = round(frame_id * 1e9 / fps)
    return FrameView(layout, (plane,), ColorInfo.bt709_limited(), False, frame_id, stamp)


class RgbCompositor:
    """Reads RGBA frames; never writes."""

    def sample(self, frame: FrameView, matrix: FloatArray, dsize: tuple[int, int]) -> ByteArray:
        """See ``Compositor``."""
        picture = self._picture(frame)
        scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
        if scale < 0.5:
            # Average whole blocks first, then correct for their pixel centres.
            step = int(1 / scale)
            size = max(1, frame.width // step), max(1, frame.height // step)
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            factor = np.array([frame.width / size[0], frame.height / size[1]])
            shift = matrix[:, :2] @ (factor / 2 - 0.5) + matrix[:, 2]
            matrix = np.concatenate([matrix[:, :2] * factor, shift[:, None]], axis=1)
        return np.asarray(cv2.warpAffine(picture, matrix, dsize, borderMode=cv2.BORDER_REPLICATE), np.uint8)

    def thumbnail(self, frame: FrameView, dsize: tuple[int, int]) -> ByteArray:
        """See ``Compositor``."""
        return np.asarray(cv2.resize(self._picture(frame), dsize, interpolation=cv2.INTER_AREA), np.uint8)

    def read(self, frame: FrameView, rect: Rect) -> ByteArray:
        """See ``Compositor``."""
        return self._picture(frame)[rect.y0 : rect.y1, rect.x0 : rect.x1]

    def paste(self, frame: FrameView, rect: Rect, rgb: ByteArray, mask: ByteArray) -> None:
        """Never called by a tracker."""
        raise AssertionError("a tracker does not write")

    def blur(self, frame: FrameView, rect: Rect, mask: ByteArray) -> None:
        """Never called by a tracker."""
        raise AssertionError("a tracker does not write")

    def cover(self, frame: FrameView) -> None:
        """Never called by a tracker."""
        raise AssertionError("a tracker does not write")

    @staticmethod
    def _picture(frame: FrameView) -> ByteArray:
        plane = frame.planes[0].reshape(frame.height, frame.width, 4)
        return np.ascontiguousarray(plane[..., :3])
