from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from doppel_models.geometry import bbox_of, roi_from_landmarks
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.track import Measurement, Track, measure

from tests.support.faces import room
from tests.support.frames import i420_frame
from tests.support.networks import landmarker
from tests.support.portrait import astronaut, paste_head

PICTURE = room(640, 360)
TRUTH = paste_head(PICTURE, astronaut(), center=(320, 190), height=120)
FRAME = i420_frame(PICTURE)


@pytest.fixture(scope="module")
def measured() -> Measurement:
    return measure(FRAME, CpuCompositor(), landmarker(), roi_from_landmarks(TRUTH))


def moved(measurement: Measurement, scale: float = 1.0, dx: float = 0.0) -> Measurement:
    middle = measurement.landmarks.mean(axis=0)
    points = ((measurement.landmarks - middle) * scale + middle + (dx, 0, 0)).astype(np.float32)
    return dataclasses.replace(measurement, landmarks=points, bbox=bbox_of(points))


def test_landmarks_are_measured_where_the_face_is(measured: Measurement) -> None:
    assert measured.found
    assert np.linalg.norm(measured.landmarks[:, :2] - TRUTH[:, :2], axis=1).mean() < 1.5
    assert np.array_equal(measured.bbox, bbox_of(measured.landmarks))


def test_an_empty_region_is_no_face() -> None:
    empty = i420_frame(room(640, 360))
    assert not measure(empty, CpuCompositor(), landmarker(), roi_from_landmarks(TRUTH)).found


def test_a_face_may_move_and_grow_a_little_but_not_be_another_thing(measured: Measurement) -> None:
    track = Track(1, measured, 0)
    assert track.accepts(moved(measured, dx=40), FRAME)
    assert track.accepts(moved(measured, scale=1.4), FRAME)
    assert not track.accepts(moved(measured, scale=2.5), FRAME)
    assert not track.accepts(moved(measured, scale=0.3), FRAME)
    assert not track.accepts(moved(measured, dx=700), FRAME)
    assert not track.accepts(dataclasses.replace(measured, presence=0.2), FRAME)
    other = measured.appearance[::-1].copy()
    assert not track.accepts(dataclasses.replace(measured, appearance=other), FRAME)


def test_a_small_move_is_smoothed_and_a_jump_is_not(measured: Measurement) -> None:
    track = Track(1, measured, 0)
    track.face(0, 0.5)
    track.take(moved(measured, dx=2), 33_000_000)
    near = track.face(33_000_000, 0.5)
    assert 0 < (near.landmarks - measured.landmarks)[:, 0].mean() < 2
    track.take(moved(measured, dx=200), 66_000_000)
    far = track.face(66_000_000, 0.5)
    assert np.array_equal(far.landmarks, far.raw_landmarks)


def test_a_face_is_carried_over_to_another_frame_size(measured: Measurement) -> None:
    track = Track(1, measured, 0)
    track.rescale(2.0, 2.0)
    # The middle of pixel 0 lies half a pixel from the corner, so it goes to 0.5.
    assert np.allclose(track.landmarks[:, :2], measured.landmarks[:, :2] * 2 + 0.5, atol=1e-3)
    assert np.allclose(track.landmarks[:, 2], measured.landmarks[:, 2] * 2, atol=1e-3)
    assert np.array_equal(track.bbox, bbox_of(track.landmarks))


def test_the_region_grows_at_once_and_shrinks_slowly(measured: Measurement) -> None:
    track = Track(1, measured, 0)
    larger = moved(measured, scale=1.5)
    track.take(larger, 33_000_000)
    assert np.allclose(track.region, larger.bbox)
    track.take(measured, 66_000_000)
    shrunk = track.region[2] - track.region[0]
    assert shrunk > 1.4 * (measured.bbox[2] - measured.bbox[0])
    track.take(measured, 3_000_000_000)
    assert np.allclose(track.region, measured.bbox, atol=0.1)


def test_a_person_is_known_by_the_usual_looks_after_something_came_before_the_face(
    measured: Measurement,
) -> None:
    tanned = dataclasses.replace(measured, appearance=measured.appearance * np.float32([1.06, 1.0, 0.94]))
    hidden = dataclasses.replace(measured, appearance=measured.appearance[::-1].copy())
    track = Track(1, measured, 0)
    track.take(hidden, 33_000_000)
    before = track.differs(tanned)
    for step in range(1, 40):
        track.take(tanned, step * 400_000_000)
    track.take(hidden, 16_000_000_000)
    assert 0.02 < before < 0.09
    assert track.differs(tanned) < 0.3 * before
