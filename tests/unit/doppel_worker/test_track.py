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


# --- doubt -------------------------------------------------------------------------------------------

FRAME_NS = 33_000_000


def unlike(measurement: Measurement, change: float, seed: int = 0) -> Measurement:
    """The same face with colours of its own at every point, so many of 255 away."""
    away = np.random.default_rng(seed).choice([-change, change], measurement.appearance.shape)
    colors = np.clip(measurement.appearance + away, 0, 255).astype(np.float32)
    return dataclasses.replace(measurement, appearance=colors)


def shown(track: Track, measurement: Measurement, start: int, frames: int) -> list[bool]:
    """Whether the track is doubtful after each of some equal frames."""
    doubts = []
    for index in range(frames):
        track.take(measurement, (start + index) * FRAME_NS)
        doubts.append(track.doubtful)
    return doubts


def test_a_face_that_looks_otherwise_is_doubtful_until_it_has_looked_as_usual_for_a_while(
    measured: Measurement,
) -> None:
    track = Track(1, measured, 0)
    assert shown(track, measured, 1, 60) == [False] * 60
    assert shown(track, unlike(measured, 60), 61, 10) == [True] * 10
    back = shown(track, measured, 71, 20)
    assert back[:4] == [True] * 4
    assert back[8:] == [False] * 12


def test_new_looks_that_stay_are_the_usual_ones_after_three_seconds(measured: Measurement) -> None:
    track = Track(1, measured, 0)
    shown(track, measured, 1, 60)
    doubts = shown(track, unlike(measured, 60), 61, 110)
    assert doubts.index(False) * FRAME_NS == pytest.approx(3e9, rel=0.15)
    assert not any(doubts[doubts.index(False) :])


def test_looks_that_are_unclear_never_become_the_usual_ones(measured: Measurement) -> None:
    track = Track(1, measured, 0)
    shown(track, measured, 1, 60)
    unclear = dataclasses.replace(unlike(measured, 60), presence=0.7)
    assert all(shown(track, unclear, 61, 150))


def test_noise_in_every_frame_is_no_doubt(measured: Measurement) -> None:
    track = Track(1, unlike(measured, 18, seed=99), 0)
    for index in range(60):
        noisy = unlike(measured, 18, seed=index)
        track.take(noisy, index * FRAME_NS)
        assert not track.doubtful
    assert shown(track, unlike(measured, 90), 61, 3)[-1]


def test_the_region_of_a_doubtful_face_still_holds_where_it_was(measured: Measurement) -> None:
    track = Track(1, measured, 0)
    shown(track, measured, 1, 60)
    shown(track, moved(unlike(measured, 60), dx=60), 61, 20)
    assert track.region[0] < measured.bbox[0] + 25
    assert track.region[2] > measured.bbox[2] + 55
