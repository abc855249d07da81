"""CpuCompositor against a float64 reference, for every pixel format."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from doppel_ipc.pixel_format import PixelFormat
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.errors import FrameError
from doppel_worker.frame import ColorInfo, FrameView
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import reference_compositor as reference
from tests.support.compositor_frames import (
    ALL_FORMATS,
    frames_with_rect,
    noise,
    picture_and_mask,
    smooth_frame,
)
from tests.support.portrait import astronaut

compositor = CpuCompositor()


def planes_of(frame: FrameView) -> list[bytes]:
    return [plane.tobytes() for plane in frame.planes]


@given(frames_with_rect())
@settings(max_examples=150, deadline=None)
def test_read_comes_within_two_levels_of_the_exact_conversion(case: tuple[FrameView, Rect]) -> None:
    frame, rect = case
    exact = reference.decode(frame)[rect.y0 : rect.y1, rect.x0 : rect.x1]
    assert np.abs(compositor.read(frame, rect) - exact).max() <= 2


@given(frames_with_rect(), st.integers(0, 2**16))
@settings(max_examples=200, deadline=None)
def test_paste_comes_within_two_levels_of_the_exact_blend_and_changes_nothing_else(
    case: tuple[FrameView, Rect], seed: int
) -> None:
    frame, rect = case
    rgb, mask = picture_and_mask(rect, seed)
    exact = reference.paste(frame, rect, rgb.astype(np.float64), mask.astype(np.float64))
    may_change = samples_under(frame, rect, mask > 0)
    before = reference.copy_frame(frame)
    compositor.paste(frame, rect, rgb, mask)
    for after, want, was, mine in zip(
        frame.planes, exact.planes, before.planes, may_change.planes, strict=True
    ):
        assert np.abs(after.astype(int) - want).max() <= 2
        # The rest: outside, alpha, padding, chroma shared with the outside, pixels of mask 0.
        assert (after[mine == 0] == was[mine == 0]).all()


def samples_under(frame: FrameView, rect: Rect, mask: np.ndarray) -> FrameView:
    """A frame of 0 but for the samples that a mask (rect's size) reaches and that lie wholly in ``rect``."""
    marked = reference.copy_frame(frame)
    for plane in marked.planes:
        plane[:] = 0
    inside, reached = np.zeros((2, frame.height, frame.width))
    inside[rect.y0 : rect.y1, rect.x0 : rect.x1] = 1
    reached[rect.y0 : rect.y1, rect.x0 : rect.x1] = mask
    if frame.flip:
        inside, reached = inside[::-1], reached[::-1]
    _, across, down = reference.PATTERNS[frame.layout.pixel_format]
    for letter in reference.letters(frame.layout.pixel_format):
        factors = (across, down) if letter in "UV" else (1, 1)
        whole = reference.block_mean(inside, *factors) == 1
        reference.set_grid(marked, letter, 255 * (whole & (reference.block_mean(reached, *factors) > 0)))
    return marked


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("pixel_format", ALL_FORMATS, ids=lambda f: f.name)
def test_bytes_outside_the_rectangle_stay_identical(pixel_format: PixelFormat, flip: bool) -> None:
    """Odd frame, odd rectangle, padded rows: every byte that holds no sample of the rectangle alone."""
    frame = reference.make_frame(pixel_format, 101, 75, padding=5, flip=flip)
    rect = Rect(11, 7, 90, 64)
    own = samples_under(frame, rect, np.ones((rect.height, rect.width)))
    before = reference.copy_frame(frame)
    mask = np.full((rect.height, rect.width), 255, np.uint8)
    compositor.paste(frame, rect, noise(3, rect.height, rect.width, 3), mask)
    compositor.blur(frame, rect, mask)
    for after, was, mine in zip(frame.planes, before.planes, own.planes, strict=True):
        assert (after[mine == 0] == was[mine == 0]).all()
    assert planes_of(frame) != planes_of(before)


@given(frames_with_rect(), st.integers(0, 2**16))
@settings(max_examples=60, deadline=None)
def test_a_mask_of_zeros_changes_no_byte(case: tuple[FrameView, Rect], seed: int) -> None:
    frame, rect = case
    before = planes_of(frame)
    nothing = np.zeros((rect.height, rect.width), np.uint8)
    compositor.paste(frame, rect, noise(seed, rect.height, rect.width, 3), nothing)
    compositor.blur(frame, rect, nothing)
    assert planes_of(frame) == before


@pytest.mark.parametrize("pixel_format", ALL_FORMATS, ids=lambda f: f.name)
def test_what_was_pasted_is_read_back(pixel_format: PixelFormat) -> None:
    frame = smooth_frame(pixel_format, 64, 48)
    rect = Rect(10, 6, 50, 40)
    picture = compositor.read(smooth_frame(pixel_format, 64, 48, flip=True), rect)
    compositor.paste(frame, rect, picture, np.full((rect.height, rect.width), 255, np.uint8))
    inner = (slice(2, -2), slice(2, -2))
    difference = np.abs(compositor.read(frame, rect)[inner].astype(int) - picture[inner])
    assert difference.max() <= 4


@pytest.mark.parametrize(
    "pixel_format", [PixelFormat.I420, PixelFormat.YUY2, PixelFormat.BGRA], ids=lambda f: f.name
)
def test_a_blurred_face_keeps_no_detail(pixel_format: PixelFormat) -> None:
    portrait = astronaut().rgb
    frame = reference.make_frame(pixel_format, 512, 512)
    whole = Rect(0, 0, 512, 512)
    compositor.paste(frame, whole, portrait, np.full((512, 512), 255, np.uint8))
    face = Rect(150, 60, 300, 240)
    before = compositor.read(frame, face).astype(float)
    compositor.blur(frame, face, np.full((face.height, face.width), 255, np.uint8))
    after = compositor.read(frame, face).astype(float)

    def detail(picture: np.ndarray) -> float:
        """What is finer than a seventh of the face: eyes, nostrils, the mouth's shape."""
        return float(np.std(picture - cv2.GaussianBlur(picture, None, face.width / 14)))

    assert detail(after) < 0.28 * detail(before)
    # The overall colours stay: it is a blur, not a hole.
    assert np.abs(after.mean(axis=(0, 1)) - before.mean(axis=(0, 1))).max() < 6


@pytest.mark.parametrize("pixel_format", ALL_FORMATS, ids=lambda f: f.name)
def test_cover_leaves_blocks_of_one_colour_and_keeps_alpha(pixel_format: PixelFormat) -> None:
    frame = reference.make_frame(pixel_format, 320, 160, padding=7)
    before = reference.copy_frame(frame)
    compositor.cover(frame)
    for letter in reference.letters(pixel_format):
        samples = reference.grid(frame, letter)
        rows, columns = samples.shape[0] // 16, samples.shape[1] // 32
        blocks = samples.reshape(16, rows, 32, columns)
        assert np.ptp(blocks, axis=(1, 3)).max() == 0
    if "A" in "".join(reference.PATTERNS[pixel_format][0]):
        assert (reference.grid(frame, "A") == reference.grid(before, "A")).all()


@pytest.mark.parametrize("rect", [Rect(-1, 0, 5, 5), Rect(0, 0, 65, 5), Rect(3, 3, 3, 9), Rect(9, 0, 5, 5)])
def test_a_rectangle_outside_the_frame_is_refused(rect: Rect) -> None:
    frame = reference.make_frame(PixelFormat.I420, 64, 48)
    with pytest.raises(FrameError, match="not inside the frame"):
        compositor.read(frame, rect)
    with pytest.raises(FrameError, match="not inside the frame"):
        compositor.paste(frame, rect, np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8))


def test_arrays_that_do_not_fit_the_rectangle_are_refused() -> None:
    frame = reference.make_frame(PixelFormat.I420, 64, 48)
    rect = Rect(0, 0, 10, 10)
    with pytest.raises(FrameError, match="does not fit"):
        compositor.paste(frame, rect, np.zeros((10, 9, 3), np.uint8), np.zeros((10, 10), np.uint8))
    with pytest.raises(FrameError, match="does not fit"):
        compositor.blur(frame, rect, np.zeros((9, 10), np.uint8))


@pytest.mark.parametrize("bad", [0.0, np.nan])
def test_a_colour_matrix_without_inverse_is_refused_by_name(bad: float) -> None:
    color = dataclasses.replace(ColorInfo.bt709_limited(), matrix=np.full((3, 4), bad, np.float32))
    frame = reference.make_frame(PixelFormat.NV12, 64, 48, color=color)
    with pytest.raises(FrameError, match="colour matrix"):
        compositor.read(frame, Rect(0, 0, 10, 10))
