"""Crops pasted where they were taken, by both compositors."""

from __future__ import annotations

import numpy as np
import pytest
from doppel_ipc.pixel_format import PixelFormat
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.errors import FrameError
from doppel_worker.frame import FrameView
from doppel_worker.gpu.compositor_cuda import CudaCompositor
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import reference_compositor as reference
from tests.support.kernel_device import KernelDevice

ALL_FORMATS = list(PixelFormat)
SIDE = 32
compositor = CpuCompositor()


def matrix_of(scale: float, degrees: float, center: tuple[float, float], side: int = SIDE) -> np.ndarray:
    """Frame pixels -> crop pixels: ``center`` of the frame comes to the crop's middle."""
    turn = np.deg2rad(degrees)
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    offset = (side - 1) / 2 - linear @ np.array(center)
    return np.column_stack([linear, offset]).astype(np.float32)


def smooth_crop() -> tuple[np.ndarray, np.ndarray]:
    """A picture of slow waves and a round mask that falls to 0 before the crop's edge."""
    x, y = np.meshgrid(np.arange(SIDE) / SIDE, np.arange(SIDE) / SIDE)
    rgb = np.stack([127 + 90 * np.sin(3 * x + y), 127 + 90 * np.cos(2 * y), 127 + 90 * np.sin(2 * x * y)], 2)
    mask = 255 * np.clip(1.6 - 3.6 * np.hypot(x - 0.5, y - 0.5), 0, 1)
    return np.rint(rgb).astype(np.uint8), np.rint(mask).astype(np.uint8)


def exact_paste(frame: FrameView, matrix: np.ndarray, rgb: np.ndarray, mask: np.ndarray) -> FrameView:
    """In float64, by one bilinear warp."""
    to_crop = np.vstack([matrix.astype(np.float64), [0, 0, 1]])
    back, size = np.linalg.inv(to_crop)[:2], (frame.width, frame.height)
    dark = np.pad(mask.astype(np.float64), 1)
    shifted = back.copy()
    shifted[:, 2] -= back[:, :2] @ (1, 1)
    share = reference.sample(dark[..., None], shifted, size)[..., 0]
    picture = reference.sample(rgb.astype(np.float64), back, size)
    return reference.paste(frame, Rect(0, 0, *size), picture, share)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(("scale", "degrees"), [(0.21, 0.0), (0.3, 17.0), (0.7, -40.0), (1.6, 100.0)])
@pytest.mark.parametrize("pixel_format", ALL_FORMATS, ids=lambda f: f.name)
def test_a_pasted_crop_comes_near_the_exact_one(
    pixel_format: PixelFormat, scale: float, degrees: float, flip: bool
) -> None:
    # Odd sizes, and the crop's lower right corner outside.
    frame = reference.make_frame(pixel_format, 161, 121, flip=flip)
    rgb, mask = smooth_crop()
    matrix = matrix_of(scale, degrees, (110.3, 80.6))
    exact = exact_paste(frame, matrix, rgb, mask)
    covered = compositor.paste_crop(frame, matrix, rgb, mask)
    assert min(covered.width, covered.height) > 10
    for after, want in zip(frame.planes, exact.planes, strict=True):
        apart = np.abs(after.astype(int) - want)
        assert apart.max() <= 6
        assert apart.sum() <= 1.5 * np.count_nonzero(apart)


@given(
    st.sampled_from(ALL_FORMATS),
    st.tuples(st.integers(1, 45), st.integers(1, 35), st.sampled_from([0, 1, 3])),
    st.booleans(),
    st.tuples(st.floats(0.05, 3), st.floats(-180, 180), st.floats(-20, 60), st.floats(-20, 60)),
    st.integers(0, 2**16),
)
@settings(max_examples=150, deadline=None)
def test_nothing_outside_the_covered_part_changes(
    pixel_format: PixelFormat,
    size: tuple[int, int, int],
    flip: bool,
    place: tuple[float, float, float, float],
    seed: int,
) -> None:
    width, height, padding = size
    frame = reference.make_frame(pixel_format, width, height, seed=seed, padding=padding, flip=flip)
    before = reference.copy_frame(frame)
    noise = np.random.default_rng(seed)
    rgb = noise.integers(0, 256, (7, 9, 3), dtype=np.uint8)
    mask = noise.integers(0, 256, (7, 9), dtype=np.uint8) * noise.integers(0, 2, (7, 9), dtype=np.uint8)
    scale, degrees, x, y = place
    covered = compositor.paste_crop(frame, matrix_of(scale, degrees, (x, y), 8), rgb, mask)
    inside = np.zeros((height, width), bool)
    inside[covered.y0 : covered.y1, covered.x0 : covered.x1] = True
    rows = inside[::-1] if flip else inside
    allowed = reference.copy_frame(frame)
    for plane in allowed.planes:
        plane[:] = 0
    _, across, down = reference.PATTERNS[pixel_format]
    for letter in reference.letters(pixel_format):
        factors = (across, down) if letter in "UV" else (1, 1)
        touched = reference.block_mean(rows.astype(float), *factors) > 0
        reference.set_grid(allowed, letter, 255.0 * touched)
    for after, was, may in zip(frame.planes, before.planes, allowed.planes, strict=True):
        assert (after[may == 0] == was[may == 0]).all()


