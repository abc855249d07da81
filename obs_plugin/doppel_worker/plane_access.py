"""Where the components of every pixel format lie, and how to take them out and put them back.

Convention: coordinates here are *storage* coordinates: row 0 is the first row in memory, whatever ``flip``
says. A component's samples are a grid of ``(plane rows, samples per row)``; a sample covers
``1 << x_shift`` by ``1 << y_shift`` pixels. Alpha is no component: nothing here can touch it.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from doppel_ipc.pixel_format import PixelFormat
from doppel_models.types import ByteArray

from doppel_worker.compositor import Rect
from doppel_worker.frame import FrameView


@dataclasses.dataclass(frozen=True, slots=True)
class Component:
    """One of Y, U, V or R, G, B: byte ``offset`` of every ``step`` bytes of a plane's rows."""

    plane: int
    offset: int = 0
    step: int = 1
    x_shift: int = 0
    y_shift: int = 0

    def size(self, frame: FrameView) -> tuple[int, int]:
        """(width, height) of the sample grid of a frame."""
        width = (frame.width + (1 << self.x_shift) - 1) >> self.x_shift
        return width, frame.layout.rows[self.plane]

    def covering(self, rect: Rect) -> Rect:
        """The samples that reach into a rectangle of pixels."""
        sx, sy = self.x_shift, self.y_shift
        return Rect(rect.x0 >> sx, rect.y0 >> sy, -(-rect.x1 >> sx), -(-rect.y1 >> sy))

    def inside(self, rect: Rect, frame: FrameView) -> Rect:
        """The samples all of whose pixels (of the frame) lie in a rectangle of pixels."""
        width, height = self.size(frame)
        x1 = width if rect.x1 >= frame.width else rect.x1 >> self.x_shift
        y1 = height if rect.y1 >= frame.height else rect.y1 >> self.y_shift
        x0, y0 = -(-rect.x0 >> self.x_shift), -(-rect.y0 >> self.y_shift)
        return Rect(x0, y0, max(x0, x1), max(y0, y1))

    def take(self, frame: FrameView, rect: Rect, row_step: int = 1) -> ByteArray:
        """The samples of a rectangle (in samples): a view where they lie side by side, else a copy."""
        rows = frame.planes[self.plane][rect.y0 : rect.y1 : row_step]
        if self.step == 1:
            return rows[:, rect.x0 : rect.x1]
        return np.asarray(cv2.extractChannel(self._groups(rows, rect), self.offset), np.uint8)

    def put(self, frame: FrameView, rect: Rect, samples: ByteArray) -> None:
        """Write samples (rect.height, rect.width) over a rectangle (in samples)."""
        rows = frame.planes[self.plane][rect.y0 : rect.y1]
        if self.step == 1:
            rows[:, rect.x0 : rect.x1] = samples
        elif samples.size:
            cv2.insertChannel(np.ascontiguousarray(samples), self._groups(rows, rect), self.offset)

    def _groups(self, rows: ByteArray, rect: Rect) -> ByteArray:
        """A view (height, width, step) of a rectangle's samples with what lies between them."""
        part = rows[:, rect.x0 * self.step : rect.x1 * self.step]
        return part.reshape(part.shape[0], rect.width, self.step)


@dataclasses.dataclass(frozen=True, slots=True)
class Components:
    """The components of a format: Y, U, V (or Y alone), or R, G, B."""

    all: tuple[Component, ...]
    packed_rgb: bool = False


def _planar(x_shift: int, y_shift: int) -> Components:
    return Components(
        (Component(0), Component(1, 0, 1, x_shift, y_shift), Component(2, 0, 1, x_shift, y_shift))
    )


def _packed_422(y: int, u: int, v: int) -> Components:
    return Components((Component(0, y, 2), Component(0, u, 4, 1), Component(0, v, 4, 1)))


def _packed(a: int, b: int, c: int, step: int, *, rgb: bool) -> Components:
    return Components((Component(0, a, step), Component(0, b, step), Component(0, c, step)), rgb)


