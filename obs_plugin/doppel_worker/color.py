"""Colour conversion of 8-bit samples by one fused 3x4 transform each way.

``ColorInfo`` holds libobs's matrix for values in 0..1; here it is scaled to bytes once and kept. OpenCV's
``transform`` does it in fixed point, within one level of the exact value.
"""

from __future__ import annotations

import dataclasses
import functools

import cv2
import numpy as np
import numpy.typing as npt
from doppel_models.types import ByteArray

from doppel_worker.errors import FrameError
from doppel_worker.frame import ColorInfo

_MIN_DETERMINANT = 1e-4
NEUTRAL_CHROMA = 128


@dataclasses.dataclass(frozen=True, slots=True)
class ColorConversion:
    """``rgb = to_rgb[:, :3] @ clip(yuv, low, high) + to_rgb[:, 3]`` in 0..255, and the way back."""

    to_rgb: npt.NDArray[np.float64]
    """(3, 4)."""
    to_yuv: npt.NDArray[np.float64]
    """(3, 4), the inverse of ``to_rgb``."""
    low: tuple[int, int, int]
    high: tuple[int, int, int]

    @classmethod
    def of(cls, color: ColorInfo) -> ColorConversion:
        """The conversion that a frame asks for; the last few are kept.

        Raises:
            FrameError: the matrix has no inverse, so pixels could be read but not written back.
        """
        return _conversion(*cls.key(color))

    @staticmethod
    def key(color: ColorInfo) -> tuple[bytes, bytes, bytes]:
        """What makes a conversion: equal for equal colours."""
        return color.matrix.tobytes(), color.range_min.tobytes(), color.range_max.tobytes()

    def clip(self, samples: ByteArray, component: int, out: ByteArray | None = None) -> ByteArray:
        """Samples of Y (0), U (1) or V (2) limited to their range, as libobs's shader does first.

        Full range: ``samples`` themselves. ``out`` may be ``samples``, and nothing else.
        """
        low, high = self.low[component], self.high[component]
        if low <= 0 and high >= 255:
            return samples
        # The narrow type keeps NumPy in 8 bits, where this is a vector instruction. The method starts in a
        # third of the function's time, which counts for small crops.
        return samples.clip(np.uint8(low), np.uint8(high), out)

    def yuv_to_rgb(self, yuv: ByteArray) -> ByteArray:
        """(h, w, 3) clipped Y, U, V -> (h, w, 3) RGB."""
        return np.asarray(cv2.transform(yuv, self.to_rgb), np.uint8)

    def rgb_to_yuv(self, rgb: ByteArray) -> ByteArray:
        """(h, w, 3) RGB -> (h, w, 3) Y, U, V."""
        return np.asarray(cv2.transform(rgb, self.to_yuv), np.uint8)


@functools.lru_cache(maxsize=16)
def _conversion(matrix_bytes: bytes, low_bytes: bytes, high_bytes: bytes) -> ColorConversion:
    matrix = np.frombuffer(matrix_bytes, np.float32).reshape(3, 4).astype(np.float64)
    linear, offset = matrix[:, :3], matrix[:, 3] * 255
    if not np.isfinite(matrix).all() or abs(np.linalg.det(linear)) < _MIN_DETERMINANT:
        raise FrameError(
            "the frame's colour matrix has no inverse; set the source's colour space to Rec. 709 or Rec. 601"
        )
    inverse = np.linalg.inv(linear)
    low, high = (np.frombuffer(raw, np.float32).astype(np.float64) * 255 for raw in (low_bytes, high_bytes))
    # A source that leaves the range empty means no limits (libobs would clamp everything to nothing).
    if not (high > low).all():
        low, high = np.zeros(3), np.full(3, 255.0)
    low, high = np.clip(np.rint(low), 0, 255), np.clip(np.rint(high), 0, 255)
    return ColorConversion(
        to_rgb=np.concatenate([linear, offset[:, None]], axis=1),
        to_yuv=np.concatenate([inverse, -(inverse @ offset)[:, None]], axis=1),
        low=(int(low[0]), int(low[1]), int(low[2])),
        high=(int(high[0]), int(high[1]), int(high[2])),
    )
