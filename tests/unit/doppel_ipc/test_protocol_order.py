"""What each side may say when: before hello, after ready, of lanes and requests that are not open."""

from __future__ import annotations

import json
from typing import Any

import pytest
from doppel_ipc import messages
from doppel_ipc.errors import ProtocolError, ProtocolFault
from doppel_ipc.messages import TO_OBS, TO_WORKER, Message
from doppel_ipc.protocol import Protocol
from doppel_ipc.settings import FilterSettings

from tests.support.wire import HELLO, PING, READY, assert_one_fault, connected, drain, framed, open_lane


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
    ("anything before ready", [HELLO], [], messages.Choices((), ())),
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


@pytest.mark.parametrize(("worker", "table"), [(False, TO_OBS), (True, TO_WORKER)])
def test_no_side_sends_the_other_sides_messages(worker: bool, table: dict[str, type[Any]]) -> None:
    protocol = Protocol(worker=worker)
    wrong = READY if table is TO_OBS else HELLO
    with pytest.raises(ProtocolError, match="does not send"):
        protocol.send(wrong)
