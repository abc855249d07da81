"""A connection to the peer over two pipes: one thread reads, one writes, and the caller never waits.

* :meth:`Channel.send` puts bytes into a bounded queue and returns. Messages that replace each other
  (:func:`coalesce_key`: settings of one lane, status, ...) take the waiting one's place, so a peer that
  is stopped costs a bounded amount of memory and no time.
* :meth:`Channel.receive` hands out what the reader thread has decoded. When the caller does not come for
  it, the reader stops reading, and the pipe fills: memory stays bounded there too.
* Nothing else may touch the pipes. To end a connection with a peer that may be stopped: kill the peer, then
  :meth:`Channel.close`, then :meth:`Channel.join` - a thread inside a read or write of a pipe cannot be
  interrupted otherwise.
"""

from __future__ import annotations

import collections
import contextlib
import os
import signal
import subprocess
import threading
from typing import Hashable

from doppel_ipc.errors import ChannelClosed, ProtocolError
from doppel_ipc.messages import (
    Choices,
    LaneStatus,
    ListPersonas,
    Message,
    Personas,
    Ping,
    Pong,
    Settings,
    Status,
    Throttle,
    type_name,
)
from doppel_ipc.protocol import Protocol

MAX_WAITING = 512
"""Messages that may wait in each direction."""
_CHUNK = 1 << 16


def coalesce_key(message: Message) -> Hashable | None:
    """Messages of equal key replace each other while they wait to be sent; None: each one counts."""
    if isinstance(message, (Settings, LaneStatus, Throttle)):
        return (type(message), message.lane)
    if isinstance(message, (Status, Personas, Choices, ListPersonas, Ping, Pong)):
        return (type(message),)
    return None


