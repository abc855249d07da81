from __future__ import annotations

import cv2
import numpy as np
import pytest
from doppel_models.errors import PictureError
from doppel_models.geometry import iou

from tests.support.faces import room
from tests.support.mediapipe_reference import references
from tests.support.networks import detector


def test_it_finds_what_mediapipe_finds() -> None:
    for reference in references():
        found = detector().detect(reference.picture)
        assert len(found) == 1
        assert np.abs(found[0].keypoints - reference.keypoints).max() < 0.1
        assert abs(found[0].score - reference.score) < 1e-3
        # MediaPipe rounds its boxes to whole pixels, the middle and the size each.
        assert np.abs(found[0].bbox - reference.bbox).max() < 2


def test_a_picture_of_the_networks_own_size_is_not_resampled() -> None:
    picture = references()[2].picture
    assert picture.shape == (480, 640, 3)
    small = np.asarray(cv2.warpAffine(picture, np.diag([0.2, 0.2, 0])[:2], (128, 96)), np.uint8)
    (large_face,), (small_face,) = detector().detect(picture), detector().detect(small)
    assert np.abs(small_face.keypoints * 5 - large_face.keypoints).max() < 0.01
    assert np.abs(small_face.bbox * 5 - large_face.bbox).max() < 0.01


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (97, 33), (720, 1280)])
def test_there_is_no_face_in_noise_of_any_size(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert detector().detect(noise) == []


def test_there_is_no_face_in_an_empty_room() -> None:
    assert detector().detect(room(1280, 720)) == []


@pytest.mark.parametrize(
    "picture",
    [np.zeros((64, 64), np.uint8), np.zeros((64, 64, 4), np.uint8), np.zeros((64, 64, 3), np.float32),
     np.zeros((0, 64, 3), np.uint8)],
)  # fmt: skip
def test_another_kind_of_array_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(PictureError, match="expected"):
        detector().detect(picture)


def test_the_far_network_finds_the_same_faces_and_much_smaller_ones() -> None:
    for reference in references():
        (found,) = detector().detect_far(reference.picture)
        assert iou(found.bbox, reference.bbox) > 0.5
    picture = references()[2].picture
    small = np.asarray(cv2.resize(picture, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA), np.uint8)
    wide = np.full((480, 640, 3), 128, np.uint8)
    wide[100 : 100 + small.shape[0], 300 : 300 + small.shape[1]] = small
    assert detector().detect(wide) == []
    assert len(detector().detect_far(wide)) == 1


def test_the_far_network_sees_no_face_in_rooms_and_noise() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (360, 640, 3), dtype=np.uint8)
    for picture in (noise, room(1280, 720), room(640, 480, seed=7)):
        assert detector().detect_far(picture) == []
