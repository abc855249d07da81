"""The control protocol's bytes, from either side, and what OBS's side makes of the messages.

An input is a conversation: a byte that says who receives and how, then messages, one a line; each is given
its length in front and arrives in two pieces. (With ``RAW`` the bytes are fed as they are, lengths
included.)"""

from __future__ import annotations

import copy
import json
from typing import Any

from doppel_ipc import messages
from doppel_ipc.errors import ProtocolError
from doppel_ipc.messages import TO_OBS, TO_WORKER, Message, to_object
from doppel_ipc.protocol import MAX_MESSAGE_BYTES, Protocol
from doppel_ipc.settings import FilterSettings

WORKER_RECEIVES, GREETED, RAW = 1, 2, 4

_CONSENT = messages.Consent("own", "me", "2026-01-31")
_SEGMENT = messages.Segment("memfd", "/proc/1/fd/7", 4096)
_HELLO = messages.Hello(messages.PROTOCOL_VERSION, "/lib/x.so", "/personas", "/log", "info")
_READY = messages.Ready(messages.PROTOCOL_VERSION, 4711)
_TO_WORKER: tuple[Message, ...] = (
    messages.OpenLane(1, "camera", _SEGMENT, 1, FilterSettings(persona="ann", engine="mesh")),
    messages.OpenLane(2, "clip", _SEGMENT, 1, FilterSettings()),
    messages.AddPersona(1, ("/a.png", "/b.png"), "Ann", _CONSENT, True),
    messages.AddPersona(2, ("/a.dfm",), "", _CONSENT, False),
    messages.Ping(3),
    messages.Settings(1, 2, FilterSettings(strength=0.25, pixel_boost=2)),
    messages.Prepare(FilterSettings()),
    messages.Throttle(0, 2),
    messages.ListPersonas(),
    messages.CloseLane(2),
)
_TO_OBS: tuple[Message, ...] = (
    messages.Status("ready", "cpu", "CPUExecutionProvider", "mesh", 123.5, ""),
    messages.LaneOpened(1),
    messages.LaneStatus(
        1, "running", 2, "ann", "mesh", "CPU", 30.0, 9.5, 12.0, (messages.StageTime("track", 1.0, 2.0),),
        1, 9, 3, "",
    ),
    messages.Personas((messages.PersonaInfo("ann", "Ann", "photo", ("dark",), "/a.png"),)),
    messages.Choices((messages.DeviceInfo("cuda:0", "A card", 8192),), (messages.ModelInfo("m", "engine"),)),
    messages.PersonaAdded(1, True, "ann", (), ""),
    messages.Error(2, "segment", "no memory", "close a program"),
    messages.Event(0, "fallback", "the CPU is used"),
    messages.Pong(2),
)  # fmt: skip


def _greeted() -> tuple[Protocol, Protocol]:
    """OBS's side and the worker's, with lanes, requests and pings under way."""
    obs, worker = Protocol(worker=False), Protocol(worker=True)
    worker.feed(obs.send(_HELLO))
    worker.next_message()
    obs.feed(worker.send(_READY))
    obs.next_message()
    for message in _TO_WORKER[:5]:
        obs.send(message)
    return obs, worker


_OBS, _WORKER = _greeted()


def _fresh(side: int) -> Protocol:
    """A protocol at the beginning, or as it is after :func:`_greeted`."""
    worker = bool(side & WORKER_RECEIVES)
    protocol = Protocol(worker=worker)
    if side & GREETED:
        order = copy.copy((_WORKER if worker else _OBS)._order)
        order._open, order._requests = set(order._open), set(order._requests)
        protocol._order = order
    return protocol


def judge(data: bytes) -> int:
    """Takes one input; returns how many messages were tried.

    Raises:
        Anything but a ProtocolError, or an AssertionError: a finding.
    """
    side, rest = (data[0], data[1:]) if data else (0, b"")
    if side & RAW:
        protocol = _fresh(side)
        return _hear(protocol, (rest[: len(rest) // 2], rest[len(rest) // 2 :]))
    tried = 0
    protocol = _fresh(side)
    for body in rest.split(b"\n"):
        framed = min(len(body), MAX_MESSAGE_BYTES).to_bytes(4, "little") + body
        tried += _hear(protocol, (framed[:5], framed[5:]))
        if protocol.fault is not None:
            protocol = _fresh(side)
    return tried


def _hear(protocol: Protocol, pieces: tuple[bytes, ...]) -> int:
    """Feeds bytes and checks what comes of them; returns how many messages were tried."""
    tried = 0
    fault: ProtocolError | None = None
    try:
        for piece in pieces:
            protocol.feed(piece)
            while (message := protocol.next_message()) is not None:
                tried += 1
                _check(message)
    except ProtocolError as error:
        fault = error
    assert protocol.fault is fault
    if fault is not None:
        tried += 1
        assert str(fault)
        protocol.feed(pieces[0])
        assert protocol.next_message() is None
        protocol.feed_eof()
    assert len(protocol._buffer) <= MAX_MESSAGE_BYTES + 4
    return tried


def _check(message: Message) -> None:
    """What was understood says the same when it is said again."""
    wire = json.dumps(to_object(message), allow_nan=False)
    table = {**TO_WORKER, **TO_OBS}
    assert messages.from_object(json.loads(wire), table) == message


def objects(side: int) -> list[dict[str, Any]]:
    """A good conversation to that side."""
    start: Message = _HELLO if side & WORKER_RECEIVES else _READY
    rest = _TO_WORKER if side & WORKER_RECEIVES else _TO_OBS
    whole = rest if side & GREETED else (start, *rest)
    return [to_object(message) for message in whole]


def line(value: Any) -> bytes:
    """A message as it stands in an input."""
    return json.dumps(value, separators=(",", ":")).encode("utf-8", "surrogatepass")


def seeds() -> list[bytes]:
    """Good inputs to begin with."""
    made = []
    for side in (0, WORKER_RECEIVES, GREETED, GREETED | WORKER_RECEIVES):
        lines = [line(value) for value in objects(side)]
        made.append(bytes([side]) + b"\n".join(lines))
        made += [bytes([side]) + one for one in lines]
        made.append(bytes([side | RAW]) + b"".join(len(one).to_bytes(4, "little") + one for one in lines[:2]))
    return made


def words() -> list[str]:
    """What a mutation may write: keys, and words that values are made of."""
    found = {"null", "true", "false", "NaN", "-0", "1e999", '"type":', "\\ud800", "\\u0000", "[[[[", '{"":'}

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                found.add(f'"{key}":')
                collect(inner)
        elif isinstance(value, list):
            for inner in value:
                collect(inner)
        elif isinstance(value, str) and value:
            found.add(f'"{value}"')

    for side in (0, WORKER_RECEIVES):
        collect(objects(side))
    return sorted(found)
