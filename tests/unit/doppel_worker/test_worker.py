"""What each control message does: the worker without a process, its background run at once."""

from __future__ import annotations

import ctypes
import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from doppel_ipc import messages
from doppel_ipc.errors import ProtocolError, ProtocolFault
from doppel_ipc.messages import Message
from doppel_ipc.protocol import MAX_MESSAGE_BYTES
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_worker.backend import Backend, BackendConfig
from doppel_worker.errors import PersonaError, WorkerError
from doppel_worker.worker import Worker, clip

from tests.support import box_backend
from tests.support.gate_side import GateSide
from tests.support.lanes import LAYOUT
from tests.support.worker_process import wait_until

M = TypeVar("M", bound=Message)


class Desk:
    """A worker, and everything it has said."""

    def __init__(self, library: Path, folder: Path) -> None:
        self.said: list[Message] = []
        self.jobs: list[Callable[[], object]] = []
        self.load: Callable[[BackendConfig], Backend] = box_backend.load
        self.worker = Worker(self._send, self.jobs.append, lambda: self.load)
        self.hello = messages.Hello(1, str(library), str(folder / "personas"), str(folder / "log"), "debug")

    def _send(self, message: Message) -> None:
        """As a channel does."""
        size = len(json.dumps(messages.to_object(message)))
        if size > MAX_MESSAGE_BYTES:
            raise ProtocolError(ProtocolFault.OVERSIZED, f"{size} bytes")
        self.said.append(message)

    def tell(self, *many: Message) -> None:
        """Gives messages to the worker and does what it has put off."""
        for message in many:
            self.worker.handle(message)
        while self.jobs:
            self.jobs.pop(0)()

    def last(self, kind: type[M]) -> M:
        found = [message for message in self.said if isinstance(message, kind)]
        assert found, f"no {kind.__name__} in {self.said}"
        return found[-1]

    def open(self, number: int, gate: GateSide, persona: str = "invert") -> None:
        found = gate.segment.descriptor
        where = messages.Segment(found.kind, found.name, found.bytes, found.inode)
        self.tell(messages.OpenLane(number, "camera", where, 1, FilterSettings(persona=persona)))

    def status(self, number: int) -> messages.LaneStatus:
        self.said.clear()
        self.worker.heartbeat()
        found = {message.lane: message for message in self.said if isinstance(message, messages.LaneStatus)}
        return found[number]


