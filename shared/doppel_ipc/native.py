"""The native library by ctypes: loading, the ring's structures, the functions that the worker calls.

The structures mirror ``native/ring.h``; a test compares every size and offset with the C compiler's. The
gate's part of the same library is in :mod:`doppel_ipc.gate_abi`.

The library is loaded by :class:`ctypes.CDLL`, which releases the GIL around every call, and it is never
unloaded: libobs may keep pointers into it until the process ends.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any, Optional, Sequence, Tuple

from doppel_ipc.errors import FormatError, NativeError, SegmentError
from doppel_ipc.pixel_format import MAX_PLANES, FrameLayout

ABI = 5
"""DOPPEL_ABI: grows with any change of ring.h or gate.h."""
SEGMENT_MAGIC = 0x4C505044
SEGMENT_VERSION = 3
HEADER_BYTES = 4096
SLOT_HEADER_BYTES = 256
SLOT0_OFFSET = 512
MIN_SLOTS = 4
MAX_SLOTS = 12

FREE, FILLED, BUSY, DONE = range(4)
"""A slot's state words, enum doppel_slot_state."""

NEXT_TIMEOUT = -1
NEXT_CLOSED = -2

_OPEN_REASONS = {
    -1: "it is no Doppel segment (wrong magic number)",
    -2: "it is of another version of Doppel",
    -3: "its header contradicts its size",
}


class Geometry(ctypes.Structure):
    """``struct doppel_geometry``."""

    _fields_ = [
        ("pixel_format", ctypes.c_uint32),
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("plane_count", ctypes.c_uint32),
        ("linesize", ctypes.c_uint32 * MAX_PLANES),
        ("rows", ctypes.c_uint32 * MAX_PLANES),
        ("offset", ctypes.c_uint64 * MAX_PLANES),
        ("frame_bytes", ctypes.c_uint64),
    ]

    @classmethod
    def of(cls, layout: FrameLayout) -> Geometry:
        """The C form of a layout."""
        geometry = cls(int(layout.pixel_format), layout.width, layout.height, len(layout.linesize))
        geometry.frame_bytes = layout.size
        for i, (line, rows, offset) in enumerate(zip(layout.linesize, layout.rows, layout.offset)):
            geometry.linesize[i], geometry.rows[i], geometry.offset[i] = line, rows, offset
        return geometry

    def layout(self) -> FrameLayout:
        """The layout that pixel format, size and line sizes give; the other words must agree with it.

        Raises:
            FormatError: a format that Doppel does not edit, a geometry out of range, or words that disagree.
        """
        count = self.plane_count
        if not 1 <= count <= MAX_PLANES:
            raise FormatError(f"geometry has {count} planes, expected 1..{MAX_PLANES}")
        layout = FrameLayout.of(self.pixel_format, self.width, self.height, tuple(self.linesize[:count]))
        for name in ("rows", "offset"):
            have, want = tuple(getattr(self, name)[:count]), getattr(layout, name)
            if have != want:
                raise FormatError(f"geometry's {name} {have} != {want}")
        if self.frame_bytes != layout.size:
            raise FormatError(f"geometry's frame_bytes {self.frame_bytes} != {layout.size}")
        return layout


class SegmentHeader(ctypes.Structure):
    """``struct doppel_segment_header``, at offset 0 of a segment."""

    _fields_ = [
        ("magic", ctypes.c_uint32),
        ("version", ctypes.c_uint32),
        ("slot_count", ctypes.c_uint32),
        ("reserved0", ctypes.c_uint32),
        ("segment_bytes", ctypes.c_uint64),
        ("slot_stride", ctypes.c_uint64),
        ("pixels_offset", ctypes.c_uint64),
        ("slate_offset", ctypes.c_uint64),
        ("geometry", Geometry),
        ("rgb_offset", ctypes.c_uint64),
        ("rgb_stride", ctypes.c_uint64),
        ("reserved1", ctypes.c_uint8 * (256 - 48 - 88 - 16)),
        ("doorbell", ctypes.c_uint32),
        ("waiting", ctypes.c_uint32),
        ("closed", ctypes.c_uint32),
        ("slate", ctypes.c_uint32),
        ("again", ctypes.c_uint32),
        ("reserved2", ctypes.c_uint32),
        ("kept_id", ctypes.c_uint64),
        ("reserved3", ctypes.c_uint8 * 32),
    ]


class SlotHeader(ctypes.Structure):
    """``struct doppel_slot_header``, at ``SLOT0_OFFSET + i * SLOT_HEADER_BYTES``."""

    _fields_ = [
        ("state", ctypes.c_uint32),
        ("verdict", ctypes.c_uint32),
        ("faces", ctypes.c_uint32),
        ("flip", ctypes.c_uint32),
        ("frame_id", ctypes.c_uint64),
        ("timestamp_ns", ctypes.c_uint64),
        ("capture_ns", ctypes.c_uint64),
        ("submit_ns", ctypes.c_uint64),
        ("start_ns", ctypes.c_uint64),
        ("done_ns", ctypes.c_uint64),
        ("shown_ns", ctypes.c_uint64),
        ("full_range", ctypes.c_uint32),
        ("color_matrix", ctypes.c_float * 16),
        ("color_range_min", ctypes.c_float * 3),
        ("color_range_max", ctypes.c_float * 3),
        ("reserved0", ctypes.c_uint32),
        ("rgb_id", ctypes.c_uint64),
        ("reserved", ctypes.c_uint8 * (256 - 72 - 4 - 64 - 24 - 4 - 8)),
    ]


