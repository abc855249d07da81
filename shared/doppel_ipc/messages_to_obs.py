"""The messages of the worker to OBS; :mod:`doppel_ipc.messages` has them all.

A text that the user reads may be a :class:`~doppel_ipc.said.Said`, which OBS's side can translate.
"""

from __future__ import annotations

import dataclasses

from doppel_ipc.codec import flag, integer, items, nested, number, wire, word
from doppel_ipc.message_parts import (
    ERROR_CODES,
    EVENT_CODES,
    ID_MAX,
    LANE,
    LANE_OR_ALL,
    LANE_STATES,
    MOST_WARNINGS,
    NAME,
    SAID,
    SAID_NAME,
    WORKER_STATES,
    DeviceInfo,
    ModelInfo,
    PersonaInfo,
    StageTime,
)


@dataclasses.dataclass(frozen=True)
class Ready:
    """The first message: the worker lives and speaks our version. Its networks may still be loading."""

    version: int = wire(integer(1, ID_MAX))
    pid: int = wire(integer(1, ID_MAX))


@dataclasses.dataclass(frozen=True)
class Status:
    """The worker as a whole; at least once a second, so it is the heartbeat too."""

    state: str = wire(word(*WORKER_STATES))
    device: str = wire(SAID_NAME)
    provider: str = wire(NAME)
    """ONNX Runtime's execution provider in use; empty while loading."""
    engine: str = wire(NAME)
    memory_mb: float = wire(number(0, 1e9))
    """Resident memory; 0: not known on this system."""
    detail: str = wire(SAID)


@dataclasses.dataclass(frozen=True)
class LaneOpened:
    """The worker holds a mapping of the lane's memory: its name may go."""

    lane: int = wire(LANE)


@dataclasses.dataclass(frozen=True)
class LaneStatus:
    """One lane, lately; at least once a second while it is open."""

    lane: int = wire(LANE)
    state: str = wire(word(*LANE_STATES))
    serial: int = wire(integer(0, ID_MAX))
    """Of the settings in use."""
    persona: str = wire(NAME)
    """Identifier of the persona in use, which may still be the previous one."""
    engine: str = wire(NAME)
    provider: str = wire(NAME)
    fps: float = wire(number(0, 1e5))
    """Frames judged per second."""
    turnaround_ms_p50: float = wire(number(0, 1e9))
    """From the frame's submission to the worker's answer."""
    turnaround_ms_p95: float = wire(number(0, 1e9))
    stages: tuple[StageTime, ...] = wire(items(nested(StageTime), 40))
    faces: int = wire(integer(0, 1000))
    """In the last frame."""
    frames: int = wire(integer(0, ID_MAX))
    """Judged since the lane opened."""
    given_back: int = wire(integer(0, ID_MAX))
    """Not started, because a newer one was there."""
    detail: str = wire(SAID)
    """For the filter's status line; empty: nothing to tell."""


@dataclasses.dataclass(frozen=True)
class Personas:
    """All personas, after a change or when asked."""

    personas: tuple[PersonaInfo, ...] = wire(items(nested(PersonaInfo), 1000))


@dataclasses.dataclass(frozen=True)
class Choices:
    """What settings may name beside personas; sent with them."""

    devices: tuple[DeviceInfo, ...] = wire(items(nested(DeviceInfo), 100))
    models: tuple[ModelInfo, ...] = wire(items(nested(ModelInfo), 1000))


@dataclasses.dataclass(frozen=True)
class PersonaAdded:
    """The answer to :class:`AddPersona`."""

    request: int = wire(integer(1, ID_MAX))
    ok: bool = wire(flag)
    id: str = wire(NAME)
    """Empty when it failed, or when it was a model that is no persona."""
    warnings: tuple[str, ...] = wire(items(SAID, MOST_WARNINGS))
    error: str = wire(SAID)
    """What is wrong with the photo and what to do; empty when it worked."""


@dataclasses.dataclass(frozen=True)
class Error:
    """Something failed; the lane (or the worker) goes on as well as it can, faces covered."""

    lane: int = wire(LANE_OR_ALL)
    code: str = wire(word(*ERROR_CODES))
    message: str = wire(SAID)
    advice: str = wire(SAID)


@dataclasses.dataclass(frozen=True)
class Event:
    """Something the user may want to know, such as a fallback to a slower device."""

    lane: int = wire(LANE_OR_ALL)
    code: str = wire(word(*EVENT_CODES))
    text: str = wire(SAID)


@dataclasses.dataclass(frozen=True)
class Pong:
    """The answer to :class:`Ping`."""

    number: int = wire(integer(1, ID_MAX))
