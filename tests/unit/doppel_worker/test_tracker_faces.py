"""Which faces the tracker loses, finds, doubts and names."""

from __future__ import annotations

import numpy as np
import pytest
from doppel_ipc.settings import FilterSettings
from doppel_models.geometry import bbox_center, iou

from tests.support.faces import FourFaces, OccludedFace, draw_hand, room
from tests.support.tracked_lane import ALL, ANNA, BEA, FPS, ONE, Lane, error, scene

# --- lost faces --------------------------------------------------------------------------------------


def test_a_lost_face_is_reported_where_it_was_until_it_is_surely_gone() -> None:
    lane = Lane(ONE.replace(lost_face_ms=1000))
    for _ in range(3):
        (face,) = lane.show(scene((ANNA, (320, 190), 120))).faces
    results = list(lane.run([room(640, 360)] * 40))
    assert all(result.faces == () for result in results)
    for index, result in enumerate(results[:29]):
        (lost,) = result.lost
        assert lost.track_id == face.track_id
        assert iou(lost.bbox, face.bbox) > 0.9
        assert lost.lost_ms == pytest.approx((index + 1) * 1000 / FPS, abs=1)
    assert results[-1].lost == ()
    # With nobody there, the detector looks at every frame.
    assert all(result.ran_detector for result in results)


def test_a_face_behind_a_hand_is_lost_or_followed_but_never_forgotten() -> None:
    clip = OccludedFace("hand", count=50, width=640, height=360, face_px=150)
    lane = Lane()
    seen: set[int] = set()
    for frame in clip.frames():
        result = lane.show(frame.rgb)
        assert len(result.faces) + len(result.lost) == 1
        where = result.faces[0].bbox if result.faces else result.lost[0].bbox
        truth = np.concatenate([frame.landmarks[:, :2].min(axis=0), frame.landmarks[:, :2].max(axis=0)])
        assert iou(where, truth) > 0.5
        seen |= {face.track_id for face in result.faces}
    assert len(result.faces) == 1
    assert len(seen) == 1


def test_a_face_that_is_found_again_is_no_longer_lost() -> None:
    lane = Lane()
    (before,) = lane.show(scene((ANNA, (320, 190), 120))).faces
    assert len(lane.show(room(640, 360)).lost) == 1
    result = lane.show(scene((ANNA, (330, 195), 120)))
    assert [face.track_id for face in result.faces] == [before.track_id]
    assert result.lost == ()


# --- new faces ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("faces", ["largest", "all"])
def test_a_face_that_comes_in_at_the_edge_is_seen_in_the_same_frame(faces: str) -> None:
    lane = Lane(FilterSettings(faces=faces, redetect_ms=1000))
    for _ in range(4):
        before = lane.show(scene((ANNA, (200, 190), 110)))
    result = lane.show(scene((ANNA, (200, 190), 110), (BEA, (560, 190), 100)))
    assert not before.ran_detector
    assert result.ran_detector
    assert len(result.faces) + len(result.bystanders) == 2


def test_noise_is_no_change_at_the_edge() -> None:
    rng = np.random.default_rng(0)
    clean = scene((ANNA, (320, 190), 120))
    lane = Lane(ONE.replace(redetect_ms=1000))
    noisy = (np.clip(clean + rng.normal(0, 8, clean.shape), 0, 255).astype(np.uint8) for _ in range(10))
    assert [result.ran_detector for result in lane.run(noisy)] == [True] + [False] * 9


def test_only_the_largest_face_is_followed_and_the_others_are_named() -> None:
    lane = Lane()
    for _ in range(5):
        result = lane.show(scene((ANNA, (180, 190), 110), (BEA, (460, 190), 150)))
    (face,) = result.faces
    assert bbox_center(face.bbox)[0] == pytest.approx(460, abs=20)
    (bystander,) = result.bystanders
    assert bbox_center(bystander)[0] == pytest.approx(180, abs=20)


@pytest.mark.parametrize(("faces", "x"), [("leftmost", 180), ("rightmost", 460)])
def test_the_face_at_that_side_is_followed_whatever_its_size(faces: str, x: int) -> None:
    for sizes in ((110, 150), (150, 110)):
        lane = Lane(FilterSettings(faces=faces))
        for _ in range(3):
            result = lane.show(scene((ANNA, (180, 190), sizes[0]), (BEA, (460, 190), sizes[1])))
        (face,) = result.faces
        assert bbox_center(face.bbox)[0] == pytest.approx(x, abs=20)
        assert len(result.bystanders) == 1


def test_who_comes_in_further_left_takes_the_place_after_a_moment_and_not_before() -> None:
    lane = Lane(FilterSettings(faces="leftmost"))
    (first,) = lane.show(scene((BEA, (400, 190), 120))).faces
    both = scene((ANNA, (150, 190), 120), (BEA, (400, 190), 120))
    ids = [result.faces[0].track_id for result in lane.run([both] * 25)]
    assert ids[:12] == [first.track_id] * 12
    assert ids[-1] != first.track_id
    # Heads that are level do not take it from one another.
    level = [scene((ANNA, (250 + d, 110), 90), (BEA, (250 - d, 290), 90)) for d in (4, -4) * 12]
    lane = Lane(FilterSettings(faces="leftmost"))
    assert len({result.faces[0].track_id for result in lane.run(level)}) == 1


