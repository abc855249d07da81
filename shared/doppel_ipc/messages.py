"""Every control message between OBS and the worker. README.md says when each is sent, and why.

Messages are frozen dataclasses; their wire form is a JSON object of their fields and ``"type"``. What a field
may hold is declared beside it and checked on both sides.
"""
# ruff: noqa: RUF009, PLC0414 - wire() makes a dataclasses.field; parts of messages are imported from here too

from __future__ import annotations

import dataclasses
from typing import Any, Union

from doppel_ipc import codec
from doppel_ipc.codec import flag, integer, items, nested, number, wire, word
from doppel_ipc.errors import ProtocolError, ProtocolFault
from doppel_ipc.message_parts import ALL_LANES as ALL_LANES
from doppel_ipc.message_parts import (
    ERROR_CODES,
    EVENT_CODES,
    ID_MAX,
    LANE,
    LANE_OR_ALL,
    LANE_STATES,
    LOG_LEVELS,
    LONG,
    NAME,
    PATH,
    WORKER_STATES,
)
from doppel_ipc.message_parts import Consent as Consent
from doppel_ipc.message_parts import DeviceInfo as DeviceInfo
from doppel_ipc.message_parts import ModelInfo as ModelInfo
from doppel_ipc.message_parts import PersonaInfo as PersonaInfo
from doppel_ipc.message_parts import Segment as Segment
from doppel_ipc.message_parts import StageTime as StageTime
from doppel_ipc.settings import FilterSettings

PROTOCOL_VERSION = 4
"""Both sides must speak the same one; it grows with any change of a message, a setting or the segment."""

# OBS -> worker


@dataclasses.dataclass(frozen=True)
class Hello:
    """The first message: who we are and where things lie."""

    version: int = wire(integer(1, ID_MAX))
    native_library: str = wire(PATH)
    persona_dir: str = wire(PATH)
    log_dir: str = wire(PATH)
    log_level: str = wire(word(*LOG_LEVELS))


@dataclasses.dataclass(frozen=True)
class OpenLane:
    """A filter has a segment, already attached to the gate: start to serve it."""

    lane: int = wire(LANE)
    """Larger than every lane before, in the worker's life."""
    name: str = wire(NAME)
    """Of the filter's source, for the log."""
    segment: Segment = wire(nested(Segment))
    serial: int = wire(integer(0, ID_MAX))
    """Of these settings; the lane's status says which it uses."""
    settings: FilterSettings = wire(codec.settings)
    face_lately: bool = wire(flag, default=False)
    """The last judged frames of the filter had a face in them: one that is not found may be half hidden."""


@dataclasses.dataclass(frozen=True)
class CloseLane:
    """The filter is gone or has another segment: let this one go."""

    lane: int = wire(LANE)


@dataclasses.dataclass(frozen=True)
class Settings:
    """The filter's settings changed. They hold from the next frame on, all at once."""

    lane: int = wire(LANE)
    serial: int = wire(integer(0, ID_MAX))
    settings: FilterSettings = wire(codec.settings)


@dataclasses.dataclass(frozen=True)
class Prepare:
    """A lane with such settings may be opened soon: make ready what takes long, such as the persona."""

    settings: FilterSettings = wire(codec.settings)


@dataclasses.dataclass(frozen=True)
class AddPersona:
    """Make a persona of one or more photos of one face, or of a model file, or keep a model file."""

    request: int = wire(integer(1, ID_MAX))
    """Larger than every request before."""
    photos: tuple[str, ...] = wire(items(PATH, 16, least=1))
    name: str = wire(NAME)
    """Empty: the worker makes one of the first photo's name."""
    consent: Consent = wire(nested(Consent))
    licence: bool = wire(flag)
    """The licence of a model file is accepted; without that, the answer's error shows it."""


@dataclasses.dataclass(frozen=True)
class ListPersonas:
    """Answer with :class:`Personas` and :class:`Choices`."""


@dataclasses.dataclass(frozen=True)
class Throttle:
    """Swap one frame of ``keep_one_of`` and hand the others back covered; 1 swaps all."""

    lane: int = wire(LANE_OR_ALL)
    keep_one_of: int = wire(integer(1, 1000))


@dataclasses.dataclass(frozen=True)
class Ping:
    """Answer with :class:`Pong`."""

    number: int = wire(integer(1, ID_MAX))
    """Larger than every number before."""


