from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from doppel_ipc import messages
from doppel_ipc.errors import ProtocolError, ProtocolFault
from doppel_ipc.messages import TO_OBS, TO_WORKER, Message
from doppel_ipc.protocol import MAX_MESSAGE_BYTES, Protocol
from doppel_ipc.settings import FilterSettings
from hypothesis import given
from hypothesis import strategies as st

from tests.support.wire import HELLO, READY, connected, instances, open_lane

PING = messages.Ping(1)


def framed(body: bytes) -> bytes:
    return struct.pack("<I", len(body)) + body


def drain(protocol: Protocol) -> list[Message]:
    found = []
    while (message := protocol.next_message()) is not None:
        found.append(message)
    return found


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


def assert_one_fault(protocol: Protocol, fault: ProtocolFault) -> None:
    """The fault is raised once, and nothing comes after it."""
    with pytest.raises(ProtocolError) as caught:
        drain(protocol)
    assert caught.value.fault is fault
    assert protocol.fault is caught.value
    protocol.feed(Protocol(worker=False).send(HELLO))
    assert protocol.next_message() is None
    protocol.feed_eof()


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


def steps(*done: Message) -> list[Message]:
    return list(done)


LANE = open_lane(5)
CLOSE = messages.CloseLane(5)
CONSENT = messages.Consent("own", "me", "2026-01-31")
ADD = messages.AddPersona(3, ("/a.png",), "", CONSENT, False)
TOO_EARLY: list[tuple[str, list[Message], Message]] = [
    ("a message before hello", [], PING),
    ("a second hello", steps(HELLO), HELLO),
    ("settings of a lane that was not opened", steps(HELLO), messages.Settings(5, 1, FilterSettings())),
    ("settings of a closed lane", steps(HELLO, LANE, CLOSE), messages.Settings(5, 1, FilterSettings())),
    ("a lane closed twice", steps(HELLO, LANE, CLOSE), CLOSE),
    ("a lane opened twice", steps(HELLO, LANE), LANE),
    ("a lane's number used again", steps(HELLO, LANE, CLOSE), LANE),
    ("a smaller lane", steps(HELLO, LANE), open_lane(4)),
    ("throttling a lane that was not opened", steps(HELLO), messages.Throttle(5, 2)),
    ("a request used again", steps(HELLO, ADD), ADD),
    ("a ping used again", steps(HELLO, PING), PING),
]  # fmt: skip


@pytest.mark.parametrize(("before", "wrong"), [case[1:] for case in TOO_EARLY], ids=[c[0] for c in TOO_EARLY])
def test_obs_may_not_say(before: list[Message], wrong: Message) -> None:
    obs, worker = Protocol(worker=False), Protocol(worker=True)
    for message in before:
        worker.feed(obs.send(message))
    assert drain(worker) == before
    with pytest.raises(ProtocolError) as caught:
        obs.send(wrong)
    assert caught.value.fault is ProtocolFault.OUT_OF_ORDER
    worker.feed(framed(json.dumps(messages.to_object(wrong)).encode()))
    assert_one_fault(worker, ProtocolFault.OUT_OF_ORDER)


STATUS = messages.LaneStatus(6, "running", 2, "bronze", "mesh", "CPU", 30.0, 9.5, 12.0, (), 1, 99, 3, "")
TOO_EARLY_BACK: list[tuple[str, list[Message], list[Message], Message]] = [
    ("ready before hello", [], [], READY),
    ("anything before ready", [HELLO], [], ANSWERS[6]),
    ("ready twice", [HELLO], [READY], READY),
    ("a lane that was never opened", [HELLO, LANE], [READY], messages.LaneOpened(6)),
    ("the status of such a lane", [HELLO, LANE], [READY], STATUS),
    ("an answer to no request", [HELLO], [READY], messages.PersonaAdded(3, True, "x", (), "")),
    (
        "a second answer",
        [HELLO, ADD],
        [READY, messages.PersonaAdded(3, True, "x", (), "")],
        messages.PersonaAdded(3, True, "x", (), ""),
    ),
    ("a pong to no ping", [HELLO], [READY], messages.Pong(1)),
    ("a pong twice", [HELLO, PING], [READY, messages.Pong(1)], messages.Pong(1)),
]


@pytest.mark.parametrize(
    ("asked", "before", "wrong"), [case[1:] for case in TOO_EARLY_BACK], ids=[c[0] for c in TOO_EARLY_BACK]
)
def test_the_worker_may_not_say(asked: list[Message], before: list[Message], wrong: Message) -> None:
    obs, worker = Protocol(worker=False), Protocol(worker=True)
    for message in asked:
        worker.feed(obs.send(message))
    assert drain(worker) == asked
    for message in before:
        obs.feed(worker.send(message))
    assert drain(obs) == before
    with pytest.raises(ProtocolError) as caught:
        worker.send(wrong)
    assert caught.value.fault is ProtocolFault.OUT_OF_ORDER
    obs.feed(framed(json.dumps(messages.to_object(wrong)).encode()))
    assert_one_fault(obs, ProtocolFault.OUT_OF_ORDER)


def test_what_a_closed_lane_still_had_to_say_is_no_fault() -> None:
    obs, worker = connected()
    worker.feed(obs.send(LANE))
    drain(worker)
    late = worker.send(messages.LaneOpened(5))
    worker.feed(obs.send(messages.CloseLane(5)))
    obs.feed(late)
    assert drain(obs) == [messages.LaneOpened(5)]


def test_a_refused_send_changes_nothing() -> None:
    obs, worker = connected()
    with pytest.raises(ProtocolError):
        obs.send(messages.OpenLane(1, "x" * 1000, LANE.segment, 1, FilterSettings()))
    worker.feed(obs.send(open_lane(1)))
    assert drain(worker) == [open_lane(1)]


def test_a_message_that_would_be_too_long_is_not_sent() -> None:
    _, worker = connected()
    many = tuple(messages.PersonaInfo(f"p{n}", "x" * 200, "photo", ("w" * 4000,), "") for n in range(400))
    with pytest.raises(ProtocolError) as caught:
        worker.send(messages.Personas(many))
    assert caught.value.fault is ProtocolFault.OVERSIZED


@pytest.mark.parametrize(("worker", "table"), [(False, TO_OBS), (True, TO_WORKER)])
def test_no_side_sends_the_other_sides_messages(worker: bool, table: dict[str, type[Any]]) -> None:
    protocol = Protocol(worker=worker)
    wrong = READY if table is TO_OBS else HELLO
    with pytest.raises(ProtocolError, match="does not send"):
        protocol.send(wrong)
