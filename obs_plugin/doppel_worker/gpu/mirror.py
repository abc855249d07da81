"""Which parts of a frame lie on the device, which must go up, and which must come back down. No device here.

Rectangles are in storage coordinates. They are widened to even pixels, so that no chroma sample is shared
between two of them and every part of a plane goes up once.
"""

from __future__ import annotations

import dataclasses

from doppel_ipc.pixel_format import FrameLayout

from doppel_worker.compositor import Rect


@dataclasses.dataclass(frozen=True, slots=True)
class PlanePart:
    """A rectangle of bytes of one plane."""

    plane: int
    row: int
    rows: int
    first_byte: int
    """Of each row."""
    row_bytes: int

    def offset(self, layout: FrameLayout) -> int:
        """Of the first byte inside the frame."""
        return layout.offset[self.plane] + self.row * layout.linesize[self.plane] + self.first_byte


class MirrorPlan:
    """Book-keeping for one frame on the device."""

    def __init__(self, layout: FrameLayout) -> None:
        self._layout = layout
        self._there: list[Rect] = []
        self._changed: list[Rect] = []

    @property
    def changed(self) -> bool:
        """True when something must come back down."""
        return bool(self._changed)

    def forget(self) -> None:
        """Another frame: nothing of it is on the device."""
        self._there.clear()
        self._changed.clear()

    def need(self, rect: Rect) -> list[PlanePart]:
        """What must go up before ``rect`` can be used; counts as there from now on."""
        missing = [self._even(rect)]
        for there in self._there:
            missing = [piece for one in missing for piece in subtracted(one, there)]
        self._there += missing
        return [part for piece in missing for part in self._parts(piece)]

    def wrote(self, rect: Rect) -> None:
        """``rect``, which is there, was changed on the device."""
        even = self._even(rect)
        if any(contains(one, even) for one in self._changed):
            return
        self._changed = [one for one in self._changed if not contains(even, one)] + [even]

    def take_changes(self) -> list[PlanePart]:
        """What must come down; each byte once, and afterwards nothing is left to come."""
        apart: list[Rect] = []
        for rect in self._changed:
            pieces = [rect]
            for one in apart:
                pieces = [piece for some in pieces for piece in subtracted(some, one)]
            apart += pieces
        self._changed.clear()
        return [part for piece in apart for part in self._parts(piece)]

    def _even(self, rect: Rect) -> Rect:
        wide = Rect(rect.x0 & ~1, rect.y0 & ~1, (rect.x1 + 1) & ~1, (rect.y1 + 1) & ~1)
        return wide.clipped(self._layout.width, self._layout.height)

    def _parts(self, rect: Rect) -> list[PlanePart]:
        parts = []
        for index, spec in enumerate(self._layout.pixel_format.planes):
            row, end = rect.y0 >> spec.y_shift, -(-rect.y1 >> spec.y_shift)
            first, last = (rect.x0 >> spec.x_shift) * spec.bytes, -(-rect.x1 >> spec.x_shift) * spec.bytes
            parts.append(PlanePart(index, row, end - row, first, last - first))
        return parts


def contains(outer: Rect, inner: Rect) -> bool:
    """True when ``inner`` lies in ``outer``."""
    return outer.x0 <= inner.x0 and outer.y0 <= inner.y0 and inner.x1 <= outer.x1 and inner.y1 <= outer.y1


def subtracted(rect: Rect, hole: Rect) -> list[Rect]:
    """What of ``rect`` lies outside ``hole``: up to four rectangles that do not overlap."""
    x0, y0 = max(rect.x0, hole.x0), max(rect.y0, hole.y0)
    x1, y1 = min(rect.x1, hole.x1), min(rect.y1, hole.y1)
    if x0 >= x1 or y0 >= y1:
        return [rect] if rect.width > 0 and rect.height > 0 else []
    pieces = [
        Rect(rect.x0, rect.y0, rect.x1, y0),
        Rect(rect.x0, y1, rect.x1, rect.y1),
        Rect(rect.x0, y0, x0, y1),
        Rect(x1, y0, rect.x1, y1),
    ]
    return [piece for piece in pieces if piece.width > 0 and piece.height > 0]
