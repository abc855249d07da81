"""A lane's faces on the device that it will move to, prepared beside the frames."""

from __future__ import annotations

import contextlib

from doppel_ipc.settings import FilterSettings

from doppel_worker.device_parts import DeviceParts
from doppel_worker.errors import PersonaError
from doppel_worker.lane_state import LaneState
from doppel_worker.report import PipelineEvent


class NextLane:
    """A lane's faces on the device that it will move to.

    Each engine is held from when it was ready once: the loader itself keeps fewer large ones than a lane of
    several people may wear.
    """

    def __init__(self, parts: DeviceParts, settings: FilterSettings) -> None:
        """Begin with nothing; :meth:`follow` has it prepared.

        Args:
            parts: of the device that the lane will move to.
            settings: the lane's.
        """
        self.parts = parts
        self.lane = parts.pipeline.new_lane(settings)
        """It judges no frames: only its engines are ever used."""
        self._news: list[PipelineEvent] = []
        parts.seats.prepare()

    def follow(self, present: LaneState) -> tuple[PipelineEvent, ...]:
        """Take what is ready, and have the rest prepared; returns what is true before the lane has moved.

        Args:
            present: the lane as it is on the device that it leaves.
        """
        self.lane.settings = present.settings
        main, loader = self.lane.personas, self.parts.loader
        with self.parts.turns:
            _, events = self.parts.pipeline.follow_personas(self.lane)
            worn = present.personas.key
            if main.engine is None and main.is_decided and worn not in (None, self.lane.wanted()[0]):
                # The wanted one cannot be had, on the other device neither: the one before it stays.
                with contextlib.suppress(PersonaError):  # told when it was asked for last
                    if loader.get(worn) is not None:
                        main.follow(worn, loader)
        self._news += [event for event in events if event.worn]
        return tuple(event for event in events if not event.worn)

    def news(self) -> list[PipelineEvent]:
        """What is true once the lane has moved: what it wears there, and how well that runs."""
        slots = (self.lane.cast.slot(person) for person in self.lane.cast.people.persons)
        keys = {self.lane.personas.key, *(slot.key for slot in slots if slot is not None)}
        worn = {key.persona for key in keys if key is not None}
        return [event for event in self._news if event.worn in worn]

    def is_ready(self, present: LaneState) -> bool:
        """Whether nothing is being prepared, and nobody would lose a face that they wear now."""
        main = self.lane.wanted()[0]
        slot = self.lane.personas
        if main.persona and slot.engine is None and (present.personas.engine or not slot.is_decided):
            return False
        cast, people = self.lane.cast, self.lane.wanted_people()
        if not cast.is_settled or not self.parts.seats.is_prepared:
            return False
        slots = (present.cast.slot(person) for person in present.cast.people.persons)
        worn = {slot.key for slot in slots if slot is not None}
        keys = people.keys(main)
        return all(cast.slot(one) for one in people.persons if keys.get(one.number) in worn)