@pytest.fixture
def desk(ring_library_path: Path, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(ring_library_path, tmp_path)
    yield made
    assert made.worker.stop(10)


def judged(gate: GateSide) -> int:
    found: list[int] = []

    def look() -> bool:
        result = gate.result()
        if result is not None:
            found.append(result[0])
        return bool(found)

    assert gate.submit(bytes(LAYOUT.size))
    wait_until(look, "a verdict")
    return found[0]


def test_hello_is_answered_before_anything_is_loaded(desk: Desk) -> None:
    desk.worker.handle(desk.hello)
    assert desk.said == [messages.Ready(messages.PROTOCOL_VERSION, os.getpid())]
    desk.worker.heartbeat()
    assert desk.last(messages.Status).state == "loading"
    desk.tell()
    assert desk.last(messages.Status).state == "ready"
    assert desk.last(messages.Personas).personas[0].id == "box"


def test_faces_that_cannot_be_listed_are_told_and_end_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.tell(desk.hello)

    def refuse(_: object) -> list[messages.PersonaInfo]:
        raise PersonaError("the folder cannot be read")

    monkeypatch.setattr(box_backend.BoxBackend, "personas", refuse)
    desk.tell(messages.ListPersonas(), messages.Ping(1))
    assert desk.last(messages.Error).message == "the folder cannot be read"
    assert desk.last(messages.Pong).number == 1


def test_more_faces_than_a_message_holds_are_cut(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.tell(desk.hello)
    (one,) = desk.last(messages.Personas).personas
    monkeypatch.setattr(box_backend.BoxBackend, "personas", lambda _: [one] * 1001)
    desk.tell(messages.ListPersonas())
    listed = desk.last(messages.Personas)
    assert messages.from_object(messages.to_object(listed), messages.TO_OBS) == listed
    assert len(listed.personas) == 1000


def test_faces_whose_warnings_would_not_fit_into_a_message_are_listed_without_them(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.tell(desk.hello)
    (one,) = desk.last(messages.Personas).personas
    wordy = dataclasses.replace(one, warnings=("x" * 2000,) * 20)
    monkeypatch.setattr(box_backend.BoxBackend, "personas", lambda _: [wordy] * 100)
    desk.said.clear()
    desk.tell(messages.ListPersonas())
    assert [found.warnings for found in desk.last(messages.Personas).personas] == [()] * 100


def test_a_lane_is_served_when_it_was_opened_before_the_backend_was_there(desk: Desk, gate: GateSide) -> None:
    found = gate.segment.descriptor
    where = messages.Segment(found.kind, found.name, found.bytes, found.inode)
    desk.worker.handle(desk.hello)
    desk.worker.handle(messages.OpenLane(1, "camera", where, 1, FilterSettings(persona="no-face")))
    assert desk.last(messages.LaneOpened).lane == 1
    assert desk.status(1).state == "loading"
    desk.tell()
    assert judged(gate) == Verdict.NO_FACE


def test_what_may_be_asked_for_soon_is_prepared_once_the_backend_is_there(desk: Desk) -> None:
    prepared: list[str] = []

    class Backend(box_backend.BoxBackend):
        def prepare(self, settings: FilterSettings) -> None:
            prepared.append(settings.persona)

    desk.load = Backend
    desk.worker.handle(desk.hello)
    desk.worker.handle(messages.Prepare(FilterSettings(persona="bronze")))
    assert prepared == []
    desk.tell()
    assert prepared == ["bronze"]


def test_settings_reach_their_lane_alone(desk: Desk, ring_library: ctypes.CDLL, gate: GateSide) -> None:
    with GateSide(ring_library, LAYOUT) as other:
        desk.tell(desk.hello)
        desk.open(1, gate)
        desk.open(2, other)
        desk.tell(messages.Settings(2, 5, FilterSettings(persona="no-face")))
        assert judged(gate) == Verdict.SWAPPED
        assert judged(other) == Verdict.NO_FACE
        wait_until(lambda: desk.status(2).serial == 5, "the serial")
        assert desk.status(1).serial == 1
        assert desk.worker.stop(10)


def test_a_closed_lane_gives_its_segment_up(desk: Desk, gate: GateSide) -> None:
    desk.tell(desk.hello)
    desk.open(1, gate)
    judged(gate)
    lane = desk.worker._lanes[1]
    desk.tell(messages.CloseLane(1))
    assert lane.join(60)
    assert lane._ring._memory.closed
    desk.tell(messages.CloseLane(1), messages.Settings(1, 9, FilterSettings()))


def test_a_segment_that_is_not_there_is_told(desk: Desk) -> None:
    desk.tell(desk.hello)
    where = messages.Segment("memfd", f"/proc/{os.getpid()}/fd/9999", 4096)
    desk.tell(messages.OpenLane(1, "camera", where, 1, FilterSettings()))
    error = desk.last(messages.Error)
    assert (error.lane, error.code) == (1, "segment")
    assert "cannot be opened" in error.message
    assert error.advice


def test_a_library_that_is_not_there_is_told(desk: Desk, tmp_path: Path, gate: GateSide) -> None:
    desk.tell(messages.Hello(1, "/no/such/lib.so", str(tmp_path), str(tmp_path), "info"))
    assert desk.last(messages.Status).state == "failed"
    assert "/no/such/lib.so does not exist" in desk.last(messages.Error).message
    desk.open(1, gate)
    assert desk.last(messages.Error).lane == 1


def test_a_backend_that_cannot_be_had_is_told_and_shows_nothing(desk: Desk, gate: GateSide) -> None:
    def broken(config: BackendConfig) -> Backend:
        raise WorkerError("the network face.onnx is damaged; install Doppel again")

    desk.load = broken
    desk.tell(desk.hello)
    desk.open(1, gate)
    assert desk.last(messages.Status).state == "failed"
    assert "face.onnx is damaged" in desk.status(1).detail
    assert desk.status(1).state == "failed"
    gate.submit(bytes(LAYOUT.size))
    assert gate.result() is None


def test_what_the_backend_has_to_say_reaches_obs(desk: Desk) -> None:
    def talkative(config: BackendConfig) -> Backend:
        config.notify("fallback", "CUDA is not there; the CPU is used")
        return box_backend.load(config)

    desk.load = talkative
    desk.tell(desk.hello)
    assert desk.last(messages.Event) == messages.Event(0, "fallback", "CUDA is not there; the CPU is used")


def test_a_persona_is_added_and_the_list_told_anew(desk: Desk, tmp_path: Path) -> None:
    photo = tmp_path / "ann.png"
    photo.touch()
    consent = messages.Consent("own", "Ann", "2026-01-31T12:00:00")
    desk.tell(desk.hello, messages.AddPersona(4, (str(photo),), "", consent, False))
    assert desk.last(messages.PersonaAdded) == messages.PersonaAdded(4, True, "ann", ("consent: own",), "")
    assert [persona.id for persona in desk.last(messages.Personas).personas] == ["box", "ann"]
    # OBS, told of a choice that its list lacks, would choose another one.
    assert desk.said.index(desk.last(messages.Personas)) < desk.said.index(desk.last(messages.PersonaAdded))


def test_a_photo_that_is_refused_says_why(desk: Desk) -> None:
    consent = messages.Consent("own", "Ann", "2026-01-31T12:00:00")
    desk.tell(desk.hello, messages.AddPersona(4, ("/no/photo.png",), "", consent, False))
    answer = desk.last(messages.PersonaAdded)
    assert not answer.ok
    assert answer.error == "/no/photo.png does not exist; choose another photo"


def test_a_ping_is_answered(desk: Desk) -> None:
    desk.tell(desk.hello, messages.Ping(17))
    assert desk.last(messages.Pong) == messages.Pong(17)


def test_throttling_reaches_one_lane_or_all(desk: Desk, ring_library: ctypes.CDLL, gate: GateSide) -> None:
    with GateSide(ring_library, LAYOUT) as other:
        desk.tell(desk.hello)
        desk.open(1, gate)
        desk.tell(messages.Throttle(0, 3))
        desk.open(2, other)
        lanes = desk.worker._lanes
        assert [lane._keep_one_of for lane in lanes.values()] == [3, 3]
        desk.tell(messages.Throttle(2, 1))
        assert [lane._keep_one_of for lane in lanes.values()] == [3, 1]
        assert desk.worker.stop(10)


def test_every_heartbeat_can_be_sent(desk: Desk, gate: GateSide) -> None:
    desk.tell(desk.hello)
    desk.open(1, gate, persona="x" * 3000)
    judged(gate)
    desk.worker.heartbeat()
    for message in desk.said:
        messages.to_object(message)
    assert desk.last(messages.Status).memory_mb > 1


def test_long_texts_are_clipped() -> None:
    assert clip("short") == "short"
    assert clip("x" * 300, 200) == "x" * 197 + "..."