COMPONENTS: dict[PixelFormat, Components] = {
    PixelFormat.I420: _planar(1, 1),
    PixelFormat.I40A: _planar(1, 1),
    PixelFormat.NV12: Components((Component(0), Component(1, 0, 2, 1, 1), Component(1, 1, 2, 1, 1))),
    PixelFormat.I422: _planar(1, 0),
    PixelFormat.I42A: _planar(1, 0),
    PixelFormat.I444: _planar(0, 0),
    PixelFormat.YUVA: _planar(0, 0),
    PixelFormat.YUY2: _packed_422(0, 1, 3),
    PixelFormat.YVYU: _packed_422(0, 3, 1),
    PixelFormat.UYVY: _packed_422(1, 0, 2),
    # As PSAYUV_Reverse of libobs reads it, from a BGRA texture: V, U, Y, A in memory.
    PixelFormat.AYUV: _packed(2, 1, 0, 4, rgb=False),
    PixelFormat.Y800: Components((Component(0),)),
    PixelFormat.RGBA: _packed(0, 1, 2, 4, rgb=True),
    PixelFormat.BGRA: _packed(2, 1, 0, 4, rgb=True),
    PixelFormat.BGRX: _packed(2, 1, 0, 4, rgb=True),
    PixelFormat.BGR3: _packed(2, 1, 0, 3, rgb=True),
}


def reduce_to(component: Component, rect: Rect, frame: FrameView, pixels: ByteArray) -> ByteArray:
    """Pixels (h, w[, n]) of ``rect`` (storage order) averaged to the samples of :meth:`Component.inside`."""
    if component.x_shift == 0 and component.y_shift == 0:
        return pixels
    inside = component.inside(rect, frame)
    left, top = (inside.x0 << component.x_shift) - rect.x0, (inside.y0 << component.y_shift) - rect.y0
    width, height = inside.width << component.x_shift, inside.height << component.y_shift
    part = pixels[top : top + height, left : left + width]
    if part.shape[0] < height or part.shape[1] < width:
        # The last column or row of an odd frame: its sample covers one pixel.
        part = np.asarray(
            cv2.copyMakeBorder(
                part, 0, height - part.shape[0], 0, width - part.shape[1], cv2.BORDER_REPLICATE
            ),
            np.uint8,
        )
    # Both give the mean; OpenCV is quick at areas only where both directions shrink.
    method = cv2.INTER_AREA if component.y_shift else cv2.INTER_LINEAR
    reduced = cv2.resize(part, (inside.width, inside.height), interpolation=method)
    return np.asarray(reduced, np.uint8)


_STRIP_ROWS = 64
"""Rows that are blended in one go: what is in between stays in the processor's cache."""


def blend_over(
    below: ByteArray, above: ByteArray, mask: ByteArray, out: ByteArray | None = None
) -> ByteArray:
    """``below + (above - below) * mask / 255`` rounded, for 2-D samples or (h, w, 3) with a 2-D mask.

    Exact where the mask is 0 or 255. ``out`` may be ``below``.
    """
    out = np.empty(below.shape, np.uint8) if out is None else out
    for top in range(0, len(mask), _STRIP_ROWS):
        strip = slice(top, top + _STRIP_ROWS)
        _blend_strip(below[strip], above[strip], mask[strip], out[strip])
    return out


def _blend_strip(below: ByteArray, above: ByteArray, mask: ByteArray, out: ByteArray) -> None:
    weight = mask.astype(np.int16)
    if below.ndim == 3:
        weight = np.asarray(cv2.merge([weight] * below.shape[2]), np.int16)
    change = np.subtract(above, below, dtype=np.int16)
    moved = np.asarray(cv2.multiply(change, weight, scale=1 / 255), np.int16)
    # Modulo 256 the sum is right for a negative change too, and stays in 8 bits.
    np.add(below, moved.astype(np.uint8), out=out)
