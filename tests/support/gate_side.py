"""The gate's side of a lane for tests: a segment, the ring's gate functions (ring_gate.h), frames in, out.

It needs a build of the library that exports the ring's internal functions: the fixture ``ring_library``.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from doppel_ipc import native, segment
from doppel_ipc.pixel_format import FrameLayout

BT709_LIMITED = (
    (1.164384, 0.0, 1.792741, -0.972945),
    (1.164384, -0.213249, -0.532909, 0.301483),
    (1.164384, 2.112402, 0.0, -1.133402),
    (0.0, 0.0, 0.0, 1.0),
)
"""libobs's matrix of VIDEO_CS_709, partial range (media-io/video-matrices.c)."""


class Colour(ctypes.Structure):
    """``struct doppel_colour``."""

    _fields_ = [
        ("full_range", ctypes.c_uint32),
        ("flip", ctypes.c_uint32),
        ("matrix", ctypes.c_float * 16),
        ("range_min", ctypes.c_float * 3),
        ("range_max", ctypes.c_float * 3),
    ]

    @classmethod
    def bt709(cls, *, flip: bool = False) -> Colour:
        flat = [number for row in BT709_LIMITED for number in row]
        return cls(
            0,
            int(flip),
            (ctypes.c_float * 16)(*flat),
            (ctypes.c_float * 3)(*(16 / 255,) * 3),
            (ctypes.c_float * 3)(235 / 255, 240 / 255, 240 / 255),
        )


_P, _U32, _U64, _I32 = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int32
_FUNCTIONS: dict[str, native.Entry] = {
    "doppel_ring_acquire": ((_P,), _I32, None),
    "doppel_ring_close": ((_P,), None, None),
    "doppel_ring_create": ((_P, _U64, ctypes.POINTER(native.Geometry), _U32), _P, None),
    "doppel_ring_destroy": ((_P,), None, None),
    "doppel_ring_done_ns": ((_P, _U32), _U64, None),
    "doppel_ring_due": ((_P, _U32, _U64, _U64), _I32, None),
    "doppel_ring_flush": ((_P,), None, None),
    "doppel_ring_harvest": ((_P,), None, None),
    "doppel_ring_oldest_ns": ((_P,), _U64, None),
    "doppel_ring_pixels": ((_P, _U32), _P, None),
    "doppel_ring_release": ((_P, _U32), None, None),
    "doppel_ring_slate": ((_P,), _P, None),
    "doppel_ring_submit": ((_P, _U32, _U64, _U64, _U64, _U32, ctypes.POINTER(Colour)), None, None),
    "doppel_ring_verdict": ((_P, _U32), _U32, None),
}


def load(path: Path) -> ctypes.CDLL:
    """The library with the ring's gate functions declared too."""
    return native.load(path, _FUNCTIONS)


class GateSide:
    """One lane's gate half, driven by hand. Use as a context manager."""

    def __init__(
        self,
        library: ctypes.CDLL,
        layout: FrameLayout,
        slots: int = 6,
        kind: str | None = None,
        *,
        rgb: bool = False,
    ) -> None:
        self.library, self.layout = library, layout
        size = native.segment_bytes(library, layout, slots, rgb=rgb)
        self.segment = segment.create(size, kind)
        # As the gate does, a mapping of its own; Python's mapping keeps a duplicate of the descriptor.
        self.memory = mmap.mmap(self.segment.handle, size)
        self._anchor: ctypes.c_char | None = ctypes.c_char.from_buffer(self.memory)
        base = ctypes.addressof(self._anchor)
        self.ring = library.doppel_ring_create(base, size, ctypes.byref(native.Geometry.of(layout)), slots)
        assert self.ring, "the ring refuses the segment"
        self.slots = slots
        self.last_id = 0
        self.shown_id = 0

    def submit(self, frame: bytes, *, flip: bool = False, frame_id: int = 0) -> int:
        """Copies a frame in; returns its id, or 0 when no slot is free."""
        lib = self.library
        lib.doppel_ring_harvest(self.ring)
        slot = lib.doppel_ring_acquire(self.ring)
        if slot < 0:
            return 0
        assert len(frame) == self.layout.size
        now = lib.doppel_now_ns()
        ctypes.memmove(lib.doppel_ring_pixels(self.ring, slot), frame, len(frame))
        self.last_id = frame_id or self.last_id + 1
        colour = Colour.bt709(flip=flip)
        lib.doppel_ring_submit(self.ring, slot, self.last_id, now, now, 1, ctypes.byref(colour))
        return self.last_id

    def result(self, upto: int | None = None) -> tuple[int, bytes, int] | None:
        """The newest new result: verdict, pixels, nanoseconds when it was done."""
        lib = self.library
        lib.doppel_ring_harvest(self.ring)
        slot = lib.doppel_ring_due(self.ring, 1, self.shown_id, self.last_id if upto is None else upto)
        if slot < 0:
            return None
        header = native.SlotHeader.from_buffer_copy(self.memory, 512 + 256 * slot)
        self.shown_id = header.frame_id
        verdict = lib.doppel_ring_verdict(self.ring, slot)
        done_ns = lib.doppel_ring_done_ns(self.ring, slot)
        pixels = ctypes.string_at(lib.doppel_ring_pixels(self.ring, slot), self.layout.size)
        lib.doppel_ring_release(self.ring, slot)
        return verdict, pixels, done_ns

    def slate(self) -> bytes | None:
        """The slate's pixels, once the worker has drawn it."""
        address = self.library.doppel_ring_slate(self.ring)
        return ctypes.string_at(address, self.layout.size) if address else None

    def close(self) -> None:
        """Ends the lane and unmaps it."""
        self.library.doppel_ring_close(self.ring)
        self.library.doppel_ring_destroy(self.ring)
        self._anchor = None
        self.memory.close()
        self.segment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def plane_bytes(layout: FrameLayout, values: Sequence[int]) -> bytes:
    """A frame whose planes are filled with one value each."""
    frame = bytearray(layout.size)
    for offset, rows, line, value in zip(layout.offset, layout.rows, layout.linesize, values, strict=True):
        frame[offset : offset + rows * line] = bytes([value]) * (rows * line)
    return bytes(frame)
