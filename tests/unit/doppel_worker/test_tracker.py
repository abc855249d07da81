from __future__ import annotations

import numpy as np
import pytest
from doppel_models.geometry import bbox_center, iou
from doppel_models.landmarker import FaceLandmarker
from doppel_models.types import ByteArray, MeshResult
from doppel_worker.tracker import Tracker

from tests.support.faces import FourFaces, room
from tests.support.frames import rgba_frame
from tests.support.networks import detector
from tests.support.tracked_lane import ALL, ANNA, BEA, FPS, ONE, Lane, at, error, scene

# --- following ---------------------------------------------------------------------------------------


def test_four_people_who_move_keep_their_identities() -> None:
    lane, faces = Lane(ALL, fps=10), FourFaces(fps=10)
    ids: dict[int, set[int]] = {}
    for picture, truths in (faces.frame(index) for index in range(30)):
        result = lane.show(picture)
        assert len(result.faces) == 4
        for truth in truths:
            face = min(result.faces, key=lambda f, t=truth: error(f, t.landmarks))
            assert error(face, truth.landmarks) < 0.02 * (truth.bbox[3] - truth.bbox[1])
            ids.setdefault(truth.person, set()).add(face.track_id)
    assert sorted(len(seen) for seen in ids.values()) == [1, 1, 1, 1]
    assert len(set.union(*ids.values())) == 4


def test_the_detector_runs_only_every_redetect_ms_while_all_is_well() -> None:
    picture = scene((ANNA, (320, 190), 120))
    lane = Lane(ONE.replace(redetect_ms=200))
    runs = [result.ran_detector for result in lane.run([picture] * 31)]
    assert runs == [index % 6 == 0 for index in range(31)]


@pytest.mark.parametrize("fps", [10.0, 24.0, 25.0, 30000 / 1001, 30.0, 50.0, 60.0])
def test_the_detector_runs_at_least_every_redetect_ms_at_any_frame_rate(fps: float) -> None:
    picture = scene((ANNA, (320, 190), 120))
    lane = Lane(ONE, fps)
    runs = [index for index, result in enumerate(lane.run([picture] * 31)) if result.ran_detector]
    gaps_ms = np.diff(runs) * 1e3 / fps
    assert gaps_ms.max() <= ONE.redetect_ms + 1
    assert gaps_ms.min() > ONE.redetect_ms - 1e3 / fps


def test_redetection_moves_no_landmark() -> None:
    rng = np.random.default_rng(0)
    clean = scene((ANNA, (320, 190), 120))
    pictures = [np.clip(clean + rng.normal(0, 3, clean.shape), 0, 255).astype(np.uint8) for _ in range(20)]
    always, never = Lane(ONE.replace(redetect_ms=0)), Lane(ONE.replace(redetect_ms=1000))
    for one, other in zip(always.run(pictures), never.run(pictures), strict=True):
        assert np.array_equal(one.faces[0].landmarks, other.faces[0].landmarks)


def test_smoothing_calms_a_still_face_in_a_noisy_picture() -> None:
    rng = np.random.default_rng(0)
    clean = scene((ANNA, (320, 190), 120))
    pictures = [np.clip(clean + rng.normal(0, 6, clean.shape), 0, 255).astype(np.uint8) for _ in range(25)]

    def tremble(smoothing: float) -> float:
        points = [r.faces[0].landmarks[:, :2] for r in Lane(ONE.replace(smoothing=smoothing)).run(pictures)]
        return float(np.diff(points[5:], axis=0).std())

    none, half, full = tremble(0.0), tremble(0.5), tremble(1.0)
    assert half < 0.5 * none
    assert full < 0.7 * half


def test_without_smoothing_the_landmarks_are_those_of_the_network() -> None:
    lane = Lane(ONE.replace(smoothing=0.0))
    for x in (300, 310, 325):
        (face,) = lane.show(scene((ANNA, (x, 190), 120))).faces
        assert np.array_equal(face.landmarks, face.raw_landmarks)


def test_a_face_that_jumps_is_not_dragged_behind() -> None:
    lane = Lane()
    for _ in range(3):
        (before,) = lane.show(scene((ANNA, (200, 190), 120))).faces
    (after,) = lane.show(scene((ANNA, (420, 190), 120))).faces
    assert after.track_id == before.track_id
    assert np.array_equal(after.landmarks, after.raw_landmarks)
    assert bbox_center(after.bbox)[0] == pytest.approx(bbox_center(before.bbox)[0] + 220, abs=3)


# --- identity ----------------------------------------------------------------------------------------


def test_two_people_who_change_places_between_two_frames_keep_their_identities() -> None:
    left, right = (200.0, 190.0), (440.0, 190.0)
    lane = Lane(ALL)
    for _ in range(5):
        before = lane.show(scene((ANNA, left, 120), (BEA, right, 120)))
    after = lane.show(scene((BEA, left, 120), (ANNA, right, 120)))
    assert at(after, left).track_id == at(before, right).track_id
    assert at(after, right).track_id == at(before, left).track_id


