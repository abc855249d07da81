"""Every control message between OBS and the worker. README.md says when each is sent, and why.

Messages are frozen dataclasses; their wire form is a JSON object of their fields and ``"type"``. What a field
may hold is declared beside it and checked on both sides.
"""
# ruff: noqa: PLC0414 - the messages and their parts are imported from here

from __future__ import annotations

from typing import Any, Union

from doppel_ipc import codec
from doppel_ipc.errors import ProtocolError, ProtocolFault
from doppel_ipc.message_parts import ALL_LANES as ALL_LANES
from doppel_ipc.message_parts import ID_MAX
from doppel_ipc.message_parts import Consent as Consent
from doppel_ipc.message_parts import DeviceInfo as DeviceInfo
from doppel_ipc.message_parts import ModelInfo as ModelInfo
from doppel_ipc.message_parts import PersonaInfo as PersonaInfo
from doppel_ipc.message_parts import Segment as Segment
from doppel_ipc.message_parts import StageTime as StageTime
from doppel_ipc.messages_to_obs import Choices as Choices
from doppel_ipc.messages_to_obs import Error as Error
from doppel_ipc.messages_to_obs import Event as Event
from doppel_ipc.messages_to_obs import LaneOpened as LaneOpened
from doppel_ipc.messages_to_obs import LaneStatus as LaneStatus
from doppel_ipc.messages_to_obs import PersonaAdded as PersonaAdded
from doppel_ipc.messages_to_obs import Personas as Personas
from doppel_ipc.messages_to_obs import Pong as Pong
from doppel_ipc.messages_to_obs import Ready as Ready
from doppel_ipc.messages_to_obs import Status as Status
from doppel_ipc.messages_to_worker import AddPersona as AddPersona
from doppel_ipc.messages_to_worker import CloseLane as CloseLane
from doppel_ipc.messages_to_worker import Hello as Hello
from doppel_ipc.messages_to_worker import ListPersonas as ListPersonas
from doppel_ipc.messages_to_worker import OpenLane as OpenLane
from doppel_ipc.messages_to_worker import Ping as Ping
from doppel_ipc.messages_to_worker import Prepare as Prepare
from doppel_ipc.messages_to_worker import Settings as Settings
from doppel_ipc.messages_to_worker import Throttle as Throttle

PROTOCOL_VERSION = 6
"""Both sides must speak the same one; it grows with any change of a message, a setting or the segment."""
WRONG_VERSION_EXIT = 79
"""How a worker ends whose ``hello`` was of another version: nothing that it could say would be understood.

Nobody else's: 3 is how Windows' C runtimes end what a library aborted, 64 to 78 are BSD's (sysexits.h)."""

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
