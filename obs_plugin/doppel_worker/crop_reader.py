"""Reads an engine's crop in parts: what it does not need is not converted."""

from __future__ import annotations

import dataclasses

import numpy as np
from doppel_models.types import ByteArray

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
        # Pixel c of the result covers the pixels from c * factor on.
        half = 0.5 / factor - 0.5
        scale = 1 / factor
        matrix = np.array(
            [[scale, 0, half - self.rect.x0 * scale], [0, scale, half - self.rect.y0 * scale]], np.float32
        )
        size = self.rect.width // factor, self.rect.height // factor
        return self.compositor.sample(self.frame, matrix, size)
