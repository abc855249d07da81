"""Casting while it is not clear whether somebody new is who was here, and while nobody is told apart."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from doppel_ipc.settings import FilterSettings
from doppel_worker.casting import HIDDEN, MAIN, SHOWN, Part
from doppel_worker.likeness import Likeness

from tests.support.casting_room import (
    FIRST,
    FRAME,
    LEFT_AND_RIGHT,
    SECOND,
    SETTLING,
    Places,
    Room,
    nobody,
    watch,
)

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
    room.settings = FilterSettings(**NAMED_ALONE)
    assert SHOWN not in room.show(first, 2).values()
    assert SHOWN not in room.show(both).values()
    assert room.show(both, SETTLING) == parts


def test_whom_a_search_finds_late_after_a_second_change_is_told_apart_like_after_the_first() -> None:
    room = Room(faces="all")
    room.show({1: 300, 2: 100}, SETTLING)
    room.settings = FilterSettings(faces="named", person1_who="rightmost")
    assert room.show({1: 300, 2: 100})[1] == FIRST
    room.settings = FilterSettings(**NAMED_ALONE)
    room.show({1: 300}, gone=frozenset({2}))
    assert room.show({1: 300, 2: 100}, SETTLING) == {1: SHOWN, 2: FIRST}


@pytest.mark.parametrize("faces", ["largest", "named"])
def test_who_may_be_an_owner_or_on_a_picture_gets_no_part_and_may_get_one_without_a_further_frame(
    faces: str,
) -> None:
    pictured = {"person2_who": "picture", "person2_picture": "/bea.png"}
    room = Room(faces=faces, others="original", person1_who="leftmost", **pictured)
    room.recognise = lambda _face: Likeness(0, is_sure=False, lasts=False)
    assert room.show({1: 300}, SETTLING) == {1: FIRST}
    assert room.show({3: 700}, 2 * SETTLING, gone=frozenset({1})) == {3: HIDDEN}
    assert not room.casting.is_settled, "the recogniser may come"


def test_a_still_picture_is_decided_when_it_is_judged_again_after_a_change() -> None:
    room = Room(faces="all")
    room.show({1: 300, 2: 700})
    room.settings = FilterSettings(**NAMED_ALONE)
    moving = Room(faces="all")
    moving.show({1: 300, 2: 700})
    moving.settings = room.settings
    moving.show({1: 300, 2: 700})
    assert not moving.casting.is_settled, "it may be the last frame"
    for _ in range(2):
        room.stamp -= FRAME
        assert room.show({1: 300, 2: 700}) == {1: FIRST, 2: SHOWN}
        assert room.casting.is_settled


# --- while nobody is told apart ------------------------------------------------------------------------


def test_the_same_faces_again_are_nothing_new() -> None:
    room = Room(faces="largest", person1_who="leftmost")
    assert watch(room, {1: 300})
    assert not watch(room, {1: 320})
    assert watch(room, {1: 320, 2: 700})
    assert watch(room, {1: 320}, lost={2: 700})
    assert watch(room, {}, lost={1: 320, 2: 700})
    assert not watch(room, {}, lost={1: 320, 2: 700})
    assert watch(room, {1: 320, 2: 700})
    room.show({1: 320, 2: 700}, SETTLING)
    assert watch(room, {1: 320, 2: 700}), "people were told apart meanwhile"


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
    away = Room(faces="largest", person1_who="leftmost")
    watch(away, {2: 500, 3: 800})
    watch(away, {3: 800}, lost={2: 500})
    away.sizes = {3: 150}
    assert away.show({1: 200, 2: 500, 3: 800}, SETTLING) == {1: FIRST, 2: HIDDEN, 3: MAIN}
