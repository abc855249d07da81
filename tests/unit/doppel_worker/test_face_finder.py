from __future__ import annotations

import numpy as np
import pytest
from doppel_models.geometry import bbox_center
from doppel_models.types import ByteArray
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.face_finder import FaceFinder, Tiles

from tests.support.faces import room
from tests.support.frames import i420_frame
from tests.support.networks import detector
from tests.support.portrait import astronaut, paste_head

COMPOSITOR = CpuCompositor()


def changes(*pictures: ByteArray) -> list[bool]:
    """Whether each picture differs much from the first, which is searched."""
    finder = FaceFinder(detector())
    finder.look(i420_frame(pictures[0]), COMPOSITOR)
    finder.find(i420_frame(pictures[0]), COMPOSITOR, 0.5, Tiles.NONE)
    return [finder.look(i420_frame(picture), COMPOSITOR) for picture in pictures[1:]]


def with_box(x0: int, y0: int, x1: int, y1: int) -> ByteArray:
    picture = room(640, 360)
    picture[y0:y1, x0:x1] = (230, 120, 90)
    return picture


def test_the_first_frame_is_a_change() -> None:
    assert FaceFinder(detector()).look(i420_frame(room(640, 360)), COMPOSITOR)


@pytest.mark.parametrize(
    "box", [(0, 100, 60, 240), (580, 100, 640, 240), (250, 0, 390, 60), (250, 300, 390, 360)]
)
def test_something_that_comes_in_from_any_side_is_a_change(box: tuple[int, int, int, int]) -> None:
    assert changes(room(640, 360), with_box(*box)) == [True]


def test_something_small_that_moves_in_the_middle_is_none() -> None:
    assert changes(with_box(260, 140, 300, 180), with_box(330, 170, 370, 210)) == [False]


def test_another_scene_is_a_change() -> None:
    assert changes(room(640, 360, seed=1), room(640, 360, seed=5)[::-1].copy()) == [True]


def test_the_comparison_is_with_the_frame_that_was_searched_last() -> None:
    picture = room(640, 360)
    steps = [np.clip(picture.astype(int) + 4 * n, 0, 255).astype(np.uint8) for n in range(9)]
    noticed = changes(*steps)
    assert not noticed[0]
    assert noticed[-1]


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (640, 480), (2560, 720)])
@pytest.mark.parametrize("where", [(0.2, 0.3), (0.5, 0.5), (0.8, 0.65)])
def test_a_face_is_found_where_it_is(size: tuple[int, int], where: tuple[float, float]) -> None:
    picture = room(*size)
    center = size[0] * where[0], size[1] * where[1]
    height = 0.28 * min(size)
    paste_head(picture, astronaut(), center=center, height=height)
    frame = i420_frame(picture)
    finder = FaceFinder(detector())
    finder.look(frame, COMPOSITOR)
    (found,) = finder.find(frame, COMPOSITOR, 0.5, Tiles.ALL)
    assert np.hypot(*np.subtract(bbox_center(found.bbox), center)) < 0.2 * height
    assert 0.6 * height < found.bbox[2] - found.bbox[0] < 1.4 * height
    # Right eye, left eye, nose, mouth.
    assert found.keypoints[0, 0] < found.keypoints[2, 0] < found.keypoints[1, 0]
    assert found.keypoints[0, 1] < found.keypoints[2, 1] < found.keypoints[3, 1]


def test_tiles_take_turns() -> None:
    """A face that is too small for the whole frame is found in one of the two searches."""
    picture = room(1280, 720)
    paste_head(picture, astronaut(), center=(1050, 300), height=120)
    frame = i420_frame(picture)
    finder = FaceFinder(detector())
    finder.look(frame, COMPOSITOR)
    counts = [len(finder.find(frame, COMPOSITOR, 0.5, Tiles.ONE)) for _ in range(4)]
    assert counts in ([0, 1, 0, 1], [1, 0, 1, 0])
    assert finder.find(frame, COMPOSITOR, 0.5, Tiles.NONE) == []