def test_a_face_of_about_the_same_size_does_not_take_the_place() -> None:
    lane = Lane()
    first = lane.show(scene((ANNA, (180, 190), 120)))
    for size in (122, 128, 118, 126) * 6:
        result = lane.show(scene((ANNA, (180, 190), 120), (BEA, (460, 190), size)))
        assert [face.track_id for face in result.faces] == [first.faces[0].track_id]


def test_a_much_larger_face_takes_the_place_after_a_while() -> None:
    lane = Lane()
    first = lane.show(scene((ANNA, (130, 200), 90)))
    crowd = scene((ANNA, (130, 200), 90), (BEA, (520, 190), 95), (BEA, (330, 190), 170))
    results = list(lane.run([crowd] * 25))
    assert results[8].faces[0].track_id == first.faces[0].track_id
    assert results[-1].faces[0].track_id != first.faces[0].track_id
    assert all(len(result.faces) == 1 for result in results)


def test_when_all_faces_are_wanted_all_at_once_they_are_looked_for_in_that_frame() -> None:
    picture = scene((ANNA, (180, 190), 130), (BEA, (460, 190), 110))
    lane = Lane(ONE.replace(redetect_ms=1000))
    for _ in range(4):
        result = lane.show(picture)
    assert (len(result.faces), result.ran_detector) == (1, False)
    lane.settings = lane.settings.replace(faces="all")
    result = lane.show(picture)
    assert (len(result.faces), result.ran_detector) == (2, True)
    assert not lane.show(picture).ran_detector


def test_whoever_may_come_back_is_known_for_a_while() -> None:
    lane = Lane(ALL.replace(lost_face_ms=100))
    for _ in range(3):
        (face,) = lane.show(scene((ANNA, (320, 190), 120))).faces
    results = list(lane.run([room(640, 360)] * 30))
    assert results[-1].lost == ()
    assert results[-1].known == {face.track_id}


def test_no_more_faces_are_followed_than_allowed() -> None:
    lane = Lane(ALL.replace(max_faces=2))
    picture, truths = FourFaces().frame(0)
    for _ in range(2):
        result = lane.show(picture)
    largest = sorted(truths, key=lambda t: -(t.bbox[3] - t.bbox[1]))[:2]
    assert len(result.faces) == 2
    assert all(min(error(face, t.landmarks) for t in largest) < 3 for face in result.faces)
    assert len(result.bystanders) >= 1


def test_a_face_smaller_than_the_least_is_not_followed() -> None:
    picture = scene((ANNA, (320, 190), 100))
    assert Lane(ONE.replace(min_face_px=64)).show(picture).faces
    assert Lane(ONE.replace(min_face_px=200)).show(picture).faces == ()


def test_a_face_of_which_the_landmarks_are_not_found_is_named() -> None:
    half_hidden = scene((ANNA, (320, 190), 200))
    half_hidden[:, 300:] = (90, 110, 80)
    lane = Lane()
    for _ in range(3):
        result = lane.show(half_hidden)
    assert result.faces == ()
    (box,) = result.bystanders
    assert bbox_center(box) == pytest.approx((300, 200), abs=40)


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("face_px", [64, 90, 125])
def test_small_faces_of_a_wide_frame_are_followed(size: tuple[int, int], face_px: int) -> None:
    center = 0.78 * size[0], 0.55 * size[1]
    lane, picture = Lane(), scene((ANNA, center, face_px), size=size)
    for _ in range(10):
        (face,) = lane.show(picture).faces
        assert bbox_center(face.bbox) == pytest.approx(center, abs=0.12 * face_px)


def test_somebody_small_who_walks_in_far_behind_is_found_where_all_faces_matter() -> None:
    lane = Lane(ALL)
    near = (ANNA, (400.0, 360.0), 300.0)
    for _ in range(5):
        assert len(lane.show(scene(near, size=(1280, 720))).faces) == 1
    crowd = scene(near, (BEA, (960, 300), 70), size=(1280, 720))
    results = list(lane.run([crowd] * 8))
    assert len(results[-1].faces) == 2


def test_a_small_face_that_is_lost_is_found_again_at_once() -> None:
    lane, picture = Lane(), scene((ANNA, (1000, 400), 70), size=(1280, 720))
    for _ in range(3):
        (before,) = lane.show(picture).faces
    lane.show(room(1280, 720))
    (after,) = lane.show(picture).faces
    assert after.track_id == before.track_id


# --- doubt -------------------------------------------------------------------------------------------


def test_a_face_that_a_hand_hides_is_no_face_to_swap() -> None:
    picture = scene((ANNA, (320, 190), 150))
    lane = Lane()
    for _ in range(10):
        (face,) = lane.show(picture).faces
    draw_hand(picture, (330, 200), 170)
    for _ in range(10):
        result = lane.show(picture)
        assert result.faces == ()
        assert [lost.track_id for lost in result.lost] == [face.track_id]
        assert iou(result.lost[0].bbox, face.bbox) > 0.5


def test_somebody_who_was_behind_a_book_is_the_same_person_again() -> None:
    clip = OccludedFace("object", count=60, width=640, height=360, face_px=150)
    lane = Lane()
    results = [lane.show(frame.rgb) for frame in clip.frames()]
    assert results[-1].faces[0].track_id == results[3].faces[0].track_id


def test_a_noisy_picture_is_no_doubt() -> None:
    rng = np.random.default_rng(0)
    dark = 0.35 * scene((ANNA, (320, 190), 120)).astype(np.float32)
    lane = Lane()
    for _ in range(40):
        noisy = np.clip(dark + rng.normal(0, 8, dark.shape), 0, 255).astype(np.uint8)
        assert len(lane.show(noisy).faces) == 1
