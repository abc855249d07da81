"""Engines of several people: prepared beside those in use, exchanged together."""

from __future__ import annotations

import threading

import pytest
from doppel_ipc.settings import FilterSettings
from doppel_models.engines.base import FaceEngine
from doppel_worker.assets import PersonaKey, PersonaLoader
from doppel_worker.cast_engines import CastEngines
from doppel_worker.errors import PersonaError
from doppel_worker.people import People

from tests.support.stage import mask_engine

MAIN = PersonaKey("porcelain")
BROKEN = "broken"


class House:
    """Two personas that are there, and one that is not; nothing is ready before it is let."""

    def __init__(self, *, ready: bool = True) -> None:
        self.ready = threading.Event()
        self.loader = PersonaLoader(self._load)
        self.cast = CastEngines()
        self.settings = FilterSettings(faces="all")
        if ready:
            self.ready.set()

    def _load(self, key: PersonaKey) -> FaceEngine:
        self.ready.wait(30)
        if key.persona == BROKEN:
            raise PersonaError("it is broken")
        return mask_engine(key.persona)

    def change(self, **settings: object) -> str:
        """The status line's text after a frame with these settings."""
        self.settings = self.settings.replace(**settings)
        return self.follow()

    def follow(self) -> str:
        return self.cast.follow(People.of(self.settings), MAIN, self.loader)[0]

    def wait(self, *names: str) -> None:
        self.ready.set()
        for name in names:
            try:
                self.loader.wait(PersonaKey(name))
            except PersonaError:
                assert name == BROKEN
            self.follow()

    def worn(self, number: int = 1) -> FaceEngine | None:
        person = self.cast.people.find(number)
        slot = None if person is None else self.cast.slot(person)
        return None if slot is None else slot.engine


def test_in_a_new_lane_nobody_wears_anything_until_it_is_ready() -> None:
    house = House(ready=False)
    assert house.change(person1_who="leftmost", person1_persona="bronze") == "person 1: preparing bronze"
    assert (house.worn(), house.cast.is_settled) == (None, False)
    house.wait("bronze")
    assert (house.worn(), house.cast.is_settled) == (mask_engine("bronze"), True)


def test_another_persona_comes_when_it_is_ready_and_the_one_before_stays_until_then() -> None:
    house = House()
    house.change(person1_who="leftmost", person1_persona="bronze")
    house.wait("bronze")
    house.ready.clear()
    house.change(person1_persona="porcelain", person1_who="rightmost")
    person = house.cast.people.find(1)
    assert person is not None
    assert (person.who, house.worn()) == ("leftmost", mask_engine("bronze"))
    house.wait("porcelain")
    person = house.cast.people.find(1)
    assert person is not None
    assert (person.who, house.worn()) == ("rightmost", mask_engine("porcelain"))


def test_who_is_shown_as_filmed_is_not_shown_while_something_else_is_loaded() -> None:
    house = House()
    house.change(person1_who="leftmost", person1_becomes="original")
    house.ready.clear()
    house.change(person1_becomes="blur", person2_who="rightmost", person2_persona="bronze")
    person = house.cast.people.find(1)
    assert person is not None
    assert person.becomes == "blur"
    assert house.worn(2) is None
    house.wait("bronze")
    assert house.worn(2) is mask_engine("bronze")


@pytest.mark.parametrize("faces", ["all", "named"])
@pytest.mark.parametrize("before", ["largest", "leftmost", "rightmost"])
def test_whom_one_face_alone_leaves_as_filmed_is_not_shown_while_something_is_loaded(
    before: str, faces: str
) -> None:
    house = House()
    house.change(faces=before, person1_who="leftmost", person1_persona="bronze")
    house.wait("bronze")
    house.ready.clear()
    house.change(faces=faces, person2_who="rightmost", person2_persona="porcelain")
    assert house.cast.people.faces == faces
    assert (house.worn(1), house.worn(2)) == (mask_engine("bronze"), None)
    house.wait("porcelain")
    assert (house.worn(1), house.worn(2)) == (mask_engine("bronze"), mask_engine("porcelain"))


def test_a_persona_is_worn_on_while_its_successor_is_loaded_although_the_people_are_exchanged() -> None:
    house = House()
    house.change(faces="largest", person1_who="leftmost", person1_persona="bronze")
    house.wait("bronze")
    house.ready.clear()
    house.change(faces="all", person1_persona="porcelain")
    assert (house.cast.people.faces, house.worn()) == ("all", mask_engine("bronze"))
    house.wait("porcelain")
    assert house.worn() is mask_engine("porcelain")


def test_a_number_that_is_somebody_else_now_does_not_keep_the_persona_of_whoever_had_it() -> None:
    house = House()
    house.change(person1_who="leftmost", person1_persona="bronze")
    house.wait("bronze")
    house.change(person1_who="rightmost", person1_persona=BROKEN)
    house.wait(BROKEN)
    assert house.worn() is None
    house.change(person1_who="picture", person1_picture="/a.png", person1_persona="bronze")
    house.wait("bronze")
    house.change(person1_picture="/b.png", person1_persona=BROKEN)
    house.wait(BROKEN)
    assert house.worn() is None


def test_a_persona_that_cannot_be_had_leaves_the_one_before_it_and_the_others_change() -> None:
    house = House()
    house.change(person1_who="leftmost", person1_persona="bronze")
    house.wait("bronze")
    house.change(person1_persona=BROKEN, person2_who="rightmost", person2_persona="porcelain")
    house.wait(BROKEN, "porcelain")
    assert (house.worn(1), house.worn(2)) == (mask_engine("bronze"), mask_engine("porcelain"))
    assert "person 1: it is broken" in house.follow()
    # Somebody new has none before it.
    house.change(person3_who="largest", person3_persona=BROKEN)
    assert house.worn(3) is None
    assert "person 1, 3: it is broken" in house.follow()


def test_a_slot_goes_with_the_last_who_wears_it() -> None:
    house = House()
    house.change(person1_who="leftmost", person1_persona="bronze")
    house.wait("bronze")
    house.change(person1_who="nobody")
    assert house.cast.people.persons == ()
    house.change(person1_who="leftmost")
    house.wait("bronze")
    assert house.worn() is mask_engine("bronze")