# Worker -> OBS


@dataclasses.dataclass(frozen=True)
class Ready:
    """The first message: the worker lives and speaks our version. Its networks may still be loading."""

    version: int = wire(integer(1, ID_MAX))
    pid: int = wire(integer(1, ID_MAX))


@dataclasses.dataclass(frozen=True)
class Status:
    """The worker as a whole; at least once a second, so it is the heartbeat too."""

    state: str = wire(word(*WORKER_STATES))
    device: str = wire(NAME)
    provider: str = wire(NAME)
    """ONNX Runtime's execution provider in use; empty while loading."""
    engine: str = wire(NAME)
    memory_mb: float = wire(number(0, 1e9))
    """Resident memory; 0: not known on this system."""
    detail: str = wire(LONG)


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
    detail: str = wire(LONG)
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
    warnings: tuple[str, ...] = wire(items(LONG, 20))
    error: str = wire(LONG)
    """What is wrong with the photo and what to do; empty when it worked."""


@dataclasses.dataclass(frozen=True)
class Error:
    """Something failed; the lane (or the worker) goes on as well as it can, faces covered."""

    lane: int = wire(LANE_OR_ALL)
    code: str = wire(word(*ERROR_CODES))
    message: str = wire(LONG)
    advice: str = wire(LONG)


@dataclasses.dataclass(frozen=True)
class Event:
    """Something the user may want to know, such as a fallback to a slower device."""

    lane: int = wire(LANE_OR_ALL)
    code: str = wire(word(*EVENT_CODES))
    text: str = wire(LONG)


@dataclasses.dataclass(frozen=True)
class Pong:
    """The answer to :class:`Ping`."""

    number: int = wire(integer(1, ID_MAX))


ToWorker = Union[Hello, OpenLane, CloseLane, Settings, Prepare, AddPersona, ListPersonas, Throttle, Ping]
ToObs = Union[Ready, Status, LaneOpened, LaneStatus, Personas, Choices, PersonaAdded, Error, Event, Pong]
Message = Union[ToWorker, ToObs]

TO_WORKER: dict[str, type[Any]] = {
    "hello": Hello,
    "open_lane": OpenLane,
    "close_lane": CloseLane,
    "settings": Settings,
    "prepare": Prepare,
    "add_persona": AddPersona,
    "list_personas": ListPersonas,
    "throttle": Throttle,
    "ping": Ping,
}
TO_OBS: dict[str, type[Any]] = {
    "ready": Ready,
    "status": Status,
    "lane_opened": LaneOpened,
    "lane_status": LaneStatus,
    "personas": Personas,
    "choices": Choices,
    "persona_added": PersonaAdded,
    "error": Error,
    "event": Event,
    "pong": Pong,
}
_TYPE_OF = {cls: name for table in (TO_WORKER, TO_OBS) for name, cls in table.items()}


def type_name(message: Message) -> str:
    """The message's ``"type"``."""
    return _TYPE_OF[type(message)]


def to_object(message: Message) -> dict[str, object]:
    """The JSON object of a message.

    Raises:
        ProtocolError: a field's value is not valid (BAD_FIELD).
    """
    return {"type": type_name(message), **codec.pack(message)}


def from_object(data: dict[str, object], table: dict[str, type[Any]]) -> Message:
    """The message of a JSON object.

    Args:
        data: the object.
        table: the messages that may come, :data:`TO_WORKER` or :data:`TO_OBS`.

    Raises:
        ProtocolError: UNKNOWN_TYPE, VERSION, MISSING_FIELD, UNKNOWN_FIELD or BAD_FIELD.
    """
    fields = dict(data)
    kind = fields.pop("type", None)
    cls = table.get(kind) if isinstance(kind, str) else None
    if cls is None:
        shown = repr(kind)[:60]
        raise ProtocolError(ProtocolFault.UNKNOWN_TYPE, f"{shown} is not one of {', '.join(table)}")
    version = fields.get("version", PROTOCOL_VERSION)
    is_version = type(version) is int and 1 <= version <= ID_MAX
    if cls in (Hello, Ready) and is_version and version != PROTOCOL_VERSION:
        # Looked at before everything else: another version's fields mean nothing to us.
        raise ProtocolError(ProtocolFault.VERSION, f"{kind} of version {version} != {PROTOCOL_VERSION}")
    message: Message = codec.unpack(cls, fields)
    return message
