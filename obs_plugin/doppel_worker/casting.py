"""Which followed face is whose: by the place where it came into view, or by an example picture.

A face is given its part when it has been in view for a moment, and keeps it for as long as the tracker knows
its identity: people who cross do not exchange personas, and who comes back in time is who they were. Until a
face has its part it is hidden: it is not shown, and wears nobody's persona for an instant. Nor is anybody new
shown while somebody with a place is out of view: it may be them, and the tracker has not known them again.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Mapping

from doppel_models.types import Face, FloatArray

from doppel_worker.likeness import NO_PICTURES, Likeness, Recognise
from doppel_worker.one_place import PATIENCE, rank, takes_over
from doppel_worker.people import BY_PICTURE, People, Person, at_place
from doppel_worker.track_result import TrackResult

SETTLE_NS = 300_000_000
"""How long a face has been in view when its place is read, nanoseconds of the frames' time: two people
who come into view together are not found in the same frame by every search."""
_LONGEST_STEP = 500_000_000
_NOMINAL_STEP = 33_000_000
_REST = 0
"""Number of those who are nobody in particular."""
_NOBODY = People()


class Fate(enum.Enum):
    """What is done with a face."""

    MAIN = "main"
    """It gets the main persona."""
    PERSON = "person"
    """It is a named person's."""
    SHOWN = "shown"
    """It is shown as filmed, by the user's choice."""
    HIDDEN = "hidden"
    """It is blurred."""


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """What a followed face is in this frame."""

    fate: Fate
    person: int = _REST
    """The named person's number."""


MAIN, SHOWN, HIDDEN = Part(Fate.MAIN), Part(Fate.SHOWN), Part(Fate.HIDDEN)


