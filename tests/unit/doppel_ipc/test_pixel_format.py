"""Frame layouts: sizes, rounding of odd frames, and what is refused."""

from __future__ import annotations

import pytest
from doppel_ipc.errors import FormatError
from doppel_ipc.pixel_format import PLANE_ALIGNMENT, UNSUPPORTED_NAMES, FrameLayout, PixelFormat
from hypothesis import given
from hypothesis import strategies as st

# Bytes of a 640x480 frame without padding, from the formats' definitions (fourcc.org, libobs video-frame.c).
BYTES_640x480 = {
    PixelFormat.I420: 640 * 480 * 3 // 2,
    PixelFormat.NV12: 640 * 480 * 3 // 2,
    PixelFormat.YVYU: 640 * 480 * 2,
    PixelFormat.YUY2: 640 * 480 * 2,
    PixelFormat.UYVY: 640 * 480 * 2,
    PixelFormat.RGBA: 640 * 480 * 4,
    PixelFormat.BGRA: 640 * 480 * 4,
    PixelFormat.BGRX: 640 * 480 * 4,
    PixelFormat.Y800: 640 * 480,
    PixelFormat.I444: 640 * 480 * 3,
    PixelFormat.BGR3: 640 * 480 * 3,
    PixelFormat.I422: 640 * 480 * 2,
    PixelFormat.I40A: 640 * 480 * 5 // 2,
    PixelFormat.I42A: 640 * 480 * 3,
    PixelFormat.YUVA: 640 * 480 * 4,
    PixelFormat.AYUV: 640 * 480 * 4,
}


def test_the_table_above_names_every_format() -> None:
    assert set(BYTES_640x480) == set(PixelFormat)


@pytest.mark.parametrize("fmt", PixelFormat)
def test_a_frame_has_the_bytes_of_its_format(fmt: PixelFormat) -> None:
    layout = FrameLayout.of(fmt, 640, 480)
    assert (
        sum(line * rows for line, rows in zip(layout.linesize, layout.rows, strict=True))
        == BYTES_640x480[fmt]
    )


def test_odd_frames_round_their_chroma_up() -> None:
    layout = FrameLayout.of(PixelFormat.I420, 5, 3)
    assert layout.rows == (3, 2, 2)
    assert layout.row_bytes == (5, 3, 3)
    assert FrameLayout.of(PixelFormat.NV12, 5, 3).row_bytes == (5, 6)
    assert FrameLayout.of(PixelFormat.YUY2, 5, 3).row_bytes == (12,)


@given(st.sampled_from(PixelFormat), st.integers(1, 300), st.integers(1, 300), st.integers(0, 70))
def test_planes_lie_one_after_another_aligned_and_inside(
    fmt: PixelFormat, width: int, height: int, padding: int
) -> None:
    tight = FrameLayout.of(fmt, width, height)
    layout = FrameLayout.of(fmt, width, height, tuple(line + padding for line in tight.row_bytes))
    end = 0
    for offset, line, rows, need in zip(
        layout.offset, layout.linesize, layout.rows, layout.row_bytes, strict=True
    ):
        assert offset % PLANE_ALIGNMENT == 0
        assert 0 <= offset - end < PLANE_ALIGNMENT
        assert line == need + padding
        end = offset + line * rows
    assert 0 <= layout.size - end < PLANE_ALIGNMENT


@pytest.mark.parametrize(("number", "name"), list(UNSUPPORTED_NAMES.items()))
def test_a_deep_format_is_refused_by_its_name(number: int, name: str) -> None:
    with pytest.raises(FormatError, match=f"{name} is not supported; choose an 8-bit one"):
        FrameLayout.of(number, 640, 480)


@pytest.mark.parametrize(("width", "height"), [(0, 1), (1, 0), (-1, 1), (16385, 1), (1, 16385)])
def test_a_size_out_of_range_is_refused(width: int, height: int) -> None:
    with pytest.raises(FormatError, match="out of range"):
        FrameLayout.of(PixelFormat.I420, width, height)


@pytest.mark.parametrize("linesize", [(639, 320, 320), (640, 320), (640, 320, 320, 0), (1 << 30, 320, 320)])
def test_line_sizes_that_do_not_fit_are_refused(linesize: tuple[int, ...]) -> None:
    with pytest.raises(FormatError, match="line sizes"):
        FrameLayout.of(PixelFormat.I420, 640, 480, linesize)


def test_a_number_that_is_no_format_is_refused() -> None:
    with pytest.raises(FormatError, match="number 99"):
        FrameLayout.of(99, 640, 480)
