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
from tests.support.portrait import astronaut

ALL_FORMATS = list(PixelFormat)
compositor = CpuCompositor()


@st.composite
def frames(draw: st.DrawFn) -> FrameView:
    return reference.make_frame(
        draw(st.sampled_from(ALL_FORMATS)),
        draw(st.integers(1, 41)),
        draw(st.integers(1, 31)),
        seed=draw(st.integers(0, 2**16)),
        padding=draw(st.sampled_from([0, 1, 3, 16])),
        flip=draw(st.booleans()),
        color=reference.COLORS[draw(st.sampled_from(sorted(reference.COLORS)))],
    )


@st.composite
def frames_with_rect(draw: st.DrawFn) -> tuple[FrameView, Rect]:
    frame = draw(frames())
    x0, y0 = draw(st.integers(0, frame.width - 1)), draw(st.integers(0, frame.height - 1))
    x1, y1 = draw(st.integers(x0 + 1, frame.width)), draw(st.integers(y0 + 1, frame.height))
    return frame, Rect(x0, y0, x1, y1)


def noise(rect: Rect, seed: int, channels: int = 0) -> np.ndarray:
    shape = (rect.height, rect.width, channels) if channels else (rect.height, rect.width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def planes_of(frame: FrameView) -> list[bytes]:
    return [plane.tobytes() for plane in frame.planes]


def smooth_frame(pixel_format: PixelFormat, width: int, height: int, *, flip: bool = False) -> FrameView:
    """A frame that shows slow waves of colour, in range."""
    frame = reference.make_frame(pixel_format, width, height, flip=flip)
    x, y = np.meshgrid(np.arange(width) / width, np.arange(height) / height)
    waves = [np.sin(3 * x + 2 * y), np.cos(4 * y - x), np.sin(2 * x * y + 1)]
    picture = np.stack([127 + 80 * wave for wave in waves], axis=2)
    whole = Rect(0, 0, width, height)
    return reference.paste(frame, whole, picture, np.full((height, width), 255.0))


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
    rgb, mask = noise(rect, seed, 3), noise(rect, seed + 1)
    mask[noise(rect, seed + 2) < 100] = 0
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
    compositor.paste(frame, rect, noise(rect, 3, 3), mask)
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
    compositor.paste(frame, rect, noise(rect, seed, 3), nothing)
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


@pytest.mark.parametrize("scale", [2.3, 0.9, 0.55, 0.3, 0.12])
@pytest.mark.parametrize("pixel_format", ALL_FORMATS, ids=lambda f: f.name)
def test_sample_shows_what_the_matrix_says(pixel_format: PixelFormat, scale: float) -> None:
    for flip in (False, True):
        frame = smooth_frame(pixel_format, 401, 301, flip=flip)
        angle = np.deg2rad(17)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        # The crop's middle looks at (150, 110); its corners may look past the frame.
        matrix = np.concatenate([turn, (np.array([15.5, 11.5]) - turn @ (150, 110))[:, None]], axis=1)
        exact = reference.sample(reference.decode(frame), matrix, (32, 24))
        crop = compositor.sample(frame, matrix.astype(np.float32), (32, 24))
        assert crop.shape == (24, 32, 3)
        # Past the edges the outermost *averaged* pixels go on, so the comparison stays a little inside.
        inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
        x, y = np.meshgrid(np.arange(32), np.arange(24))
        at = inverse[:2] @ np.stack([x, y, np.ones_like(x)]).reshape(3, -1)
        margin = 2 / scale if scale < 0.5 else -np.inf
        inside = ((at > margin) & (at < np.array([[400], [300]]) - margin)).all(axis=0).reshape(24, 32)
        assert inside.sum() > 50
        assert np.abs(crop - exact)[inside].max() <= 5
        assert np.abs(crop - exact)[inside].mean() <= 1


@given(frames(), st.floats(-3, 3), st.floats(-0.5, 7), st.floats(-200, 200), st.floats(-200, 200))
@settings(max_examples=100, deadline=None)
def test_sample_of_one_colour_is_that_colour_by_any_matrix(
    frame: FrameView, turn: float, zoom: float, x: float, y: float
) -> None:
    for letter in reference.letters(frame.layout.pixel_format):
        reference.set_grid(frame, letter, np.full_like(reference.grid(frame, letter), 100 + ord(letter)))
    scale = 2.0**-zoom
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0]])
    matrix[:, 2] = x, y
    crop = compositor.sample(frame, matrix.astype(np.float32), (17, 9))
    assert crop.shape == (9, 17, 3)
    assert np.abs(crop - reference.decode(frame)[0, 0]).max() <= 2


