from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from doppel_models import canonical
from doppel_models.pose import angles, head_pose
from hypothesis import given
from hypothesis import strategies as st

from tests.support.mediapipe_reference import references


def rotation(axis: int, degrees: float) -> npt.NDArray[np.float64]:
    """(3, 3), right-handed about x (0), y (1) or z (2)."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix[i, i] = matrix[j, j] = cos
    matrix[i, j], matrix[j, i] = -sin, sin
    return matrix


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