class Channel:
    """Both directions of one connection. Thread-safe. Takes over the two descriptors and closes them.

    Args:
        read_fd: end of the pipe that the peer writes.
        write_fd: end of the pipe that the peer reads.
        worker: True for the worker's side, False for OBS's.
        name: for the threads' names.

    Raises:
        ChannelClosed: the system has no room for two more threads.
    """

    def __init__(self, read_fd: int, write_fd: int, *, worker: bool, name: str = "doppel") -> None:
        self._read_fd, self._write_fd = read_fd, write_fd
        self._protocol = Protocol(worker=worker)
        self._changed = threading.Condition()
        self._outgoing: collections.deque[tuple[Hashable | None, bytes]] = collections.deque()
        self._incoming: collections.deque[Message] = collections.deque()
        self._writing = False
        self._closing = False
        self._unwritable: ChannelClosed | None = None
        self._reason: Exception | None = None
        self._threads = [
            threading.Thread(target=self._read, name=f"{name}-reader", daemon=True),
            threading.Thread(target=self._write, name=f"{name}-writer", daemon=True),
        ]
        try:
            for thread in self._threads:
                thread.start()
        except RuntimeError as error:
            self.close()  # a thread that has begun ends with the peer, and closes its own descriptor
            if self._threads[0].ident is None:
                _close(read_fd)
            _close(write_fd)
            raise ChannelClosed(str(error)) from error

    @classmethod
    def to_worker(cls, process: subprocess.Popen[bytes], name: str = "doppel") -> Channel:
        """OBS's side of the connection to a worker started with ``stdin=PIPE, stdout=PIPE, bufsize=0``.

        The process object gives up its two pipe ends: nothing else may read, write or close them.

        Raises:
            ChannelClosed: the system has no room for two more threads.
            OSError: it has none for two more open files.
        """
        if process.stdin is None or process.stdout is None:
            raise ValueError("the worker's stdin and stdout must be pipes")
        with process.stdin, process.stdout:
            read_fd = os.dup(process.stdout.fileno())
            try:
                write_fd = os.dup(process.stdin.fileno())
            except OSError:
                os.close(read_fd)
                raise
        process.stdin = process.stdout = None
        return cls(read_fd, write_fd, worker=False, name=name)

    @property
    def reason(self) -> Exception | None:
        """Why the connection ended: ChannelClosed or ProtocolError; None while it lives."""
        with self._changed:
            return self._reason

    def send(self, message: Message) -> None:
        """Queues a message. Never waits for the peer.

        Raises:
            ChannelClosed: the connection has ended, or the peer has not read for so long that the queue is
                full; either way the peer is of no use any more.
            ProtocolError: the message may not be sent (a mistake of the caller).
        """
        key = coalesce_key(message)
        with self._changed:
            ended = self._reason or self._unwritable
            if ended is not None:
                raise ChannelClosed(f"{type_name(message)} cannot be sent: {ended}")
            if len(self._outgoing) >= MAX_WAITING and not self._is_waiting(key):
                self._end(ChannelClosed(f"the peer does not read: {MAX_WAITING} messages wait"))
                raise ChannelClosed(f"{type_name(message)} cannot be sent: {self._reason}")
            data = self._protocol.send(message)
            if not self._replace(key, data):
                self._outgoing.append((key, data))
            self._changed.notify_all()

    def receive(self, timeout: float | None = 0.0) -> Message | None:
        """The next message of the peer, or None when none came in time.

        Args:
            timeout: seconds to wait; 0: do not wait; None: wait for a message or the end.

        Raises:
            ChannelClosed: the peer is gone, and every message that it sent before has been handed out.
            ProtocolError: it broke the protocol (also handed out last).
        """
        with self._changed:
            self._changed.wait_for(lambda: self._incoming or self._reason, timeout)
            if self._incoming:
                message = self._incoming.popleft()
                self._changed.notify_all()
                return message
            if self._reason is not None:
                raise self._reason
            return None

    def flush(self, timeout: float) -> bool:
        """Waits until everything is written; False when it is not within ``timeout`` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_flushed() or self._ends_writing(), timeout)
            return self._is_flushed()

    def close(self) -> None:
        """Lets both threads end; what waits is not sent. Does not wait. May be called again."""
        with self._changed:
            self._closing = True
            self._end(ChannelClosed("closed"))

    def join(self, timeout: float) -> bool:
        """Waits for both threads after :meth:`close`; True when they end within ``timeout`` seconds."""
        for thread in self._threads:
            thread.join(timeout / len(self._threads))
        return not any(thread.is_alive() for thread in self._threads)

    def _is_flushed(self) -> bool:
        return not self._outgoing and not self._writing

    def _ends_writing(self) -> bool:
        return self._reason is not None or self._unwritable is not None

    def _is_waiting(self, key: Hashable | None) -> bool:
        return key is not None and any(key == waiting for waiting, _ in self._outgoing)

    def _replace(self, key: Hashable | None, data: bytes) -> bool:
        if key is None:
            return False
        for index, (waiting, _) in enumerate(self._outgoing):
            if waiting == key:
                self._outgoing[index] = (key, data)
                return True
        return False

    def _end(self, reason: Exception) -> None:
        """Keeps the first reason. The condition is held."""
        if self._reason is None:
            self._reason = reason
        self._changed.notify_all()

    def _read(self) -> None:
        try:
            while True:
                data = os.read(self._read_fd, _CHUNK)
                if not self._take(data):
                    return
                if not data:
                    raise ChannelClosed("the peer has closed its end")
        except OSError as error:
            self._finish(ChannelClosed(f"the peer cannot be read: {error.strerror}"))
        except (ProtocolError, ChannelClosed) as error:
            self._finish(error)
        finally:
            _close(self._read_fd)

    def _take(self, data: bytes) -> bool:
        """Decodes; waits while too much waits for the caller. False: the connection was closed."""
        with self._changed:
            if data:
                self._protocol.feed(data)
            else:
                self._protocol.feed_eof()
            while True:
                message = self._protocol.next_message()
                if message is None:
                    return not self._closing
                self._incoming.append(message)
                self._changed.notify_all()
                self._changed.wait_for(lambda: len(self._incoming) < MAX_WAITING or self._closing)
                if self._closing:
                    return False

    def _write(self) -> None:
        if hasattr(signal, "pthread_sigmask"):
            # A write to a pipe whose reader is gone must be an error here, not the end of OBS.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._outgoing or self._ends_writing())
                    if self._ends_writing():
                        return
                    _, data = self._outgoing.popleft()
                    self._writing = True
                view = memoryview(data)
                while view:
                    view = view[os.write(self._write_fd, view) :]
                with self._changed:
                    self._writing = False
                    self._changed.notify_all()
        except OSError as error:
            # Not the end: what the peer said before it went, and why, is still to be read.
            with self._changed:
                self._unwritable = ChannelClosed(f"the peer cannot be written to: {error.strerror}")
                self._changed.notify_all()
        finally:
            _close(self._write_fd)

    def _finish(self, reason: Exception) -> None:
        with self._changed:
            self._end(reason)


def _close(fd: int) -> None:
    with contextlib.suppress(OSError):
        os.close(fd)
