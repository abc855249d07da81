from __future__ import annotations

import struct

import pytest
from doppel_ipc import messages
from doppel_ipc.errors import ProtocolError, ProtocolFault
from doppel_ipc.messages import Message
from doppel_ipc.protocol import MAX_MESSAGE_BYTES, Protocol
from doppel_ipc.settings import FIELDS, LONGEST_TEXT, FilterSettings, Value
from hypothesis import given
from hypothesis import strategies as st

from tests.support.wire import (
    HELLO,
    PING,
    READY,
    assert_one_fault,
    connected,
    drain,
    framed,
    instances,
    open_lane,
)


def outcome(protocol: Protocol, data: bytes) -> tuple[list[Message], ProtocolError | None]:
    """What comes of bytes and their end: messages, and the error that ended them."""
    found: list[Message] = []
    protocol.feed(data)
    try:
        while (message := protocol.next_message()) is not None:
            found.append(message)
        protocol.feed_eof()
    except ProtocolError as error:
        return found, error
    return found, None


CONVERSATION: list[Message] = [
    HELLO,
    open_lane(1),
    messages.Settings(1, 2, FilterSettings(persona="bronze")),
    messages.ListPersonas(),
    messages.Throttle(0, 2),
    messages.Throttle(1, 1),
    open_lane(2),
    messages.AddPersona(1, ("/a.png",), "Ann", messages.Consent("own", "me", "2026-01-31"), False),
    messages.CloseLane(1),
    PING,
]
ANSWERS: list[Message] = [
    READY,
    messages.LaneOpened(1),
    messages.Error(2, "segment", "no memory", "close a program"),
    messages.Event(0, "fallback", "the CPU is used"),
    messages.PersonaAdded(1, True, "ann", (), ""),
    messages.Personas((messages.PersonaInfo("ann", "Ann", "photo", ("dark",), "/a.png"),)),
    messages.Choices((messages.DeviceInfo("cuda:0", "A card", 8192),), (messages.ModelInfo("m", "engine"),)),
    messages.Status("ready", "cpu", "CPUExecutionProvider", "mesh", 123.5, ""),
    messages.LaneStatus(1, "running", 2, "bronze", "mesh", "CPU", 30.0, 9.5, 12.0, (), 1, 99, 3, ""),
    messages.Pong(1),
]


def conversation() -> bytes:
    return b"".join(map(Protocol(worker=False).send, CONVERSATION))


def test_a_whole_conversation_comes_through_split_at_every_boundary() -> None:
    data = conversation()
    for cut in range(len(data) + 1):
        worker = Protocol(worker=True)
        worker.feed(data[:cut])
        found = drain(worker)
        worker.feed(data[cut:])
        assert found + drain(worker) == CONVERSATION
        worker.feed_eof()


@given(cuts=st.lists(st.integers(0, len(conversation())), max_size=40))
def test_a_whole_conversation_comes_through_in_any_pieces(cuts: list[int]) -> None:
    data, worker = conversation(), Protocol(worker=True)
    found, start = [], 0
    for cut in [*sorted(cuts), len(data)]:
        worker.feed(data[start:cut])
        found += drain(worker)
        start = cut
    assert found == CONVERSATION


def test_both_directions_of_a_conversation() -> None:
    obs, worker = Protocol(worker=False), Protocol(worker=True)
    for message in CONVERSATION:
        worker.feed(obs.send(message))
    assert drain(worker) == CONVERSATION
    for message in ANSWERS:
        obs.feed(worker.send(message))
    assert drain(obs) == ANSWERS


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", ProtocolFault.EMPTY),
        (b"\xff\xfe{}", ProtocolFault.NOT_UTF8),
        (b"\xed\xa0\x80", ProtocolFault.NOT_UTF8),
        (b"{", ProtocolFault.NOT_JSON),
        (b"{}x", ProtocolFault.NOT_JSON),
        (b"[" * 200_000, ProtocolFault.NOT_JSON),
        (b'{"type":"ping","number":NaN}', ProtocolFault.NOT_JSON),
        (b'{"type":"ping","number":' + b"9" * 5000 + b"}", ProtocolFault.NOT_JSON),
        (b'{"type":"ping","number":' + b"9" * 401 + b"}", ProtocolFault.NOT_JSON),
        (b'{"type":"ping","number":' + b"9" * 400 + b"}", ProtocolFault.BAD_FIELD),
        (b'{"type":"prepare","settings":{"strength":1' + b"0" * 390 + b"}}", ProtocolFault.BAD_FIELD),
        (b'{"type":"ping","type":"ping","number":1}', ProtocolFault.NOT_JSON),
        (b"[]", ProtocolFault.NOT_OBJECT),
        (b"null", ProtocolFault.NOT_OBJECT),
        (b'"ping"', ProtocolFault.NOT_OBJECT),
        (b"{}", ProtocolFault.UNKNOWN_TYPE),
        (b'{"type":"pong","number":1}', ProtocolFault.UNKNOWN_TYPE),
        (b'{"type":"ping"}', ProtocolFault.MISSING_FIELD),
        (b'{"type":"ping","number":1,"x":0}', ProtocolFault.UNKNOWN_FIELD),
        (b'{"type":"ping","number":"1"}', ProtocolFault.BAD_FIELD),
        (b'{"type":"ping","number":0}', ProtocolFault.BAD_FIELD),
        (b'{"type":"hello","version":7}', ProtocolFault.VERSION),
        (b'{"type":"close_lane","lane":1}', ProtocolFault.OUT_OF_ORDER),
    ],
)
def test_each_kind_of_rubbish_is_one_fault(body: bytes, fault: ProtocolFault) -> None:
    _, worker = connected()
    worker.feed(framed(body))
    assert_one_fault(worker, fault)