def _check_open(result: int, _function: Any, _arguments: tuple[Any, ...]) -> int:
    if result < 0:
        reason = _OPEN_REASONS.get(result, f"error {result}")
        raise SegmentError(f"the segment cannot be used: {reason}")
    return result


def _check_geometry(result: int, _function: Any, arguments: tuple[Any, ...]) -> int:
    if result < 0:
        geometry = ctypes.cast(arguments[0], ctypes.POINTER(Geometry)).contents
        size = f"{geometry.width}x{geometry.height}"
        raise FormatError(f"pixel format {geometry.pixel_format} of {size} pixels cannot be carried")
    return result


def _check_done(result: int, _function: Any, arguments: tuple[Any, ...]) -> int:
    if result < 0:
        raise SegmentError(f"slot {arguments[2]} is not the worker's")
    return result


Entry = Tuple[Sequence[Any], Any, Optional[Any]]
"""argtypes, restype, errcheck (None: every value is an answer)."""

_U32, _U64, _I32, _PTR = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int32, ctypes.c_void_p

RING_FUNCTIONS: dict[str, Entry] = {
    "doppel_abi": ((), _U32, None),
    "doppel_geometry_complete": ((ctypes.POINTER(Geometry),), _I32, _check_geometry),
    "doppel_now_ns": ((), _U64, None),
    "doppel_segment_bytes": ((ctypes.POINTER(Geometry), _U32), _U64, None),
    "doppel_segment_bytes_with_rgb": ((ctypes.POINTER(Geometry), _U32), _U64, None),
    "doppel_worker_ask_again": ((_PTR, _U64), None, None),
    "doppel_worker_done": ((_PTR, _U64, _U32, _U32, _U32), _I32, _check_done),
    "doppel_worker_keep": ((_PTR, _U64, _U32), _I32, _check_done),
    "doppel_worker_make_rgb": ((_PTR, _U64, _U32), _I32, _check_done),
    "doppel_worker_next": ((_PTR, _U64, _U64, ctypes.POINTER(_U32)), _I32, None),
    "doppel_worker_open": ((_PTR, _U64), _I32, _check_open),
    "doppel_worker_set_slate": ((_PTR, _U64, _U32), None, None),
}


def load(path: str | os.PathLike[str], *more: dict[str, Entry]) -> ctypes.CDLL:
    """Loads the library, checks its version and declares its functions.

    Args:
        path: the library's file; never searched for elsewhere.
        more: further tables of functions, such as ``gate_abi.GATE_FUNCTIONS``.

    Raises:
        NativeError: no such file, built for another machine, of another ABI, or a function is missing.
    """
    file = os.fspath(path)
    repair = "run `python3 -m installer install` again"
    if not os.path.isfile(file):  # noqa: PTH113 - the loader takes the same string
        raise NativeError(f"the native library {file} does not exist; {repair}")
    try:
        library = ctypes.CDLL(file)
    except OSError as error:
        raise NativeError(f"the native library {file} cannot be loaded ({error}); {repair}") from error
    declare(library, {"doppel_abi": RING_FUNCTIONS["doppel_abi"]}, file)
    abi = library.doppel_abi()
    if abi != ABI:
        raise NativeError(f"the native library {file} has version {abi} != {ABI}; {repair}")
    for table in (RING_FUNCTIONS, *more):
        declare(library, table, file)
    return library


def declare(library: ctypes.CDLL, table: dict[str, Entry], origin: str) -> None:
    """Gives each function of the table its types.

    Raises:
        NativeError: the library lacks one; all missing names are listed.
    """
    missing: list[str] = []
    for name, (argtypes, restype, errcheck) in sorted(table.items()):
        try:
            function = getattr(library, name)
        except AttributeError:
            missing.append(name)
            continue
        function.argtypes = list(argtypes)
        function.restype = restype
        if errcheck is not None:
            function.errcheck = errcheck
    if missing:
        raise NativeError(f"{origin} lacks {', '.join(missing)}; run `python3 -m installer install` again")


def segment_bytes(library: ctypes.CDLL, layout: FrameLayout, slot_count: int, *, rgb: bool = False) -> int:
    """Bytes of a segment for that layout, a whole number of pages.

    Args:
        library: see :func:`load`.
        layout: of the frames.
        slot_count: number of slots, 4..12.
        rgb: with room for each picture as RGB, where frames of that layout can be turned into it.

    Raises:
        FormatError: the layout or the slot count is out of range.
    """
    geometry = ctypes.byref(Geometry.of(layout))
    size = int(library.doppel_segment_bytes_with_rgb(geometry, slot_count)) if rgb else 0
    size = size or int(library.doppel_segment_bytes(geometry, slot_count))
    if size == 0:
        raise FormatError(f"no segment holds {slot_count} slots of {layout.width}x{layout.height} pixels")
    return size
