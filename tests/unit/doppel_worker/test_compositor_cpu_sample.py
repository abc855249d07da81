"""CpuCompositor's crops and thumbnails against a float64 reference, for every pixel format."""

from __future__ import annotations

import functools

import cv2
import numpy as np
import pytest
from doppel_ipc.pixel_format import PixelFormat
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.errors import FrameError
from doppel_worker.frame import FrameView
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import reference_compositor as reference
from tests.support.compositor_frames import ALL_FORMATS, frames, smooth_frame

compositor = CpuCompositor()


@functools.cache
def shown(pixel_format: PixelFormat, width: int, height: int, *, flip: bool) -> tuple[FrameView, np.ndarray]:
    """A frame for all tests, which only read it, and its exact pixels."""
    frame = smooth_frame(pixel_format, width, height, flip=flip)
    return frame, reference.decode(frame)


@pytest.mark.parametrize("scale", [2.3, 0.9, 0.55, 0.3, 0.12])
@pytest.mark.parametrize("pixel_format", ALL_FORMATS, ids=lambda f: f.name)
def test_sample_shows_what_the_matrix_says(pixel_format: PixelFormat, scale: float) -> None:
    for flip in (False, True):
        frame, pixels = shown(pixel_format, 401, 301, flip=flip)
        angle = np.deg2rad(17)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        # The crop's middle looks at (150, 110); its corners may look past the frame.
        matrix = np.concatenate([turn, (np.array([15.5, 11.5]) - turn @ (150, 110))[:, None]], axis=1)
        exact = reference.sample(pixels, matrix, (32, 24))
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
    frame, pixels = shown(pixel_format, 401, 301, flip=flip)
    exact = cv2.resize(pixels, (64, 48), interpolation=cv2.INTER_AREA)
    assert np.abs(compositor.thumbnail(frame, (64, 48)) - exact).max() <= 4


@pytest.mark.parametrize("matrix", [np.zeros((2, 3)), np.full((2, 3), np.nan)])
def test_a_crop_by_a_singular_matrix_is_refused(matrix: np.ndarray) -> None:
    frame = reference.make_frame(PixelFormat.NV12, 64, 48)
    with pytest.raises(FrameError, match="no crop"):
        compositor.sample(frame, matrix.astype(np.float32), (8, 8))
