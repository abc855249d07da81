"""Who in the picture gets which face: the people whom the settings name, and everybody else."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from doppel_ipc.settings import PERSONS, FilterSettings
from doppel_models.geometry import bbox_center, bbox_size
from doppel_models.types import FloatArray

from doppel_worker.assets import PersonaKey

BY_PICTURE = "picture"
"""``who`` of a person who is known by an example picture; any other one is a place."""
_NOBODY, _NAMED, _ALL = "nobody", "named", "all"
_MIDDLE = 0.1
"""Somebody alone counts as left or right only when further from the frame's middle, parts of its width."""


@dataclasses.dataclass(frozen=True, slots=True)
class Person:
    """One person whom the settings name; the fields are those of ``personN_...``."""

    number: int
    """1 and on, as in the settings."""
    who: str
    picture: str
    becomes: str
    persona: str

    @property
    def is_swapped(self) -> bool:
        """Whether their face is given a persona."""
        return self.becomes == "persona"


@dataclasses.dataclass(frozen=True, slots=True)
class People:
    """Everybody, as one set of settings has it."""

    persons: tuple[Person, ...] = ()
    faces: str = "largest"
    """Who of those that are not named gets the main persona: the setting of that name."""
    others: str = "blur"
    """What becomes of them where only named people are swapped."""

    @classmethod
    def of(cls, settings: FilterSettings) -> People:
        """The people of a filter's settings."""
        found = []
        for number in PERSONS:
            who, picture, becomes, persona = (
                getattr(settings, f"person{number}_{part}")
                for part in ("who", "picture", "becomes", "persona")
            )
            if who != _NOBODY:
                found.append(Person(number, who, picture if who == BY_PICTURE else "", becomes, persona))
        return cls(tuple(found), settings.faces, settings.others)

    @property
    def is_cast(self) -> bool:
        """Whether faces are told apart at all: else whoever is followed gets the main persona."""
        return bool(self.persons) or self.faces == _NAMED

    @property
    def shows_filmed(self) -> bool:
        """Whether a named person's face is shown as filmed, or those of others who are not swapped."""
        others = self.others == "original" if self.faces == _NAMED else self.faces != _ALL
        return others or any(person.becomes == "original" for person in self.persons)

    @property
    def places(self) -> tuple[object, ...]:
        """What decides who is who; the people are told apart anew when it changes."""
        return self.faces, tuple((one.number, one.who, one.picture) for one in self.persons)

    def keys(self, main: PersonaKey) -> dict[int, PersonaKey]:
        """What the people wear, by their numbers, for those who wear something.

        Where no persona is chosen for somebody, it is the main one.

        Args:
            main: the main persona's; the engine and its helpers are the same for all.
        """
        return {
            one.number: dataclasses.replace(main, persona=one.persona or main.persona)
            for one in self.persons
            if one.is_swapped and (one.persona or main.persona)
        }

    def find(self, number: int) -> Person | None:
        """The person of that number."""
        return next((one for one in self.persons if one.number == number), None)


def at_place(who: str, boxes: Mapping[int, FloatArray], width: int) -> int | None:
    """The track of the face at a place; None: nobody is there.

    Args:
        who: the place, as in the settings.
        boxes: (4,) around each face, pixels of the frame.
        width: of the frame, pixels.
    """
    if who == "largest":
        return max(boxes, key=lambda one: bbox_size(boxes[one]), default=None)
    middles = {one: bbox_center(box)[0] for one, box in boxes.items()}
    row = sorted(middles, key=lambda one: middles[one])
    if len(row) == 1:
        off = middles[row[0]] / width - 0.5
        side = "leftmost" if off < -_MIDDLE else "rightmost" if off > _MIDDLE else ""
        return row[0] if who == side else None
    index = {"leftmost": 0, "second-left": 1, "second-right": -2, "rightmost": -1}[who]
    return row[index] if len(row) >= 2 else None