def test_settings_of_the_longest_texts_fit_into_a_message() -> None:
    obs, worker = connected()
    longest: dict[str, Value] = {
        key: "\U0001f642" * LONGEST_TEXT
        for key, field in FIELDS.items()
        if isinstance(field.default, str) and not any(field.metadata[one] for one in ("choices", "device"))
    }
    assert len(longest) > 10
    lane = open_lane(1, FilterSettings().replace(**longest))
    worker.feed(obs.send(lane))
    assert drain(worker) == [lane]


@pytest.mark.parametrize("size", [MAX_MESSAGE_BYTES + 1, 2**31, 2**32 - 1])
def test_a_message_that_is_too_long_is_refused_before_it_is_read(size: int) -> None:
    _, worker = connected()
    worker.feed(struct.pack("<I", size))
    assert_one_fault(worker, ProtocolFault.OVERSIZED)


def test_the_longest_message_is_taken() -> None:
    _, worker = connected()
    body = b'{"type":"ping","number":1}'
    worker.feed(framed(body + b" " * (MAX_MESSAGE_BYTES - len(body))))
    assert drain(worker) == [PING]


def test_an_end_inside_a_message_is_a_fault() -> None:
    data = framed(b'{"type":"ping","number":1}')
    for cut in range(1, len(data)):
        _, worker = connected()
        worker.feed(data[:cut])
        assert worker.next_message() is None
        with pytest.raises(ProtocolError) as caught:
            worker.feed_eof()
        assert caught.value.fault is ProtocolFault.TRUNCATED
        assert worker.next_message() is None


def test_an_end_between_messages_is_none() -> None:
    _, worker = connected()
    worker.feed(framed(b'{"type":"ping","number":1}'))
    assert drain(worker) == [PING]
    worker.feed_eof()
    assert worker.fault is None


def test_messages_before_a_fault_are_handed_out() -> None:
    obs, worker = connected()
    worker.feed(obs.send(PING) + framed(b"rubbish"))
    assert worker.next_message() == PING
    assert_one_fault(worker, ProtocolFault.NOT_JSON)


@given(data=st.data())
def test_a_changed_byte_gives_the_message_another_or_one_fault(data: st.DataObject) -> None:
    obs, worker = connected()
    good = bytearray(obs.send(data.draw(instances(messages.OpenLane))))
    at = data.draw(st.integers(0, len(good) - 1))
    good[at] ^= data.draw(st.integers(1, 255))
    found, error = outcome(worker, bytes(good))
    assert worker.fault is error
    assert (error is None) == (len(found) == 1)
    assert worker.next_message() is None


@given(noise=st.binary(max_size=300))
def test_noise_never_raises_anything_else(noise: bytes) -> None:
    protocol = Protocol(worker=True)
    found, error = outcome(protocol, noise)
    assert found == []
    assert protocol.fault is error


def test_a_message_that_would_be_too_long_is_not_sent() -> None:
    _, worker = connected()
    many = tuple(messages.PersonaInfo(f"p{n}", "x" * 200, "photo", ("w" * 4000,), "") for n in range(400))
    with pytest.raises(ProtocolError) as caught:
        worker.send(messages.Personas(many))
    assert caught.value.fault is ProtocolFault.OVERSIZED
