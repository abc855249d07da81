"""Pixel formats of OBS's asynchronous frames and the geometry of one frame in memory.

The numbers are libobs's ``enum video_format`` (media-io/video-io.h, OBS 28 to 32). A frame is up to
:data:`MAX_PLANES` planes; a plane is ``rows`` lines of ``linesize`` bytes of which the first
``row_bytes`` carry samples. Chroma planes of odd frames are rounded up.
"""

from __future__ import annotations

import dataclasses
import enum

from doppel_ipc.errors import FormatError

MAX_PLANES = 4
PLANE_ALIGNMENT = 64
"""Alignment in bytes of each plane's offset inside a slot."""
MAX_WIDTH = 16384
MAX_HEIGHT = 16384


class PixelFormat(enum.IntEnum):
    """libobs's ``enum video_format``, the 8-bit formats that Doppel edits in place."""

    I420 = 1
    NV12 = 2
    YVYU = 3
    YUY2 = 4
    UYVY = 5
    RGBA = 6
    BGRA = 7
    BGRX = 8
    Y800 = 9
    I444 = 10
    BGR3 = 11
    I422 = 12
    I40A = 13
    I42A = 14
    YUVA = 15
    AYUV = 16

    @property
    def planes(self) -> tuple[PlaneSpec, ...]:
        """The format's planes, in libobs's order."""
        return _PLANES[self]

    @property
    def is_yuv(self) -> bool:
        """True where the samples are luma and chroma and ``color_matrix`` applies."""
        return self not in (PixelFormat.RGBA, PixelFormat.BGRA, PixelFormat.BGRX, PixelFormat.BGR3)


UNSUPPORTED_NAMES: dict[int, str] = {
    17: "I010",
    18: "P010",
    19: "I210",
    20: "I412",
    21: "YA2L",
    22: "P216",
    23: "P416",
    24: "V210",
    25: "R10L",
}
"""Formats of OBS that Doppel covers instead of swapping (more than 8 bits a sample)."""


@dataclasses.dataclass(frozen=True)
class PlaneSpec:
    """One plane: ``1 << x_shift`` by ``1 << y_shift`` pixels share a group of ``bytes`` bytes."""

    bytes: int
    x_shift: int = 0
    y_shift: int = 0


_FULL = PlaneSpec(1)
_YUV_PACKED = (PlaneSpec(4, x_shift=1),)
_RGB_PACKED = (PlaneSpec(4),)
_PLANES: dict[PixelFormat, tuple[PlaneSpec, ...]] = {
    PixelFormat.I420: (_FULL, PlaneSpec(1, 1, 1), PlaneSpec(1, 1, 1)),
    PixelFormat.NV12: (_FULL, PlaneSpec(2, 1, 1)),
    PixelFormat.YVYU: _YUV_PACKED,
    PixelFormat.YUY2: _YUV_PACKED,
    PixelFormat.UYVY: _YUV_PACKED,
    PixelFormat.RGBA: _RGB_PACKED,
    PixelFormat.BGRA: _RGB_PACKED,
    PixelFormat.BGRX: _RGB_PACKED,
    PixelFormat.Y800: (_FULL,),
    PixelFormat.I444: (_FULL, _FULL, _FULL),
    PixelFormat.BGR3: (PlaneSpec(3),),
    PixelFormat.I422: (_FULL, PlaneSpec(1, 1), PlaneSpec(1, 1)),
    PixelFormat.I40A: (_FULL, PlaneSpec(1, 1, 1), PlaneSpec(1, 1, 1), _FULL),
    PixelFormat.I42A: (_FULL, PlaneSpec(1, 1), PlaneSpec(1, 1), _FULL),
    PixelFormat.YUVA: (_FULL, _FULL, _FULL, _FULL),
    PixelFormat.AYUV: _RGB_PACKED,
}


@dataclasses.dataclass(frozen=True)
class FrameLayout:
    """Where the planes of one frame lie inside a slot. Offsets and sizes are bytes."""

    pixel_format: PixelFormat
    width: int
    height: int
    linesize: tuple[int, ...]
    offset: tuple[int, ...]
    rows: tuple[int, ...]
    row_bytes: tuple[int, ...]
    size: int
    """Bytes of one frame, a multiple of :data:`PLANE_ALIGNMENT`."""

    @classmethod
    def of(cls, pixel_format: int, width: int, height: int, linesize: tuple[int, ...] = ()) -> FrameLayout:
        """The layout of a frame whose planes have these line sizes (default: no padding).

        Raises:
            FormatError: a format that Doppel does not edit, or a geometry out of range.
        """
        try:
            fmt = PixelFormat(pixel_format)
        except ValueError:
            name = UNSUPPORTED_NAMES.get(pixel_format, f"number {pixel_format}")
            raise FormatError(
                f"pixel format {name} is not supported; choose an 8-bit one, e.g. NV12"
            ) from None
        if not (1 <= width <= MAX_WIDTH and 1 <= height <= MAX_HEIGHT):
            raise FormatError(f"frame of {width}x{height} pixels is out of range")
        rows = tuple(_round_up_shift(height, plane.y_shift) for plane in fmt.planes)
        row_bytes = tuple(_round_up_shift(width, plane.x_shift) * plane.bytes for plane in fmt.planes)
        lines = linesize or row_bytes
        if len(lines) != len(fmt.planes) or any(have < need for have, need in zip(lines, row_bytes)):
            raise FormatError(f"line sizes {lines} do not fit {fmt.name} of width {width} (need {row_bytes})")
        if any(line > 16 * MAX_WIDTH for line in lines):
            raise FormatError(f"line sizes {lines} are out of range")
        offset, end = [], 0
        for line, count in zip(lines, rows):
            offset.append(end)
            end = _align(end + line * count)
        return cls(fmt, width, height, tuple(lines), tuple(offset), rows, row_bytes, end)


def _round_up_shift(value: int, shift: int) -> int:
    return (value + (1 << shift) - 1) >> shift


def _align(value: int) -> int:
    return (value + PLANE_ALIGNMENT - 1) // PLANE_ALIGNMENT * PLANE_ALIGNMENT
