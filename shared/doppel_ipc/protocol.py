"""The control protocol without any input or output: bytes in, messages out, and the other way round.

A message is a 4-byte little-endian length and that many bytes of a JSON object in UTF-8. The first message of
each side is its ``hello`` or ``ready`` with the protocol's version. Whatever breaks the rules raises ONE
:class:`ProtocolError`, whose ``fault`` names the rule; after that the connection is over.
"""

from __future__ import annotations

import json
import struct
from typing import Any, NoReturn

from doppel_ipc.errors import ProtocolError, ProtocolFault
from doppel_ipc.messages import (
    ALL_LANES,
    TO_OBS,
    TO_WORKER,
    AddPersona,
    CloseLane,
    Error,
    Event,
    Hello,
    LaneOpened,
    LaneStatus,
    Message,
    OpenLane,
    PersonaAdded,
    Ping,
    Pong,
    Ready,
    Settings,
    Throttle,
    from_object,
    to_object,
    type_name,
)

MAX_MESSAGE_BYTES = 1 << 20
MAX_DIGITS = 400
"""Of an integer: more than any float can be."""
_LENGTH = struct.Struct("<I")


class Protocol:
    """One side of one connection. Not thread-safe.

    Args:
        worker: True for the worker's side, False for OBS's.

    Attributes:
        fault: the error that ended the connection, or None.
    """

    def __init__(self, *, worker: bool) -> None:
        self._receives = TO_WORKER if worker else TO_OBS
        self._sends = TO_OBS if worker else TO_WORKER
        self._buffer = bytearray()
        self._order = _Order()
        self._ended = False
        self.fault: ProtocolError | None = None

    def send(self, message: Message) -> bytes:
        """The bytes of a message, which from now on counts as sent.

        Raises:
            ProtocolError: this side does not send it, may not send it now, a value is not valid, or it is
                too long. Nothing has changed then.
        """
        if type_name(message) not in self._sends:
            raise ProtocolError(ProtocolFault.UNKNOWN_TYPE, f"this side does not send {type_name(message)}")
        body = json.dumps(to_object(message), allow_nan=False, separators=(",", ":")).encode("ascii")
        if len(body) > MAX_MESSAGE_BYTES:
            detail = f"{type_name(message)} of {len(body)} bytes > {MAX_MESSAGE_BYTES}"
            raise ProtocolError(ProtocolFault.OVERSIZED, detail)
        self._order.sent(message)
        return _LENGTH.pack(len(body)) + body

    def feed(self, data: bytes) -> None:
        """Takes bytes of the peer, however they were split. Ignored once the connection has ended."""
        if self.fault is None and not self._ended:
            self._buffer += data

    def feed_eof(self) -> None:
        """The peer has closed its end.

        Raises:
            ProtocolError: TRUNCATED, when it did so inside a message.
        """
        if self._ended or self.fault is not None:
            return
        self._ended = True
        if self._buffer:
            self._fail(ProtocolError(ProtocolFault.TRUNCATED, f"{len(self._buffer)} bytes are left over"))

    def next_message(self) -> Message | None:
        """The next whole message, or None until more bytes come.

        Raises:
            ProtocolError: the peer broke the protocol; raised once, then there are no more messages.
        """
        if self.fault is not None or len(self._buffer) < _LENGTH.size:
            return None
        (size,) = _LENGTH.unpack_from(self._buffer)
        if size > MAX_MESSAGE_BYTES:
            self._fail(ProtocolError(ProtocolFault.OVERSIZED, f"{size} bytes > {MAX_MESSAGE_BYTES}"))
        if size == 0:
            self._fail(ProtocolError(ProtocolFault.EMPTY, "length 0"))
        end = _LENGTH.size + size
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        try:
            message = from_object(_parse(body), self._receives)
            self._order.received(message)
        except ProtocolError as error:
            self._fail(error)
        return message

    def _fail(self, error: ProtocolError) -> NoReturn:
        self.fault = error
        self._buffer.clear()
        raise error


class _Order:
    """Which message may come when. Both sides keep the same books, each from what it sent and received."""

    def __init__(self) -> None:
        self._sent_any = False
        self._received_any = False
        self._highest_lane = 0
        self._open: set[int] = set()
        self._highest_request = 0
        self._requests: set[int] = set()
        self._pinged = 0
        self._ponged = 0

    def sent(self, message: Message) -> None:
        self._first(message, self._sent_any)
        if isinstance(message, Ready) and not self._received_any:
            _out_of_order("ready before hello")
        self._books(message)
        self._sent_any = True

    def received(self, message: Message) -> None:
        self._first(message, self._received_any)
        if isinstance(message, Ready) and not self._sent_any:
            _out_of_order("ready before hello")
        self._books(message)
        self._received_any = True

    @staticmethod
    def _first(message: Message, any_before: bool) -> None:
        if isinstance(message, (Hello, Ready)) == any_before:
            _out_of_order(f"{type_name(message)} {'again' if any_before else 'before hello or ready'}")

    def _books(self, message: Message) -> None:
        if isinstance(message, OpenLane):
            if message.lane <= self._highest_lane:
                _out_of_order(f"lane {message.lane} is not larger than {self._highest_lane}")
            self._highest_lane = message.lane
            self._open.add(message.lane)
        elif isinstance(message, CloseLane):
            if message.lane not in self._open:
                _out_of_order(f"lane {message.lane} is not open")
            self._open.remove(message.lane)
        elif isinstance(message, (Settings, Throttle)):
            if message.lane != ALL_LANES and message.lane not in self._open:
                _out_of_order(f"lane {message.lane} is not open")
        elif isinstance(message, (LaneOpened, LaneStatus, Error, Event)):
            # The lane may have been closed while this was on its way.
            if message.lane > self._highest_lane:
                _out_of_order(f"lane {message.lane} was never opened")
        elif isinstance(message, AddPersona):
            if message.request <= self._highest_request:
                _out_of_order(f"request {message.request} is not larger than {self._highest_request}")
            self._highest_request = message.request
            self._requests.add(message.request)
        elif isinstance(message, PersonaAdded):
            if message.request not in self._requests:
                _out_of_order(f"request {message.request} was not made or is answered already")
            self._requests.remove(message.request)
        elif isinstance(message, Ping):
            if message.number <= self._pinged:
                _out_of_order(f"ping {message.number} is not larger than {self._pinged}")
            self._pinged = message.number
        elif isinstance(message, Pong):
            if not self._ponged < message.number <= self._pinged:
                _out_of_order(f"pong {message.number} answers no ping")
            self._ponged = message.number


def _out_of_order(detail: str) -> NoReturn:
    raise ProtocolError(ProtocolFault.OUT_OF_ORDER, detail)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ProtocolError(ProtocolFault.NOT_UTF8, str(error)) from None
    try:
        data = json.loads(text, parse_int=_int, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(ProtocolFault.NOT_JSON, str(error)) from None
    if not isinstance(data, dict):
        raise ProtocolError(ProtocolFault.NOT_OBJECT, type(data).__name__)
    return data


def _int(text: str) -> int:
    # Older Pythons take seconds for a number as long as a message, and OBS's scripts stand still meanwhile.
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("a key comes twice")
    return data
