"""Reads an engine's crop in parts: what it does not need is not converted."""

from __future__ import annotations

import dataclasses

import numpy as np
from doppel_models.types import ByteArray, FloatArray

from doppel_worker.compositor import Compositor, Rect
from doppel_worker.frame import FrameView


@dataclasses.dataclass(frozen=True, slots=True)
class FrameCrop:
    """A rectangle of a frame, while it is unchanged; see ``doppel_models.engines.base.CropReader``."""

    compositor: Compositor
    frame: FrameView
    rect: Rect
    """Inside the frame."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, 3)."""
        return self.rect.height, self.rect.width, 3

    def part(self, x0: int, y0: int, x1: int, y1: int) -> ByteArray:
        """A rectangle of the crop, in its pixels, as (y1 - y0, x1 - x0, 3) uint8 RGB.

        Raises:
            FrameError: it is empty or reaches out of the frame.
        """
        left, top = self.rect.x0, self.rect.y0
        return self.compositor.read(self.frame, Rect(left + x0, top + y0, left + x1, top + y1))

    def reduced(self, factor: int) -> ByteArray:
        """The crop at ``1 / factor`` of its size, rounded down; (h, w, 3) uint8 RGB."""
        return self.compositor.reduced(self.frame, self.rect, factor)


def reduction(rect: Rect, factor: int) -> tuple[tuple[int, int], FloatArray]:
    """A rectangle at ``1 / factor`` of its size, rounded down.

    Returns:
        (width, height) of the result, and (2, 3) float32: pixels of the frame -> pixels of the result.
    """
    # Pixel c of the result covers the pixels from c * factor on.
    half, scale = 0.5 / factor - 0.5, 1 / factor
    matrix = np.array([[scale, 0, half - rect.x0 * scale], [0, scale, half - rect.y0 * scale]], np.float32)
    return (rect.width // factor, rect.height // factor), matrix
