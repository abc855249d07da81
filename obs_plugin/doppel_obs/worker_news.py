"""What the worker has said: to everybody, and to the filter that it is for."""

from __future__ import annotations

import time
from typing import Callable, Mapping

from doppel_ipc.messages import (
    ALL_LANES,
    Choices,
    Error,
    Event,
    LaneOpened,
    LaneStatus,
    Message,
    Personas,
    Status,
)

from doppel_obs.instances import FilterInstance
from doppel_obs.phrases import Phrase, phrase, said
from doppel_obs.properties import PersonaChoice

Tell = Callable[[str, "Phrase | None"], None]
_NAMING = ("persona", "slate")
"""What is told of these names faces, models and pictures."""


class WorkerNews:
    """Keeps what the worker says of itself, and hands each filter what is said of its lane.

    Args:
        instances: the filters that live, by their ids; the caller's own, which changes.
        refresh: has OBS build a filter's page anew.
        note: takes a sentence for the log and the report; and what files have instead, where it may name
            somebody.
        warn: the same for what went wrong.
    """

    def __init__(
        self,
        instances: Mapping[int, FilterInstance],
        refresh: Callable[[int], None],
        note: Tell,
        warn: Tell,
    ) -> None:
        self._instances = instances
        self._refresh = refresh
        self._note = note
        self._warn = warn
        self.status: Status | None = None
        """The worker's last; None: none serves."""
        self.notice: Phrase | None = None
        """What the worker fell back to, and why; for filters that come later."""
        self.personas: tuple[PersonaChoice, ...] = ()
        """What the face list shows; replaced as a whole."""
        self.choices = Choices((), ())
        """What the other lists show; replaced as a whole."""
        self._shown: object = None

    def worker_lost(self) -> None:
        """There is no worker; the lists keep what the last one said."""
        self.status, self.notice = None, None

    def take(self, message: Message) -> None:
        """One message of the worker."""
        if isinstance(message, Status):
            self.status = message
        elif isinstance(message, Personas):
            self.personas = tuple(
                PersonaChoice(item.id, item.name or item.id, item.picture) for item in message.personas
            )
        elif isinstance(message, Choices):
            self._offered(message)
        elif isinstance(message, (LaneOpened, LaneStatus, Error, Event)):
            self._take_lane(message)

    def _offered(self, choices: Choices) -> None:
        """It comes after the personas: pages that are open show both."""
        if (self.personas, choices) == self._shown:
            return
        self.choices, self._shown = choices, (self.personas, choices)
        for filter_id in self._instances:
            self._refresh(filter_id)

    def _take_lane(self, message: LaneOpened | LaneStatus | Error | Event) -> None:
        open_lanes = (item for item in self._instances.values() if item.lane.serial)
        instance = next((item for item in open_lanes if item.lane.serial == message.lane), None)
        if isinstance(message, Error):
            text = "; ".join(filter(None, (message.message.rstrip("."), message.advice)))
            # The memory of a filter that went while its lane was being opened is missed by nobody; and what
            # is tried again and again is said once.
            if message.code != "segment" or (instance is not None and not instance.refused):
                self._warn(text, _instead(message.code, message.message))
            if instance is not None:
                instance.error = _advised(message)
                if message.code == "segment":
                    instance.lane_refused(time.monotonic_ns())
                else:
                    instance.lane.opened()
        elif isinstance(message, Event):
            self._note(message.text, _instead(message.code, message.text))
            if message.code == "fallback":
                self._fell_back(message)
        elif instance is None:
            return
        elif isinstance(message, LaneOpened):
            instance.lane_opened()
        else:
            instance.lane_status = message
            if instance.stats is not None:
                instance.stats.look_at_worker(message)

    def _fell_back(self, event: Event) -> None:
        """The worker as a whole, most of all while it loads: then filters that come later are told, too."""
        notice = said(event.text, closed=True)
        if event.lane == ALL_LANES:
            self.notice = notice
        for instance in self._instances.values():
            if event.lane in (ALL_LANES, instance.lane.serial):
                instance.notice = notice


def _instead(code: str, text: str) -> Phrase | None:
    return said(text) if code in _NAMING else None


def _advised(error: Error) -> Phrase:
    """What failed, and what to do."""
    what = said(error.message, closed=True)
    return (
        phrase("worker.advised", what=what, advice=said(error.advice, closed=True)) if error.advice else what
    )
