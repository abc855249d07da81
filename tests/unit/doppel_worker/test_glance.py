from __future__ import annotations

import numpy as np
import pytest
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_models.types import ByteArray
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.frame import ColorInfo, FrameView
from doppel_worker.glance import Glance

from tests.support.faces import room

FORMATS = list(PixelFormat)
EDGE, MIDDLE = (0, 100, 60, 240), (290, 160, 350, 200)


def glance(picture: ByteArray, pixel_format: PixelFormat, color: ColorInfo | None = None) -> Glance:
    height, width = picture.shape[:2]
    layout = FrameLayout.of(pixel_format, width, height)
    planes = tuple(np.zeros(shape, np.uint8) for shape in zip(layout.rows, layout.linesize, strict=True))
    frame = FrameView(layout, planes, color or ColorInfo.bt709_limited(), False, 0, 0)
    opaque = np.full((height, width), 255, np.uint8)
    CpuCompositor().paste(frame, Rect(0, 0, width, height), picture, opaque)
    return Glance.at(frame)


def with_box(box: tuple[int, int, int, int], color: tuple[int, int, int]) -> ByteArray:
    x0, y0, x1, y1 = box
    picture = room(640, 360)
    picture[y0:y1, x0:x1] = color
    return picture


@pytest.mark.parametrize("pixel_format", FORMATS, ids=lambda one: one.name)
def test_in_every_format_what_comes_in_at_an_edge_is_a_change(pixel_format: PixelFormat) -> None:
    before = glance(room(640, 360), pixel_format)
    assert glance(with_box(EDGE, (240, 200, 180)), pixel_format).changed(before)
    assert not glance(with_box(MIDDLE, (240, 200, 180)), pixel_format).changed(before)
    assert not glance(room(640, 360), pixel_format).changed(before)


@pytest.mark.parametrize("full_range", [False, True])
def test_a_change_of_colour_alone_is_one(full_range: bool) -> None:
    color = ColorInfo.from_primaries(kr=0.2126, kb=0.0722, full_range=full_range)
    # Of the same luma, BT.709.
    before = glance(with_box(EDGE, (120, 120, 120)), PixelFormat.I420, color)
    assert glance(with_box(EDGE, (190, 104, 76)), PixelFormat.I420, color).changed(before)


def test_a_change_counts_in_rgb_whatever_the_format() -> None:
    """The limit is 14 of 255 on average over the three colours."""
    for level, strong in ((110, False), (118, True)):
        for pixel_format in FORMATS:
            before = glance(with_box(EDGE, (100, 100, 100)), pixel_format)
            after = glance(with_box(EDGE, (level, level, level)), pixel_format)
            assert after.changed(before) == strong, pixel_format


def test_another_size_of_frame_is_a_change() -> None:
    before = glance(room(640, 360), PixelFormat.I420)
    assert glance(room(640, 480), PixelFormat.I420).changed(before)
