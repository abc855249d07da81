"""Who gets which part, by place and by picture, and who keeps it. Faces are boxes here; no network runs."""

from __future__ import annotations

import pytest
from doppel_worker.casting import HIDDEN, MAIN, SHOWN, Part
from doppel_worker.likeness import Likeness
from doppel_worker.track_result import TrackResult

from tests.support.casting_room import FIRST, FRAME, LEFT_AND_RIGHT, SECOND, SETTLING, Room, face, nobody


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