def test_two_people_who_pass_before_each_other_do_not_exchange_identities() -> None:
    lane = Lane(ALL)
    positions = [(150 + 7 * index, 490 - 7 * index) for index in range(49)]
    results = [lane.show(scene((BEA, (bea, 180), 110), (ANNA, (anna, 190), 130))) for anna, bea in positions]
    first, last = results[0], results[-1]
    assert at(last, (positions[-1][0], 190)).track_id == at(first, (positions[0][0], 190)).track_id
    bea = at(last, (positions[-1][1], 180)).track_id
    assert bea == at(first, (positions[0][1], 180)).track_id
    # While one hides the other, nobody is followed twice.
    for result in results:
        assert len({face.track_id for face in result.faces}) == len(result.faces)
        assert len(result.faces) < 2 or iou(result.faces[0].bbox, result.faces[1].bbox) < 0.5


def test_somebody_else_in_the_same_place_is_somebody_else() -> None:
    lane = Lane()
    for _ in range(5):
        (anna,) = lane.show(scene((ANNA, (320, 190), 120))).faces
    (bea,) = lane.show(scene((BEA, (320, 190), 120))).faces
    assert bea.track_id != anna.track_id
    # And the first one is known again.
    (back,) = lane.show(scene((ANNA, (320, 190), 120))).faces
    assert back.track_id == anna.track_id


def test_coloured_light_that_comes_on_makes_nobody_else() -> None:
    lane = Lane()
    picture = scene((ANNA, (320, 190), 120))
    ids = set()
    for light in ((1, 1, 1), (1.3, 0.8, 0.8), (0.7, 0.7, 1.3), (1, 1, 1), (0.5, 0.5, 0.5)):
        lit = np.clip(picture * np.array(light), 0, 255).astype(np.uint8)
        ids |= {face.track_id for face in lane.show(lit).faces}
    assert len(ids) == 1


def test_a_person_who_comes_back_elsewhere_is_the_same_person() -> None:
    lane = Lane()
    for _ in range(5):
        (before,) = lane.show(scene((ANNA, (160, 150), 120))).faces
    for _ in range(45):
        assert lane.show(room(640, 360)).faces == ()
    (after,) = lane.show(scene((ANNA, (470, 220), 120))).faces
    assert after.track_id == before.track_id


# --- odd input ---------------------------------------------------------------------------------------


def test_a_face_cut_by_the_edge_is_followed() -> None:
    lane = Lane()
    lane.show(scene((ANNA, (120, 190), 140)))
    for x in range(120, 35, -5):
        result = lane.show(scene((ANNA, (x, 190), 140)))
    (face,) = result.faces
    assert face.bbox[0] < 0


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 300), (300, 1), (63, 17), (5000, 8)])
def test_frames_of_any_size_are_taken(size: tuple[int, int]) -> None:
    lane = Lane(ALL)
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    for index in range(3):
        assert lane.update(rgba_frame(noise, index)).faces == ()


def test_noise_holds_no_face() -> None:
    rng = np.random.default_rng(0)
    lane = Lane(ALL)
    for _ in range(5):
        assert lane.show(rng.integers(0, 256, (360, 640, 3), dtype=np.uint8)).faces == ()


def test_a_face_outlives_a_change_of_the_frames_size() -> None:
    lane = Lane()
    for _ in range(3):
        (small,) = lane.show(scene((ANNA, (320, 190), 120))).faces
    (large,) = lane.show(scene((ANNA, (640, 380), 240), size=(1280, 720))).faces
    assert large.track_id == small.track_id
    assert np.array_equal(large.landmarks, large.raw_landmarks)
    assert np.abs(large.raw_landmarks - 2 * small.raw_landmarks).mean() < 3


@pytest.mark.parametrize("jump_s", [-100, -0.2, 0, 3600])
def test_a_face_outlives_a_jump_in_time(jump_s: float) -> None:
    lane = Lane(ONE.replace(lost_face_ms=1000))
    picture = scene((ANNA, (320, 190), 120))
    for _ in range(3):
        (before,) = lane.show(picture).faces
    lane.count += round(jump_s * FPS) - 1
    after = lane.show(picture)
    assert [face.track_id for face in after.faces] == [before.track_id]
    assert after.ran_detector or jump_s == 0
    # A lost face is not forgotten because the clock jumped.
    lane.count += round(jump_s * FPS)
    assert len(lane.show(room(640, 360)).lost) == 1


class BrokenLandmarker(FaceLandmarker):
    """Gives no numbers for a while, as a network on a failing device does."""

    broken = False

    def run(self, crop: ByteArray) -> MeshResult:
        result = super().run(crop)
        return MeshResult(result.points * np.float32("nan"), 1.0) if self.broken else result


def test_landmarks_that_are_no_numbers_are_a_lost_face() -> None:
    lane, network = Lane(), BrokenLandmarker()
    lane.tracker = Tracker(detector(), network)
    picture = scene((ANNA, (320, 190), 120))
    (before,) = lane.show(picture).faces
    network.broken = True
    for _ in range(3):
        result = lane.show(picture)
        assert result.faces == ()
        (lost,) = result.lost
        assert np.isfinite(lost.landmarks).all()
    network.broken = False
    (after,) = lane.show(picture).faces
    assert after.track_id == before.track_id
    assert np.isfinite(after.landmarks).all()