class Casting:
    """The parts of one lane's faces."""

    def __init__(self) -> None:
        self._people = _NOBODY
        self._placed: dict[int, int] = {}
        """Track -> person's number, or 0."""
        self._unsure: set[int] = set()
        """Of those: nobody's for all one can tell."""
        self._first_seen: dict[int, int] = {}
        self._worn: set[int] = set()
        """Who wore the main persona in the last frame: they go on until what is theirs is there."""
        self._main: int | None = None
        """The track that has the main persona, where one has."""
        self._main_seen = 0
        self._had_face: set[int] = set()
        """Who was swapped, or named, since they came."""
        self._better_since: int | None = None
        self._now = 0
        self._stamp: int | None = None
        self._changed: int | None = None
        """When the settings changed, for a moment after that."""
        self._told: set[int] = set()
        """Who was there when the places were read after it."""
        self._watched: tuple[list[int], list[int], frozenset[int]] | None = None
        """Who was followed, lost and known in the last frame, if nobody was told apart in it."""
        self.is_settled = True
        """False: some face has no part yet, or may get another one without a further frame."""
        self.met: set[int] = set()
        """Numbers of the named people who have been in view at some time."""

    def assign(
        self, tracked: TrackResult, people: People, width: int, timestamp_ns: int, recognise: Recognise
    ) -> Mapping[int, Part]:
        """The part of every face that is followed or lost; call once a frame, in order.

        Args:
            tracked: the frame's faces.
            people: who shall be told apart.
            width: of the frame, pixels.
            timestamp_ns: the frame's.
            recognise: what the example pictures say of a face; asked only where there are some.
        """
        self._watched = None
        is_first, stands = self._stamp is None, self._advance(timestamp_ns)
        boxes = self._see(tracked)
        if people.places != self._people.places:
            self._placed.clear()
            self._unsure.clear()
            self._main = self._better_since = None
            self._changed, self._told = None if is_first else self._now, set()
        self._people = people
        # The same frame again: no other one may come. A change: everybody was looked for in this very frame.
        is_new = self._is_new(boxes)
        undecided = [face for face in tracked.faces if face.track_id not in self._placed]
        by_place = self._by_picture(undecided, recognise)
        passing = {one for one, likeness in by_place.items() if not likeness.lasts}
        settled = {
            one for one in by_place if stands or is_new or self._now - self._first_seen[one] >= SETTLE_NS
        }
        # Not everybody is known who may come back, or may be found yet: nobody new is shown.
        is_away = bool(by_place) and self._is_away(tracked.faces)
        hold = is_away or (is_new and not stands)
        if by_place:
            # Nobody waits where no place is free.
            settled = set(by_place) if not self._free() else settled
            self._by_place(settled, boxes, width, shows=not hold)
        waiting = settled - self._placed.keys() if hold else set()
        for track_id in settled - self._placed.keys() - passing - waiting:
            self._placed[track_id] = _REST
            if not by_place[track_id].is_sure:
                self._unsure.add(track_id)
        rest = settled & passing - self._placed.keys()
        # Who waits may be somebody in particular; where everybody is swapped that need not be known.
        rest = rest | waiting if people.faces == "all" else rest - waiting
        # Who waits for somebody away does so until other frames come.
        decided = self._placed.keys() | (waiting - passing if is_away else set())
        self.is_settled = all(face.track_id in decided for face in tracked.faces)
        return self._parts(tracked.faces, boxes, rest)

    def goes_on(self, track_id: int) -> bool:
        """Whether a face wore the main persona until it was a named person's, and nothing else since."""
        return track_id in self._worn

    def dress(self, track_ids: Iterable[int]) -> None:
        """These faces have what is theirs now: the main persona is not for them any more."""
        self._worn.difference_update(track_ids)

    def watch(self, tracked: TrackResult, timestamp_ns: int) -> bool:
        """Instead of :meth:`assign`, while nobody is told apart: who is followed has the main persona.

        Returns:
            False if the same faces are seen as in the last frame, and nothing else has changed.
        """
        self._advance(timestamp_ns)
        watched = [face.track_id for face in tracked.faces], [face.track_id for face in tracked.lost]
        if self._watched == (*watched, tracked.known):
            return False
        self._see(tracked)
        self._watched = (*watched, tracked.known)
        self._people = _NOBODY
        self._placed.clear()
        self._unsure.clear()
        self._worn = {face.track_id for face in tracked.faces}
        self._had_face.update(self._worn)
        self.is_settled = True
        return True

    def _see(self, tracked: TrackResult) -> dict[int, FloatArray]:
        """The boxes of all faces that are followed or lost; what is known of others is forgotten."""
        boxes = {face.track_id: face.bbox for face in tracked.lost}
        boxes |= {face.track_id: face.bbox for face in tracked.faces}
        self._forget(tracked.known | boxes.keys())
        for track_id in boxes:
            self._first_seen.setdefault(track_id, self._now)
        return boxes

    def _advance(self, stamp: int) -> bool:
        """Move the clock; True if time stands still: the same frame is judged again."""
        step = _NOMINAL_STEP if self._stamp is None else stamp - self._stamp
        self._stamp = stamp
        self._now += step if 0 <= step <= _LONGEST_STEP else _NOMINAL_STEP
        return step == 0

    def _forget(self, known: Iterable[int]) -> None:
        kept = set(known)
        self._first_seen = {one: at for one, at in self._first_seen.items() if one in kept}
        self._placed = {one: number for one, number in self._placed.items() if one in kept}
        self._unsure &= kept
        self._had_face &= kept
        if self._main not in kept:
            self._main = None

    def _by_picture(self, undecided: Iterable[Face], recognise: Recognise) -> dict[int, Likeness]:
        """Gives those their parts who are on a picture; the others, where they are known not to be."""
        asks = any(person.who == BY_PICTURE for person in self._people.persons)
        others = {}
        for face in undecided:
            likeness = recognise(face) if asks else NO_PICTURES
            if likeness.person:
                self._placed[face.track_id] = likeness.person
            elif likeness.person is not None:
                others[face.track_id] = likeness
        return others

    def _of_places(self) -> list[Person]:
        """Those who are known by their place."""
        return [one for one in self._people.persons if one.who != BY_PICTURE]

    def _free(self) -> list[Person]:
        """Those who are known by their place and not in view, nor lately were."""
        held = set(self._placed.values())
        return [one for one in self._of_places() if one.number not in held]

    def _is_away(self, faces: Iterable[Face]) -> bool:
        """Whether somebody who is known by their place was in view lately and is not now."""
        here = {self._placed.get(face.track_id) for face in faces}
        away = set(self._placed.values()) - here
        return any(one.number in away for one in self._of_places())

    def _is_new(self, boxes: Mapping[int, FloatArray]) -> bool:
        """True for a moment after a change, while nobody is shown yet.

        Not every search finds everybody: who is found meanwhile was there, and the places are read again.
        """
        places = self._of_places()
        if self._changed is None or not places or self._now - self._changed >= SETTLE_NS:
            self._changed = None
            return False
        if boxes.keys() - self._told:
            self._told |= boxes.keys()
            again = {_REST, *(one.number for one in places)}
            self._placed = {one: number for one, number in self._placed.items() if number not in again}
            self._unsure.clear()
        return True

    def _by_place(
        self, settled: set[int], boxes: Mapping[int, FloatArray], width: int, *, shows: bool
    ) -> None:
        for person in self._free():
            there = at_place(person.who, boxes, width)
            is_possible = shows or person.becomes != "original"
            if is_possible and there in settled and there not in self._placed:
                self._placed[there] = person.number

    def _parts(
        self, faces: Iterable[Face], boxes: Mapping[int, FloatArray], passing: set[int]
    ) -> Mapping[int, Part]:
        numbers = {**self._placed, **dict.fromkeys(passing, _REST)}
        visible = {face.track_id: face.bbox for face in faces if numbers.get(face.track_id) == _REST}
        self._choose_main(visible)
        parts = {}
        for track_id in boxes:
            number = numbers.get(track_id)
            if number is None:
                parts[track_id] = MAIN if track_id in self._worn else HIDDEN
            elif number != _REST:
                parts[track_id] = Part(Fate.PERSON, number)
                self.met.add(number)
            else:
                careful = track_id in self._unsure or track_id in passing
                parts[track_id] = self._rest(track_id, in_view=self._main in visible, careful=careful)
        self._worn = {one for one in self._worn if parts.get(one, HIDDEN).fate is Fate.PERSON}
        self._worn.update(one for one, part in parts.items() if part is MAIN)
        self._had_face.update(one for one, part in parts.items() if part.fate in (Fate.MAIN, Fate.PERSON))
        return parts

    def _rest(self, track_id: int, *, in_view: bool, careful: bool) -> Part:
        """Of a face that is nobody's in particular; ``careful``: it may be somebody's after all."""
        people = self._people
        if people.faces == "all" or track_id == self._main:
            return MAIN
        if people.faces == "named":
            return SHOWN if people.others == "original" and not careful else HIDDEN
        # Who was swapped a moment ago stays hidden, and so does everybody while it is not clear whose the
        # main persona is (docs/architecture.md, section 5).
        return SHOWN if in_view and track_id not in self._had_face and not careful else HIDDEN

    def _choose_main(self, visible: Mapping[int, FloatArray]) -> None:
        """Who of those in view has the main persona, where one has."""
        wanted = self._people.faces
        if wanted in ("all", "named"):
            self._main = None
            return
        best = max(visible, key=lambda one: rank(visible[one], wanted), default=None)
        if self._main in visible and self._main is not None:
            self._main_seen = self._now
            if best is None or not takes_over(visible[best], visible[self._main], wanted):
                self._better_since = None
            elif self._better_since is None:
                self._better_since = self._now
            elif self._now - self._better_since >= PATIENCE:
                self._main, self._better_since = best, None
        elif best is not None and (self._main is None or self._now - self._main_seen >= PATIENCE):
            self._main, self._main_seen, self._better_since = best, self._now, None
