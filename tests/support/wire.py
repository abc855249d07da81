"""Random control messages, two protocol sides that know each other, and what comes of bytes."""

from __future__ import annotations

import dataclasses
import struct
from typing import Any, get_type_hints

import pytest
from doppel_ipc import message_parts, messages, segment
from doppel_ipc.errors import ProtocolError, ProtocolFault
from doppel_ipc.messages import PROTOCOL_VERSION, Hello, Message, OpenLane, Ready, Segment
from doppel_ipc.protocol import Protocol
from doppel_ipc.settings import FIELDS, FilterSettings
from hypothesis import strategies as st

HELLO = Hello(PROTOCOL_VERSION, "/lib/libdoppel.so", "/data/personas", "/log", "info")
READY = Ready(PROTOCOL_VERSION, 4711)
PING = messages.Ping(1)


def open_lane(lane: int, settings: FilterSettings | None = None) -> OpenLane:
    where = Segment("memfd", "/proc/1/fd/7", 4096)
    return OpenLane(lane, "camera", where, 1, settings or FilterSettings())


def connected() -> tuple[Protocol, Protocol]:
    """OBS's side and the worker's, after hello and ready."""
    obs, worker = Protocol(worker=False), Protocol(worker=True)
    worker.feed(obs.send(HELLO))
    assert worker.next_message() == HELLO
    obs.feed(worker.send(READY))
    assert obs.next_message() == READY
    return obs, worker


def framed(body: bytes) -> bytes:
    """The message with its length before it."""
    return struct.pack("<I", len(body)) + body


def drain(protocol: Protocol) -> list[Message]:
    """Every message that has come whole."""
    found = []
    while (message := protocol.next_message()) is not None:
        found.append(message)
    return found


def assert_one_fault(protocol: Protocol, fault: ProtocolFault) -> None:
    """The fault is raised once, and nothing comes after it."""
    with pytest.raises(ProtocolError) as caught:
        drain(protocol)
    assert caught.value.fault is fault
    assert protocol.fault is caught.value
    protocol.feed(Protocol(worker=False).send(HELLO))
    assert protocol.next_message() is None
    protocol.feed_eof()


# Any text that UTF-8 can hold; of the rest, each character arrives as a question mark.
_CHARACTERS = st.characters(exclude_categories=("Cs",))
_ANY_TEXT = st.text(_CHARACTERS, max_size=200)
_SOME_TEXT = st.text(_CHARACTERS, min_size=1, max_size=40)
_CHOICES: dict[tuple[type, str], st.SearchStrategy[Any]] = {
    (messages.Segment, "kind"): st.sampled_from(segment.KINDS),
    (messages.Segment, "bytes"): st.integers(1, segment.MAX_BYTES),
    (messages.Consent, "ground"): st.sampled_from(message_parts.CONSENT_GROUNDS),
    (messages.Hello, "version"): st.just(PROTOCOL_VERSION),
    (messages.Hello, "log_level"): st.sampled_from(message_parts.LOG_LEVELS),
    (messages.Ready, "version"): st.just(PROTOCOL_VERSION),
    (messages.Throttle, "keep_one_of"): st.integers(1, 1000),
    (messages.Status, "state"): st.sampled_from(message_parts.WORKER_STATES),
    (messages.LaneStatus, "state"): st.sampled_from(message_parts.LANE_STATES),
    (messages.LaneStatus, "faces"): st.integers(0, 1000),
    (messages.LaneStatus, "fps"): st.floats(0, 1e5),
    (messages.Error, "code"): st.sampled_from(message_parts.ERROR_CODES),
    (messages.Event, "code"): st.sampled_from(message_parts.EVENT_CODES),
    (messages.DeviceInfo, "memory_mb"): st.integers(0, 2**31),
    (messages.ModelInfo, "role"): st.sampled_from(message_parts.MODEL_ROLES),
    (messages.AddPersona, "photos"): st.lists(_SOME_TEXT, min_size=1, max_size=16).map(tuple),
}


def filter_settings() -> st.SearchStrategy[FilterSettings]:
    """Any settings that the table allows."""

    def value(name: str) -> st.SearchStrategy[Any]:
        field = FIELDS[name]
        low, high, choices = (field.metadata[key] for key in ("low", "high", "choices"))
        if choices:
            return st.sampled_from(choices)
        if isinstance(field.default, bool):
            return st.booleans()
        if isinstance(field.default, int):
            return st.integers(low, high)
        if isinstance(field.default, float):
            return st.floats(low, high)
        return _ANY_TEXT

    return st.builds(FilterSettings, **{name: value(name) for name in FIELDS})


def instances(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Any valid instance of a message or of a part of one."""
    hints = get_type_hints(cls)

    def value(field: dataclasses.Field[Any]) -> st.SearchStrategy[Any]:
        if (cls, field.name) in _CHOICES:
            return _CHOICES[cls, field.name]
        hint = hints[field.name]
        if hint is FilterSettings:
            return filter_settings()
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            return instances(hint)
        if hint is int:
            return st.integers(1, 2**53 - 1)
        if hint is float:
            return st.floats(0, 1e6)
        if hint is bool:
            return st.booleans()
        if hint is str:
            return _SOME_TEXT
        (item, _) = hint.__args__
        inner = _SOME_TEXT if item is str else instances(item)
        return st.lists(inner, max_size=5).map(tuple)

    return st.builds(cls, **{field.name: value(field) for field in dataclasses.fields(cls)})


def any_message(table: dict[str, type[Any]]) -> st.SearchStrategy[Message]:
    """Any message of one direction."""
    return st.one_of(*(instances(cls) for cls in table.values()))
