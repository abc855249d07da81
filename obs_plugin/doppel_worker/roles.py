"""What is done with each face of a frame: what it wears, whether it is blurred or shown."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable

from doppel_models.types import Face

from doppel_worker.assets import PersonaSlot
from doppel_worker.casting import MAIN, SHOWN, Part
from doppel_worker.compositor import Compositor
from doppel_worker.frame import FrameView
from doppel_worker.lane_state import LaneState
from doppel_worker.swapping import Worn
from doppel_worker.track_result import TrackResult


@dataclasses.dataclass(frozen=True, slots=True)
class Roles:
    """Every followed face is in one of these; of the others those that are here are lost ones."""

    worn: tuple[Worn, ...]
    """Faces to be swapped."""
    blurred: frozenset[int] = frozenset()
    """Tracks of faces that are not to be seen."""
    shown: frozenset[int] = frozenset()
    """Tracks of faces that are shown as filmed."""


def cast_faces(lane: LaneState, tracked: TrackResult, frame: FrameView, compositor: Compositor) -> Roles:
    """Tell the faces of one frame apart; call once a frame, before anything is written to it.

    Args:
        lane: its people are those in use, and its main persona is ready.
        tracked: the frame's faces.
        frame: as filmed.
        compositor: reads it.
    """
    people = lane.cast.people
    if not people.is_cast:
        if lane.casting.watch(tracked, frame.timestamp_ns):
            lane.recognition.forget(frozenset(), people)
        return Roles(_worn((face, lane.personas) for face in tracked.faces))
    parts = lane.casting.assign(
        tracked,
        people,
        frame.width,
        frame.timestamp_ns,
        functools.partial(lane.recognition.likeness, frame=frame, compositor=compositor, people=people),
    )
    lane.recognition.forget(tracked.known, people)
    slots = {track_id: _slot(track_id, part, lane) for track_id, part in parts.items()}
    lane.casting.dress(one for one, part in parts.items() if part.person and slots[one] is not lane.personas)
    shown = frozenset(one for one, part in parts.items() if _is_shown(part, lane))
    swapped = {one for one, slot in slots.items() if slot is not None}
    return Roles(
        _worn((face, slots[face.track_id]) for face in tracked.faces),
        frozenset(parts) - shown - swapped,
        shown,
    )


def _worn(faces: Iterable[tuple[Face, PersonaSlot | None]]) -> tuple[Worn, ...]:
    return tuple(
        Worn(face, slot.engine, slot.state(face.track_id))
        for face, slot in faces
        if slot is not None and slot.engine is not None
    )


def _slot(track_id: int, part: Part, lane: LaneState) -> PersonaSlot | None:
    """What a face wears; None: nothing."""
    if part is MAIN:
        return lane.personas
    person = lane.cast.people.find(part.person)
    if person is None or not person.is_swapped:
        return None
    own = lane.cast.slot(person)
    # Who was swapped is not blurred for as long as their own persona is loaded.
    return lane.personas if own is None and lane.casting.goes_on(track_id) else own


def _is_shown(part: Part, lane: LaneState) -> bool:
    person = lane.cast.people.find(part.person)
    return part is SHOWN or (person is not None and person.becomes == "original")
