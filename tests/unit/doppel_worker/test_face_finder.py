from __future__ import annotations

import numpy as np
import pytest
from doppel_models.geometry import bbox_center
from doppel_models.types import ByteArray, FloatArray
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.face_finder import FaceFinder
from doppel_worker.frame import FrameView

from tests.support.faces import room
from tests.support.frames import i420_frame
from tests.support.networks import detector
from tests.support.portrait import astronaut, paste_head

COMPOSITOR = CpuCompositor()


def changes(*pictures: ByteArray) -> list[bool]:
    """Whether each picture differs much from the first, which is searched."""
    finder = FaceFinder(detector())
    finder.look(i420_frame(pictures[0]), 48)
    finder.find(i420_frame(pictures[0]), COMPOSITOR, 0.5, 0)
    return [finder.look(i420_frame(picture), 48) for picture in pictures[1:]]


def with_box(x0: int, y0: int, x1: int, y1: int) -> ByteArray:
    picture = room(640, 360)
    picture[y0:y1, x0:x1] = (230, 120, 90)
    return picture


def test_the_first_frame_is_a_change() -> None:
    assert FaceFinder(detector()).look(i420_frame(room(640, 360)), 48)


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
    finder.look(frame, 48)
    (found,) = finder.find(frame, COMPOSITOR, 0.5, finder.tiles)
    assert np.hypot(*np.subtract(bbox_center(found.bbox), center)) < 0.2 * height
    assert 0.6 * height < found.bbox[2] - found.bbox[0] < 1.4 * height
    # Right eye, left eye, nose, mouth.
    assert found.keypoints[0, 0] < found.keypoints[2, 0] < found.keypoints[1, 0]
    assert found.keypoints[0, 1] < found.keypoints[2, 1] < found.keypoints[3, 1]


def test_tiles_take_turns() -> None:
    """A face that is too small for the whole frame is found in the tile that shows it."""
    finder, frame = FaceFinder(detector()), far_face((1280, 720), (1150, 600), 64)
    finder.look(frame, 48)
    assert finder.tiles == 6
    counts = [len(finder.find(frame, COMPOSITOR, 0.5, 1)) for _ in range(12)]
    assert counts == [0, 0, 0, 0, 0, 1] * 2
    assert finder.find(frame, COMPOSITOR, 0.5, 0) == []


def far_face(size: tuple[int, int], center: tuple[float, float], height: float) -> FrameView:
    picture = room(*size)
    paste_head(picture, astronaut(), center=center, height=height)
    return i420_frame(picture)


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (720, 1280), (1920, 1080)])
@pytest.mark.parametrize("where", [(0.1, 0.2), (0.5, 0.5), (0.62, 0.4), (0.9, 0.85)])
def test_a_face_of_the_least_size_is_found_wherever_it_is(
    size: tuple[int, int], where: tuple[float, float]
) -> None:
    center = size[0] * where[0], size[1] * where[1]
    finder, frame = FaceFinder(detector()), far_face(size, center, 62)
    finder.look(frame, 48)
    found = finder.find(frame, COMPOSITOR, 0.35, finder.tiles)
    assert min(np.hypot(*np.subtract(bbox_center(one.bbox), center)) for one in found) < 15


def test_a_closer_look_finds_a_face_that_the_whole_frame_does_not_show() -> None:
    finder, frame = FaceFinder(detector()), far_face((1280, 720), (900, 300), 64)
    finder.look(frame, 48)
    assert finder.find(frame, COMPOSITOR, 0.5, 0) == []
    beside = np.array([860, 280, 920, 340], np.float32)
    (found,) = finder.find(frame, COMPOSITOR, 0.5, 0, [beside])
    assert bbox_center(found.bbox) == pytest.approx((900, 300), abs=12)


@pytest.mark.parametrize("size", [(2, 2), (4, 2000), (1280, 720), (3840, 2160), (3000, 600)])
@pytest.mark.parametrize("least", [16, 48, 512])
def test_the_tiles_are_few_and_every_part_of_the_frame_lies_in_one(size: tuple[int, int], least: int) -> None:
    finder = FaceFinder(detector())
    seen = np.zeros((size[1], size[0]), bool)

    class Watching(CpuCompositor):
        def sample(self, frame: FrameView, matrix: FloatArray, dsize: tuple[int, int]) -> ByteArray:
            width, height = (round(side / matrix[0, 0]) for side in dsize)
            x, y = (round((-matrix[i, 2] + 0.5 * matrix[0, 0] - 0.5) / matrix[0, 0] + 0.5) for i in (0, 1))
            seen[max(y - 1, 0) : y + height + 1, max(x - 1, 0) : x + width + 1] = True
            return super().sample(frame, matrix, dsize)

    frame = i420_frame(np.zeros((size[1], size[0], 3), np.uint8))
    finder.look(frame, least)
    assert 1 <= finder.tiles <= 8
    if finder.tiles > 1:
        finder.find(frame, Watching(), 0.9, finder.tiles)
        assert seen.all()
