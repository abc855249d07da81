from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from doppel_models import canonical
from doppel_models.geometry import bbox_of, roi_from_landmarks, transform
from doppel_models.landmarker import INPUT_SIZE
from doppel_models.pose import angles, head_pose
from hypothesis import given
from hypothesis import strategies as st

from tests.support.mediapipe_reference import references
from tests.support.networks import landmarker
from tests.support.turned_face import rotation, turned_face


def turned(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    return (canonical.load().vertices @ matrix.T * 20 + (300, 200, 10)).astype(np.float32)


def test_a_face_whose_nose_moves_to_the_right_has_positive_yaw() -> None:
    points = turned(rotation(1, -25))
    assert points[1, 0] > 310
    assert head_pose(points).yaw == pytest.approx(25, abs=0.1)


def test_a_face_whose_nose_moves_up_has_positive_pitch() -> None:
    level, points = turned(np.eye(3)), turned(rotation(0, -20))
    assert points[1, 1] < level[1, 1] - 10
    assert head_pose(points).pitch == pytest.approx(20, abs=0.1)


def test_a_head_tilted_clockwise_has_positive_roll() -> None:
    points = turned(rotation(2, 30))
    # Clockwise: the forehead goes right, the chin left.
    assert points[10, 0] > points[152, 0] + 10
    assert head_pose(points).roll == pytest.approx(30, abs=0.1)


@given(
    yaw=st.floats(-80, 80), pitch=st.floats(-60, 60), roll=st.floats(-170, 170), scale=st.floats(0.01, 100)
)
def test_any_turn_and_size_is_found_again(yaw: float, pitch: float, roll: float, scale: float) -> None:
    matrix = rotation(2, roll) @ rotation(0, -pitch) @ rotation(1, -yaw)
    points = (canonical.load().vertices @ matrix.T * scale).astype(np.float32)
    pose = head_pose(points)
    assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx((yaw, pitch, roll), abs=0.1)
    assert pose.scale == pytest.approx(scale, rel=1e-3)


def test_it_agrees_with_mediapipe_on_faces_near_the_middle() -> None:
    """MediaPipe sees in perspective, so it adds the direction in which an off-centre face is seen."""
    flip = np.diag([1.0, -1.0, -1.0])
    for reference in (references()[index] for index in (1, 5, 8, 9)):
        pose = head_pose(reference.landmarks)
        expected = angles(flip @ reference.rotation @ flip)
        assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx(expected, abs=2)


def test_points_that_all_coincide_give_numbers() -> None:
    pose = head_pose(np.ones((478, 3), np.float32))
    assert np.isfinite([pose.yaw, pose.pitch, pose.roll, pose.scale]).all()


@pytest.mark.parametrize("yaw", range(-50, 51, 10))
def test_the_turn_of_a_head_of_true_depth_is_read_as_it_is(yaw: int) -> None:
    picture, points = turned_face(yaw)
    roi = roi_from_landmarks(points, bbox_of(points))
    for _ in range(2):
        crop = cv2.warpAffine(picture, roi.matrix(INPUT_SIZE), (INPUT_SIZE, INPUT_SIZE))
        result = landmarker().run(np.asarray(crop, np.uint8))
        landmarks = transform(roi.inverse_matrix(INPUT_SIZE), result.points)
        roi = roi_from_landmarks(landmarks)
    assert result.presence > 0.9
    assert head_pose(landmarks).yaw == pytest.approx(yaw, abs=4)