@pytest.mark.parametrize("scale", [0.1, 0.3, 1.0])
def test_beyond_its_edges_a_crop_shows_nothing(scale: float) -> None:
    frame = reference.make_frame(PixelFormat.I420, 400, 400)
    before = reference.copy_frame(frame)
    matrix = matrix_of(scale, 0.0, (200.0, 200.0))
    compositor.paste_crop(
        frame, matrix, np.zeros((SIDE, SIDE, 3), np.uint8), np.full((SIDE, SIDE), 255, np.uint8)
    )
    x, y = np.meshgrid(np.arange(400), np.arange(400))
    u, v = (matrix[row, 0] * x + matrix[row, 1] * y + matrix[row, 2] for row in (0, 1))
    outside = (u < -1.5) | (v < -1.5) | (u > SIDE + 0.5) | (v > SIDE + 0.5)
    assert (frame.planes[0][outside] == before.planes[0][outside]).all()
    well_inside = (u > 0.5) & (v > 0.5) & (u < SIDE - 1.5) & (v < SIDE - 1.5)
    assert (frame.planes[0][well_inside] == 16).all()


@given(st.sampled_from(ALL_FORMATS), st.floats(0.05, 2), st.integers(0, 2**16))
@settings(max_examples=40, deadline=None)
def test_a_crop_with_an_empty_mask_changes_no_byte(
    pixel_format: PixelFormat, scale: float, seed: int
) -> None:
    frame = reference.make_frame(pixel_format, 37, 29, seed=seed)
    before = reference.copy_frame(frame)
    rgb, nothing = smooth_crop()[0], np.zeros((SIDE, SIDE), np.uint8)
    covered = compositor.paste_crop(frame, matrix_of(scale, 10.0, (18.0, 14.0)), rgb, nothing)
    assert covered.width == 0 or covered.height == 0
    assert all((a == b).all() for a, b in zip(frame.planes, before.planes, strict=True))


def test_what_does_not_fit_is_refused() -> None:
    frame = reference.make_frame(PixelFormat.I420, 64, 48)
    rgb, mask = smooth_crop()
    for other in (CpuCompositor(), CudaCompositor(KernelDevice())):
        with pytest.raises(FrameError, match="does not fit mask"):
            other.paste_crop(frame, matrix_of(1.0, 0.0, (9, 9)), rgb, mask[1:])
    with pytest.raises(FrameError, match="no crop can be taken"):
        compositor.paste_crop(frame, np.zeros((2, 3), np.float32), rgb, mask)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("pixel_format", [PixelFormat.NV12, PixelFormat.UYVY, PixelFormat.BGRA], ids=str)
def test_the_device_pastes_nearly_the_same(pixel_format: PixelFormat, flip: bool) -> None:
    here = reference.make_frame(pixel_format, 160, 120, flip=flip)
    there = reference.copy_frame(here)
    rgb, mask = smooth_crop()
    matrix = matrix_of(0.3, 17.0, (90.3, 60.6))
    device = CudaCompositor(KernelDevice())
    compositor.paste_crop(here, matrix, rgb, mask)
    device.paste_crop(there, matrix, rgb, mask)
    device.finish(there)
    for one, other in zip(here.planes, there.planes, strict=True):
        apart = np.abs(one.astype(int) - other)
        assert apart.max() <= 6
        assert apart.sum() <= 1.5 * np.count_nonzero(apart)
