"""Who gets which part, by place and by picture, and who keeps it. Faces are boxes here; no network runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from doppel_ipc.settings import FilterSettings
from doppel_models.types import Face
from doppel_worker.casting import HIDDEN, MAIN, SHOWN, Casting, Fate, Part
from doppel_worker.likeness import Likeness
from doppel_worker.people import People
from doppel_worker.track_result import LostFace, TrackResult

WIDTH = 1000
FRAME = 33_000_000
SETTLING = 12
"""Frames that are enough for a face to get its part."""
FIRST, SECOND = Part(Fate.PERSON, 1), Part(Fate.PERSON, 2)
Places = Mapping[int, float]


def box(x: float, size: float = 100) -> np.ndarray:
    return np.array([x - size / 2, 200, x + size / 2, 200 + size], np.float32)


def face(track_id: int, x: float, size: float) -> Face:
    points = np.zeros((478, 3), np.float32)
    return Face(track_id, box(x, size), points, points, yaw=0.0, pitch=0.0, roll=0.0, presence=1.0)


def nobody(_face: Face) -> Likeness:
    raise AssertionError("there is no picture to compare with")


class Room:
    """A casting that is told who stands where (x of the middle, by track)."""

    def __init__(self, **settings: object) -> None:
        self.casting = Casting()
        self.settings = FilterSettings(faces="all").replace(**settings)  # type: ignore[arg-type]
        self.stamp = 0
        self.recognise: Callable[[Face], Likeness] = nobody
        self.sizes: dict[int, float] = {}

    def show(
        self,
        places: Places,
        frames: int = 1,
        *,
        lost: Places | None = None,
        gone: frozenset[int] = frozenset(),
    ) -> Mapping[int, Part]:
        """The parts in the last of so many frames."""
        for _ in range(frames):
            self.stamp += FRAME
            result = TrackResult(
                faces=tuple(face(one, x, self.sizes.get(one, 100)) for one, x in places.items()),
                lost=tuple(
                    LostFace(one, box(x), np.zeros((478, 3), np.float32), 50.0)
                    for one, x in (lost or {}).items()
                ),
                bystanders=(),
                ran_detector=True,
                known=frozenset(places) | frozenset(lost or {}) | gone,
            )
            people = People.of(self.settings)
            parts = self.casting.assign(result, people, WIDTH, self.stamp, self.recognise)
        return parts


LEFT_AND_RIGHT = {"person1_who": "leftmost", "person2_who": "rightmost"}


def test_until_a_face_has_its_part_it_is_hidden() -> None:
    room = Room(**LEFT_AND_RIGHT)
    assert room.show({1: 300, 2: 700}) == {1: HIDDEN, 2: HIDDEN}
    assert not room.casting.is_settled
    assert room.show({1: 300, 2: 700}, SETTLING) == {1: FIRST, 2: SECOND}
    assert room.casting.is_settled


def test_people_who_cross_keep_their_parts() -> None:
    room = Room(**LEFT_AND_RIGHT)
    room.show({1: 300, 2: 700}, SETTLING)
    for step in range(20):
        assert room.show({1: 300 + 20 * step, 2: 700 - 20 * step}) == {1: FIRST, 2: SECOND}
    assert room.show({1: 700, 2: 300}, 300) == {1: FIRST, 2: SECOND}


def test_two_who_are_not_found_in_the_same_frame_get_the_parts_of_their_places() -> None:
    room = Room(person1_who="leftmost")
    room.show({2: 700}, 3)
    assert room.show({1: 300, 2: 700}, SETTLING) == {1: FIRST, 2: MAIN}


def test_who_comes_back_in_time_is_who_they_were_and_nobody_takes_the_place_meanwhile() -> None:
    room = Room(person1_who="leftmost")
    room.show({1: 300, 2: 700}, SETTLING)
    assert room.show({2: 700}, 3, lost={1: 290})[1] == FIRST
    assert room.show({2: 700}, 200, gone=frozenset({1})) == {2: MAIN}
    assert room.show({2: 700, 3: 100}, SETTLING, gone=frozenset({1})) == {2: MAIN, 3: MAIN}
    assert room.show({1: 900, 2: 700, 3: 100}) == {1: FIRST, 2: MAIN, 3: MAIN}


def test_the_place_of_somebody_who_is_forgotten_is_free_for_whoever_comes() -> None:
    room = Room(person1_who="leftmost")
    room.show({1: 300, 2: 700}, SETTLING)
    room.show({2: 700}, 3)
    assert room.show({2: 700, 3: 200}, SETTLING) == {2: MAIN, 3: FIRST}
    # Who was there before keeps what they have.
    assert Room(person1_who="leftmost").show({2: 700, 3: 200}, SETTLING) == {2: MAIN, 3: FIRST}


@pytest.mark.parametrize(
    ("who", "x", "part"),
    [("leftmost", 300, FIRST), ("leftmost", 520, MAIN), ("rightmost", 480, MAIN), ("rightmost", 700, FIRST),
     ("leftmost", 700, MAIN), ("second-left", 700, MAIN), ("largest", 520, FIRST)],
)  # fmt: skip
def test_somebody_alone_is_at_a_side_only_where_they_are_off_the_middle(
    who: str, x: float, part: Part
) -> None:
    assert Room(person1_who=who).show({1: x}, SETTLING) == {1: part}


@pytest.mark.parametrize(
    ("who", "track"),
    [("leftmost", 3), ("second-left", 1), ("second-right", 4), ("rightmost", 2), ("largest", 4)],
)
def test_each_place_is_found(who: str, track: int) -> None:
    room = Room(person1_who=who)
    room.sizes = {4: 130}
    parts = room.show({1: 300, 2: 900, 3: 100, 4: 600}, SETTLING)
    assert parts == {**dict.fromkeys((1, 2, 3, 4), MAIN), track: FIRST}


def test_a_still_picture_is_decided_when_it_is_judged_again() -> None:
    room = Room(person1_who="leftmost")
    room.show({1: 300, 2: 700})
    room.stamp -= FRAME
    assert room.show({1: 300, 2: 700}) == {1: FIRST, 2: MAIN}


def test_new_settings_hold_at_once_and_the_main_persona_is_worn_until_then() -> None:
    room = Room(person1_who="leftmost")
    room.show({1: 300, 2: 700}, SETTLING)
    room.settings = room.settings.replace(person1_who="rightmost")
    assert room.show({1: 300, 2: 700}) == {1: MAIN, 2: FIRST}
    # Another persona for the same person is no reason to look for people anew.
    room.settings = room.settings.replace(person1_persona="bronze", person1_becomes="blur")
    assert room.show({1: 900, 2: 200}) == {1: MAIN, 2: FIRST}


# --- by picture --------------------------------------------------------------------------------------


def test_a_face_is_hidden_until_it_is_known_whose_it_is() -> None:
    room = Room(person1_who="picture", person1_picture="/bea.png")
    room.recognise = lambda _face: Likeness(None)
    assert room.show({1: 300, 2: 700}, 100) == {1: HIDDEN, 2: HIDDEN}
    room.recognise = lambda face: Likeness(1 if face.track_id == 2 else 0)
    assert room.show({1: 300, 2: 700}) == {1: MAIN, 2: FIRST}
    # It is known now: nobody is asked about again.
    room.recognise = nobody
    assert room.show({1: 700, 2: 300}) == {1: MAIN, 2: FIRST}


def test_who_is_on_a_picture_is_not_taken_by_place() -> None:
    room = Room(person1_who="leftmost", person2_who="picture", person2_picture="/bea.png")
    room.recognise = lambda face: Likeness(2 if face.track_id == 1 else 0)
    assert room.show({1: 300, 2: 700}, SETTLING) == {1: SECOND, 2: MAIN}


def test_while_there_is_no_recogniser_nobody_is_shown_who_may_be_meant() -> None:
    unknown = Likeness(0, is_sure=False, lasts=False)
    settings = {
        "person1_who": "picture",
        "person1_picture": "/bea.png",
        "faces": "named",
        "others": "original",
    }
    room = Room(**settings)
    room.recognise = lambda _face: unknown
    assert room.show({1: 300}, 100) == {1: HIDDEN}
    room.recognise = lambda _face: Likeness(0)
    assert room.show({1: 300}) == {1: SHOWN}
    everybody = Room(**{**settings, "faces": "all"})
    everybody.recognise = lambda _face: unknown
    assert everybody.show({1: 300}, 100) == {1: MAIN}


def test_a_face_that_cannot_be_told_is_not_shown() -> None:
    room = Room(person1_who="picture", person1_picture="/bea.png", faces="named", others="original")
    room.recognise = lambda _face: Likeness(0, is_sure=False)
    assert room.show({1: 300}, 100) == {1: HIDDEN}


# --- everybody else ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("others", "part"), [("blur", HIDDEN), ("original", SHOWN)])
def test_where_only_named_people_are_swapped_the_others_are_blurred_or_shown(others: str, part: Part) -> None:
    room = Room(faces="named", others=others, person1_who="leftmost")
    assert room.show({1: 300, 2: 700}, SETTLING) == {1: FIRST, 2: part}


def test_the_main_persona_goes_to_the_largest_of_the_others_and_stays_for_a_while() -> None:
    room = Room(faces="largest", person1_who="leftmost")
    room.sizes = {1: 200, 2: 100, 3: 90}
    assert room.show({1: 200, 2: 500, 3: 800}, SETTLING) == {1: FIRST, 2: MAIN, 3: SHOWN}
    room.sizes[3] = 150
    assert room.show({1: 200, 2: 500, 3: 800}, 10) == {1: FIRST, 2: MAIN, 3: SHOWN}
    # Who was swapped a moment ago is not shown.
    assert room.show({1: 200, 2: 500, 3: 800}, 20) == {1: FIRST, 2: HIDDEN, 3: MAIN}


def test_nobody_is_shown_while_the_one_with_the_main_persona_is_out_of_sight() -> None:
    room = Room(faces="rightmost", person1_who="leftmost")
    room.show({1: 200, 2: 500, 3: 800}, SETTLING)
    parts = room.show({1: 200, 2: 500}, 5, lost={3: 800})
    assert (parts[1], parts[2]) == (FIRST, HIDDEN)
    assert room.show({1: 200, 2: 500}, 30, lost={3: 800})[2] == MAIN


def test_before_people_are_told_apart_whoever_is_followed_goes_on_with_the_main_persona() -> None:
    room = Room(person1_who="picture", person1_picture="/bea.png")
    room.stamp += FRAME
    tracked = TrackResult((face(1, 300, 100),), (), (), ran_detector=True, known=frozenset({1}))
    room.casting.watch(tracked, room.stamp)
    room.recognise = lambda _face: Likeness(None)
    assert room.show({1: 300, 2: 700}, 5) == {1: MAIN, 2: HIDDEN}


# --- while it is not clear whether somebody new is who was here ----------------------------------------


NAMED_ALONE = {"person1_who": "leftmost", "faces": "named", "others": "original"}


@pytest.mark.parametrize("lost", [{}, {1: 300}], ids=["remembered", "lost"])
def test_who_may_be_the_owner_of_a_place_is_not_shown(lost: Places) -> None:
    room = Room(**NAMED_ALONE)
    assert room.show({1: 300, 2: 700}, SETTLING) == {1: FIRST, 2: SHOWN}
    # The same man, whom the tracker does not know again.
    for _ in range(100):
        parts = room.show({3: 200, 2: 700}, lost=lost, gone=frozenset({1}))
        assert (parts[2], parts[3]) == (SHOWN, HIDDEN)
    assert room.casting.is_settled
    # When his first track is forgotten the place is his.
    assert room.show({3: 200, 2: 700}) == {3: FIRST, 2: SHOWN}


def test_who_is_not_the_owner_of_a_place_is_shown_when_the_owner_is_back() -> None:
    room = Room(**NAMED_ALONE)
    room.show({1: 300}, SETTLING)
    assert room.show({3: 700}, SETTLING, gone=frozenset({1})) == {3: HIDDEN}
    assert room.show({1: 300, 3: 700}, SETTLING) == {1: FIRST, 3: SHOWN}


@pytest.mark.parametrize("faces", ["largest", "rightmost"])
def test_who_may_be_the_owner_of_a_place_gets_no_part_while_a_guest_has_the_main_persona(faces: str) -> None:
    room = Room(faces=faces, person1_who="leftmost")
    room.sizes = {3: 200}
    assert room.show({1: 300, 2: 700}, SETTLING) == {1: FIRST, 2: MAIN}
    for x in (200, 900):
        for _ in range(40):
            assert room.show({3: x, 2: 700}, gone=frozenset({1})) == {3: HIDDEN, 2: MAIN}
    assert room.show({3: 200, 2: 700}) == {3: FIRST, 2: MAIN}


def test_who_may_be_somebody_else_does_not_get_the_place_of_a_person_who_is_shown() -> None:
    room = Room(faces="named", **LEFT_AND_RIGHT, person2_becomes="original")
    room.show({1: 300}, SETTLING)
    assert room.show({3: 700}, SETTLING, gone=frozenset({1})) == {3: HIDDEN}
    assert room.show({1: 300, 3: 700}, SETTLING) == {1: FIRST, 3: SECOND}


def test_where_everybody_is_swapped_nobody_new_waits_for_the_owner_of_a_place() -> None:
    room = Room(person1_who="leftmost")
    room.show({1: 300, 2: 700}, SETTLING)
    assert room.show({2: 700, 3: 100}, gone=frozenset({1})) == {2: MAIN, 3: MAIN}
    assert room.show({2: 700, 3: 100}, SETTLING) == {2: MAIN, 3: FIRST}


@pytest.mark.parametrize(
    ("first", "both", "parts"),
    [
        ({1: 300}, {1: 300, 2: 100}, {1: SHOWN, 2: FIRST}),
        ({1: 500}, {1: 500, 2: 700}, {1: FIRST, 2: SHOWN}),
    ],
)
def test_two_whom_a_search_after_a_change_finds_in_different_frames_get_their_own_parts(
    first: Places, both: Places, parts: Mapping[int, Part]
) -> None:
    room = Room(faces="named", others="blur", person1_who="picture", person1_picture="/bea.png")
    room.recognise = lambda _face: Likeness(0)
    room.show(first, SETTLING)
    room.recognise = nobody
    room.settings = FilterSettings(**NAMED_ALONE)  # type: ignore[arg-type]
    assert SHOWN not in room.show(first, 2).values()
    assert SHOWN not in room.show(both).values()
    assert room.show(both, SETTLING) == parts


def test_a_still_picture_is_decided_when_it_is_judged_again_after_a_change() -> None:
    room = Room(faces="all")
    room.show({1: 300, 2: 700})
    room.settings = FilterSettings(**NAMED_ALONE)  # type: ignore[arg-type]
    for _ in range(2):
        room.stamp -= FRAME
        assert room.show({1: 300, 2: 700}) == {1: FIRST, 2: SHOWN}
        assert room.casting.is_settled


# --- while nobody is told apart ------------------------------------------------------------------------


def watch(room: Room, followed: Places, *, lost: Places | None = None) -> bool:
    room.stamp += FRAME
    hidden = tuple(LostFace(one, box(x), np.zeros((478, 3)), 50.0) for one, x in (lost or {}).items())
    faces = tuple(face(one, x, 100) for one, x in followed.items())
    known = frozenset(followed) | frozenset(lost or {})
    return room.casting.watch(TrackResult(faces, hidden, (), ran_detector=False, known=known), room.stamp)


def test_the_same_faces_again_are_nothing_new() -> None:
    room = Room(faces="largest", person1_who="leftmost")
    assert watch(room, {1: 300})
    assert not watch(room, {1: 320})
    assert watch(room, {1: 320, 2: 700})
    assert watch(room, {1: 320}, lost={2: 700})
    assert watch(room, {}, lost={1: 320, 2: 700})
    assert not watch(room, {}, lost={1: 320, 2: 700})
    room.show({1: 320, 2: 700}, SETTLING)
    assert watch(room, {1: 320, 2: 700})


def test_who_was_swapped_while_nobody_was_told_apart_is_not_shown_by_a_change() -> None:
    room = Room(faces="largest", person1_who="leftmost")
    for _ in range(5):
        watch(room, {2: 500, 3: 800})
    for _ in range(5):
        watch(room, {3: 800})
    room.sizes = {3: 150}
    parts = room.show({1: 200, 2: 500, 3: 800, 4: 900}, SETTLING)
    assert parts == {1: FIRST, 2: SHOWN, 3: MAIN, 4: SHOWN}
    watched = Room(faces="largest", person1_who="leftmost")
    for _ in range(5):
        watch(watched, {2: 500, 3: 800})
    watched.sizes = {3: 150}
    assert watched.show({1: 200, 2: 500, 3: 800}, SETTLING) == {1: FIRST, 2: HIDDEN, 3: MAIN}
