"""The engines of people with a face of their own: prepared beside those in use, then exchanged."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from doppel_models.sentences import both, sentence

from doppel_worker.assets import PersonaKey, PersonaLoader, PersonaSlot
from doppel_worker.people import People, Person
from doppel_worker.report import PipelineEvent


class CastEngines:
    """The people in use in one lane, and their engines.

    A slot here never goes from one persona to another: a face that changes hands cannot wear the persona of
    whoever had the place before.
    """

    def __init__(self) -> None:
        self.people = People()
        """Those in use, which may not be the wanted ones yet."""
        self.is_settled = True
        """False while what is wanted is prepared."""
        self._is_new = True
        self._slots: dict[PersonaKey, PersonaSlot] = {}
        self._keys: dict[int, PersonaKey] = {}
        """Of the people in use, by their number."""

    def follow(
        self, wanted: People, main: PersonaKey, loader: PersonaLoader
    ) -> tuple[str, tuple[PipelineEvent, ...]]:
        """Take the wanted people if all that they wear is ready, or cannot be had; else prepare it.

        Args:
            wanted: by the settings.
            main: of the main persona.
            loader: makes engines.

        Returns:
            What to tell on the status line (empty: nothing), and events.
        """
        if not wanted.persons and not self.people.persons:
            self.people, self._is_new, self.is_settled = wanted, False, True
            return "", ()
        keys = wanted.keys(main)
        texts, events = self._prepare(keys, loader)
        self.is_settled = all(self._slots[key].is_decided for key in keys.values())
        # Who is shown as filmed is not shown for as long as something else is loaded.
        if self.is_settled or self._is_new or self.people.shows_filmed:
            self._exchange(wanted, keys)
        kept = {*keys.values(), *self._keys.values()}
        self._slots = {key: slot for key, slot in self._slots.items() if key in kept}
        return both(*texts), tuple(events)

    def slot(self, person: Person) -> PersonaSlot | None:
        """What a person in use wears; None: nothing, or not yet, and their face must be hidden."""
        key = self._keys.get(person.number)
        slot = None if key is None else self._slots.get(key)
        return None if slot is None or slot.engine is None else slot

    def keep_states(self, track_ids: Iterable[int]) -> None:
        """Forget every face but these."""
        known = list(track_ids)
        for slot in self._slots.values():
            slot.keep_states(known)

    def forget_faces(self) -> None:
        """Forget every face: what is remembered may be broken."""
        for slot in self._slots.values():
            slot.forget_faces()

    def _prepare(
        self, keys: dict[int, PersonaKey], loader: PersonaLoader
    ) -> tuple[list[str], list[PipelineEvent]]:
        texts: list[str] = []
        events: list[PipelineEvent] = []
        for key in {**dict.fromkeys(self._keys.values()), **dict.fromkeys(keys.values())}:
            status, news = self._slots.setdefault(key, PersonaSlot()).follow(key, loader)
            numbers = [number for number, one in keys.items() if one == key]
            who = ", ".join(map(str, numbers))
            if status and numbers:
                texts.append(_of_person(who, status))
            if who:  # else it is in use and no longer wanted
                news = tuple(dataclasses.replace(one, message=_of_person(who, one.message)) for one in news)
            events += news
        return texts, events

    def _exchange(self, wanted: People, keys: dict[int, PersonaKey]) -> None:
        """Whose persona is not loaded, or cannot be, keeps the one before it, if they are known as before."""
        worn = dict(keys)
        for number, key in keys.items():
            before = self._keys.get(number)
            old = None if before is None else self._slots.get(before)
            is_same = _known_by(self.people, number) == _known_by(wanted, number)
            if is_same and self._slots[key].engine is None and old and old.engine:
                worn[number] = before or key
        self.people, self._keys, self._is_new = wanted, worn, False


def _of_person(number: str, why: str) -> str:
    return sentence("people.status", "person {number}: {why}", number=number, why=why)


def _known_by(people: People, number: int) -> tuple[str, str] | None:
    """By what a person is told from others; under another one the number is another person's."""
    person = people.find(number)
    return None if person is None else (person.who, person.picture)