@pytest.mark.parametrize("pixel_format", ALL_FORMATS, ids=lambda f: f.name)
def test_large_reductions_do_not_alias(pixel_format: PixelFormat) -> None:
    frame = reference.make_frame(pixel_format, 256, 256)
    checker = np.indices((256, 256)).sum(axis=0) % 2 * 255.0
    picture = np.repeat(checker[..., None], 3, axis=2)
    frame = reference.paste(frame, Rect(0, 0, 256, 256), picture, np.full((256, 256), 255.0))
    quarter = np.array([[0.25, 0, 0.1], [0, 0.25, 0.2]], np.float32)
    crop = compositor.sample(frame, quarter, (60, 60))
    assert np.ptp(crop[2:-2, 2:-2].astype(int)) <= 8
    assert abs(float(crop.mean()) - 127.5) < 4


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("pixel_format", ALL_FORMATS, ids=lambda f: f.name)
def test_thumbnail_shows_the_whole_frame(pixel_format: PixelFormat, flip: bool) -> None:
    frame = smooth_frame(pixel_format, 641, 481, flip=flip)
    exact = cv2.resize(reference.decode(frame), (64, 48), interpolation=cv2.INTER_AREA)
    assert np.abs(compositor.thumbnail(frame, (64, 48)) - exact).max() <= 4


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


@pytest.mark.parametrize("matrix", [np.zeros((2, 3)), np.full((2, 3), np.nan)])
def test_a_crop_by_a_singular_matrix_is_refused(matrix: np.ndarray) -> None:
    frame = reference.make_frame(PixelFormat.NV12, 64, 48)
    with pytest.raises(FrameError, match="no crop"):
        compositor.sample(frame, matrix.astype(np.float32), (8, 8))


@given(frames_with_rect(), st.integers(0, 2**16))
@settings(max_examples=60, deadline=None)
def test_a_stamp_is_what_would_be_pasted_the_first_time_and_later(
    case: tuple[FrameView, Rect], seed: int
) -> None:
    frame, rect = case
    rgb, mask = noise(rect, seed, 3), noise(rect, seed + 1)
    mask[noise(rect, seed + 2) < 100] = 0
    stamping = CpuCompositor()
    for _ in range(3):
        pasted = reference.copy_frame(frame)
        compositor.paste(pasted, rect, rgb, mask)
        stamping.stamp(frame, rect, rgb, mask)
        for one, other in zip(frame.planes, pasted.planes, strict=True):
            assert np.abs(one.astype(int) - other).max() <= 1


def test_another_picture_or_another_kind_of_frame_gets_its_own_stamp() -> None:
    stamping, rect = CpuCompositor(), Rect(4, 4, 20, 12)
    opaque = np.full((8, 16), 255, np.uint8)
    for number in range(12):
        # A new array may lie where a forgotten one was.
        rgb = np.full((8, 16, 3), 20 * number, np.uint8)
        for pixel_format in (PixelFormat.I420, PixelFormat.BGRA):
            for color in ("709 limited", "601 full"):
                frame = reference.make_frame(pixel_format, 32, 24, color=reference.COLORS[color])
                stamping.stamp(frame, rect, rgb, opaque)
                # Away from the edge, where chroma is read between that of the picture and the frame's.
                inner = stamping.read(frame, Rect(8, 6, 16, 10)).astype(int)
                assert np.abs(inner - 20 * number).max() <= 2


def test_a_stamp_that_does_not_fit_is_refused() -> None:
    frame = reference.make_frame(PixelFormat.I420, 32, 24)
    with pytest.raises(FrameError, match="does not fit"):
        compositor.stamp(frame, Rect(0, 0, 8, 8), np.zeros((8, 9, 3), np.uint8), np.zeros((8, 8), np.uint8))
    with pytest.raises(FrameError, match="not inside"):
        compositor.stamp(
            frame, Rect(0, 0, 80, 8), np.zeros((8, 80, 3), np.uint8), np.zeros((8, 80), np.uint8)
        )
