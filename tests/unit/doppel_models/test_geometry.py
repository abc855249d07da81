from __future__ import annotations

import math

import numpy as np
import pytest
from doppel_models import geometry
from doppel_models.types import Detection
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.support.portrait import astronaut

coordinates = st.floats(-2000, 2000, width=32)
rois = st.builds(geometry.Roi, coordinates, coordinates, st.floats(4, 3000), st.floats(-math.pi, math.pi))
boxes = st.tuples(coordinates, coordinates, st.floats(0, 500), st.floats(0, 500)).map(
    lambda b: np.array([b[0], b[1], b[0] + b[2], b[1] + b[3]], np.float32)
)
angle = st.floats(-math.pi, math.pi)


def rotated(points: np.ndarray, radians: float) -> np.ndarray:
    cos, sin = math.cos(radians), math.sin(radians)
    return (points @ np.array([[cos, -sin], [sin, cos]]).T).astype(np.float32)


@given(roi=rois, size=st.sampled_from([128, 192, 256]))
def test_a_region_and_its_crop_map_onto_each_other(roi: geometry.Roi, size: int) -> None:
    points = np.array([[0, 0], [size, 0], [size / 2, size / 2], [3, size - 5]], np.float32)
    there = geometry.transform(roi.inverse_matrix(size), points)
    back = geometry.transform(roi.matrix(size), there)
    assert np.abs(back - points).max() < 0.05 * max(1, size / roi.size)
    assert np.allclose(there[2], (roi.center_x, roi.center_y), atol=0.01)
    assert math.dist(there[0], there[1]) == pytest.approx(roi.size, rel=1e-3)


@given(radians=angle)
def test_the_eyes_are_level_in_the_crop_however_the_head_is_tilted(radians: float) -> None:
    points = rotated(astronaut().landmarks[:, :2], radians)
    crop = geometry.transform(geometry.roi_from_landmarks(points).matrix(256), points)
    right, left = crop[geometry.RIGHT_EYE_OUTER], crop[geometry.LEFT_EYE_OUTER]
    assert abs(right[1] - left[1]) < 0.1
    assert right[0] < left[0]


@given(radians=st.floats(-0.8, 0.8))
def test_the_whole_face_lies_in_the_crop(radians: float) -> None:
    points = rotated(astronaut().landmarks[:, :2], radians)
    crop = geometry.transform(geometry.roi_from_landmarks(points).matrix(256), points)
    assert crop.min() > 0
    assert crop.max() < 256


def test_a_detected_face_gives_a_region_half_as_large_again() -> None:
    keypoints = np.array([[40, 50], [80, 50], [60, 70], [60, 85], [20, 55], [100, 55]], np.float32)
    roi = geometry.roi_from_detection(Detection(np.array([10, 20, 110, 100], np.float32), keypoints, 0.9))
    assert (roi.center_x, roi.center_y, roi.size, roi.angle) == pytest.approx((60, 60, 150, 0))


clouds = hnp.arrays(np.float64, (7, 3), elements=st.floats(-50, 50)).filter(
    lambda points: bool(np.linalg.svd(points - points.mean(axis=0))[1].min() > 1)
)


@given(
    points=clouds,
    turn=angle,
    scale=st.floats(0.05, 20),
    shift=st.tuples(coordinates, coordinates, coordinates),
)
def test_a_similarity_is_found_again(
    points: np.ndarray, turn: float, scale: float, shift: tuple[float, float, float]
) -> None:
    cos, sin = math.cos(turn), math.sin(turn)
    rotation = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, cos, -sin], [0, sin, cos]]
    )
    moved = scale * points @ rotation.T + shift
    found_scale, found_rotation, translation = geometry.umeyama(points, moved)
    assert np.linalg.det(found_rotation) == pytest.approx(1)
    assert np.abs(found_scale * points @ found_rotation.T + translation - moved).max() < 1e-5 * scale * 100


@given(
    source=hnp.arrays(np.float64, (6, 2), elements=st.floats(-50, 50)),
    target=hnp.arrays(np.float64, (6, 2), elements=st.floats(-50, 50)),
    weights=st.one_of(st.none(), hnp.arrays(np.float64, 6, elements=st.floats(0.1, 9))),
)
def test_in_the_plane_it_is_umeyamas(
    source: np.ndarray, target: np.ndarray, weights: np.ndarray | None
) -> None:
    assume(np.linalg.svd(source - source.mean(axis=0))[1].min() > 1)
    matrix = geometry.similarity(source, target, weights)
    scale, rotation, translation = geometry.umeyama(source, target, weights)
    # The turn is undefined where nothing of one shape is found in the other.
    assume(scale > 1e-3)
    assert np.allclose(matrix, np.column_stack([scale * rotation, translation]), atol=1e-3, rtol=1e-4)


def test_a_mirror_image_is_not_fitted_by_a_reflection() -> None:
    points = np.array([[0, 0], [4, 0], [4, 1], [1, 3]], np.float32)
    matrix = geometry.similarity(points, points * np.float32([-1, 1]))
    assert np.linalg.det(matrix[:, :2]) > 0


@given(weight=st.floats(0.0, 1.0))
def test_points_without_weight_do_not_count(weight: float) -> None:
    source = np.array([[0, 0], [10, 0], [0, 10], [5, 5]], np.float32)
    target = np.array([[1, 2], [11, 2], [1, 12], [90, -40]], np.float32)
    weights = np.array([1, 1, 1, 0 * weight])
    assert np.allclose(geometry.similarity(source, target, weights), [[1, 0, 1], [0, 1, 2]], atol=1e-4)


def test_points_that_coincide_give_scale_zero() -> None:
    scale, rotation, translation = geometry.umeyama(np.ones((5, 2)), np.full((5, 2), 7.0))
    assert scale == 0
    assert np.isfinite(rotation).all()
    assert np.allclose(translation, 7)


@given(roi=rois)
def test_inverse_and_map_cancel(roi: geometry.Roi) -> None:
    assert np.allclose(
        geometry.invert(roi.matrix(256)),
        roi.inverse_matrix(256),
        rtol=1e-3,
        atol=1e-2 * max(1, roi.size / 256),
    )


@given(roi=rois)
def test_depth_is_scaled_like_the_plane(roi: geometry.Roi) -> None:
    points = np.array([[1, 2, 8], [3, 5, -4]], np.float32)
    moved = geometry.transform(roi.inverse_matrix(256), points)
    assert moved[:, 2] == pytest.approx(points[:, 2] * roi.size / 256, rel=1e-3)


@given(a=boxes, b=boxes)
def test_overlap_is_symmetric_and_a_fraction(a: np.ndarray, b: np.ndarray) -> None:
    assert geometry.iou(a, b) == pytest.approx(geometry.iou(b, a))
    assert 0 <= geometry.iou(a, b) <= 1 + 1e-6


def test_overlap_of_known_boxes() -> None:
    a = np.array([0, 0, 10, 10], np.float32)
    assert geometry.iou(a, a) == pytest.approx(1)
    assert geometry.iou(a, a + 5) == pytest.approx(25 / 175)
    assert geometry.iou(a, a + 10) == 0
    assert geometry.iou(a, np.array([3, 3, 3, 9], np.float32)) == 0


def test_a_grown_box_keeps_its_middle() -> None:
    assert geometry.grown(np.array([10, 20, 30, 30], np.float32), 2.0).tolist() == [0, 15, 40, 35]
