"""The contract of a compositor: everything that touches a frame's pixels.

Every method works in the frame's own planes and pixel format, honours ``color`` and ``flip``, and leaves
every pixel outside the region it is given bit-identical. All coordinates are *picture* coordinates (row 0
on top, whatever ``flip`` says). ``CpuCompositor`` is the oracle of every other implementation.
"""

from __future__ import annotations

import dataclasses
from typing import Protocol

from doppel_models.types import ByteArray, FloatArray

from doppel_worker.frame import FrameView


@dataclasses.dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle of whole pixels: ``x0 <= x < x1``, ``y0 <= y < y1``."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        """Pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """Pixels."""
        return self.y1 - self.y0

    def clipped(self, width: int, height: int) -> Rect:
        """The part inside a frame of that size (empty: zero width or height)."""
        x0, y0 = min(max(self.x0, 0), width), min(max(self.y0, 0), height)
        return Rect(x0, y0, max(x0, min(self.x1, width)), max(y0, min(self.y1, height)))


class Compositor(Protocol):
    """Reads and writes the pixels of frames."""

    def sample(self, frame: FrameView, matrix: FloatArray, dsize: tuple[int, int]) -> ByteArray:
        """A crop of the frame as ``(height, width, 3)`` uint8 RGB.

        Args:
            frame: the frame to read.
            matrix: (2, 3), frame pixels -> crop pixels.
            dsize: (width, height) of the crop.

        Bilinear; borders are replicated. Large reductions are averaged first, so they do not alias.
        """

    def thumbnail(self, frame: FrameView, dsize: tuple[int, int]) -> ByteArray:
        """The whole frame reduced to ``dsize`` (width, height), uint8 RGB; cheap, for detection only."""

    def read(self, frame: FrameView, rect: Rect) -> ByteArray:
        """A rectangle inside the frame at its own resolution, uint8 RGB."""

    def paste(self, frame: FrameView, rect: Rect, rgb: ByteArray, mask: ByteArray) -> None:
        """Blend ``rgb`` (h, w, 3) over a rectangle inside the frame by ``mask`` (h, w), 0 keeps the frame.

        Pixels with mask 0 stay bit-identical; a chroma sample shared by several pixels moves by their
        mean mask, and stays bit-identical when all of them are 0.
        """

    def blur(self, frame: FrameView, rect: Rect, mask: ByteArray) -> None:
        """Make what lies under ``mask`` (h, w) unrecognisable: a strong blur of the rectangle, blended in."""

    def cover(self, frame: FrameView) -> None:
        """Mosaic of the whole frame: blocks of 1/16 of its height."""
