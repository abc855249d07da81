from __future__ import annotations

import cv2
import numpy as np
import pytest
from doppel_ipc.pixel_format import PixelFormat
from doppel_models.types import ByteArray
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.frame import FrameView
from doppel_worker.reduced_rect import reduced

from tests.support import reference_compositor as reference

WIDTH, HEIGHT = 161, 121
FACE = Rect(30, 20, 130, 104)


def frame_of(pixel_format: PixelFormat, *, flip: bool = False) -> FrameView:
    """A frame of slow, coloured waves."""
    few = np.random.default_rng(2).integers(40, 210, (4, 5, 3)).astype(np.float32)
    picture = cv2.resize(few, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).clip(20, 230).astype(np.uint8)
    frame = reference.make_frame(pixel_format, WIDTH, HEIGHT, padding=3, flip=flip)
    opaque = np.full((HEIGHT, WIDTH), 255, np.uint8)
    CpuCompositor().paste(frame, Rect(0, 0, WIDTH, HEIGHT), picture, opaque)
    return frame


def means(frame: FrameView, rect: Rect, factor: int) -> ByteArray:
    """Of the pixels that each pixel of the reduced picture covers."""
    width, height = rect.width // factor, rect.height // factor
    whole = CpuCompositor().read(frame, rect)[: height * factor, : width * factor]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.mark.parametrize("factor", [2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("pixel_format", list(PixelFormat))
def test_every_pixel_is_about_the_mean_of_what_it_covers(pixel_format: PixelFormat, factor: int) -> None:
    frame = frame_of(pixel_format)
    small, expected = reduced(frame, FACE, factor), means(frame, FACE, factor)
    assert small is not None
    assert small.shape == expected.shape
    apart = np.abs(small.astype(int) - expected)
    assert apart.mean() < 1.2
    assert apart.max() <= 4


def test_where_the_frame_ends_beside_the_rectangle_there_is_none() -> None:
    frame = frame_of(PixelFormat.I420)
    # 131 pixels are 43 and a bit of 3, but blocks of 2 need 44 of them: 132.
    assert reduced(frame, Rect(30, 20, WIDTH, 104), 3) is None
    assert reduced(frame, Rect(30, 20, 130, 20 + 2), 3) is None


@pytest.mark.parametrize("rect", [FACE, Rect(31, 21, 101, 99), Rect(60, 40, WIDTH, HEIGHT)])
@pytest.mark.parametrize("flip", [False, True])
def test_the_compositor_reduces_any_rectangle(rect: Rect, flip: bool) -> None:
    frame = frame_of(PixelFormat.NV12, flip=flip)
    for factor in (1, 3, 4):
        small, expected = CpuCompositor().reduced(frame, rect, factor), means(frame, rect, factor)
        assert small.shape == expected.shape
        assert np.abs(small.astype(int) - expected).mean() < 3
