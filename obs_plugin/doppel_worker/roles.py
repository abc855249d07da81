"""What is done with each face of a frame: what it wears, whether it is blurred or shown."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

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
        lane.casting.watch(tracked, frame.timestamp_ns)
        lane.recognition.forget(frozenset(), people)
        return Roles(_worn(tracked, {face.track_id: lane.personas for face in tracked.faces}))
    parts = lane.casting.assign(
        tracked,
        people,
        frame.width,
        frame.timestamp_ns,
        functools.partial(lane.recognition.likeness, frame=frame, compositor=compositor, people=people),
    )
    lane.recognition.forget(tracked.known, people)
    slots = {track_id: _slot(part, lane) for track_id, part in parts.items()}
    shown = frozenset(one for one, part in parts.items() if _is_shown(part, lane))
    swapped = {one for one, slot in slots.items() if slot is not None}
    return Roles(_worn(tracked, slots), frozenset(parts) - shown - swapped, shown)


def _worn(tracked: TrackResult, slots: Mapping[int, PersonaSlot | None]) -> tuple[Worn, ...]:
    found = []
    for face in tracked.faces:
        slot = slots[face.track_id]
        if slot is not None and slot.engine is not None:
            found.append(Worn(face, slot.engine, slot.state(face.track_id)))
    return tuple(found)


def _slot(part: Part, lane: LaneState) -> PersonaSlot | None:
    """What a face wears; None: nothing."""
    if part is MAIN:
        return lane.personas
    person = lane.cast.people.find(part.person)
    return lane.cast.slot(person) if person is not None and person.is_swapped else None


def _is_shown(part: Part, lane: LaneState) -> bool:
    person = lane.cast.people.find(part.person)
    return part is SHOWN or (person is not None and person.becomes == "original")
