"""The worker's standard error: in short into OBS's log, into Doppel's what the worker does not write there.

The worker writes Doppel's log itself; the rest is what it could not write there, such as the reason why its
interpreter does not start, or the words of a library in C.
"""

from __future__ import annotations

import io
import re
import threading
import time
from typing import IO

from doppel_obs.libobs import LOG_INFO
from doppel_obs.log import Log

LINES_PER_MINUTE = 30
"""Most lines of the worker that go to OBS's log."""
NOTES_PER_MINUTE = 300
"""Most that go to Doppel's log: one that floods must not push out what everybody else has said."""
LONGEST_LINE = 1 << 13
"""Bytes; what is longer counts as several lines."""
_MINUTE_NS = 60_000_000_000
_LOGGED = re.compile(r"(WARNING|ERROR|CRITICAL): ")
"""How a line begins that the worker has written into Doppel's log itself."""


class WorkerLog:
    """Takes the stderr of one worker after another."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._told, self._noted = _Minute(), _Minute()

    @property
    def log(self) -> Log:
        """Where it goes."""
        return self._log

    def follow(self, stream: IO[bytes], pid: int) -> threading.Thread:
        """Reads a worker's stderr to its end, in a thread of its own, and closes it."""
        thread = threading.Thread(target=self._read, args=(stream, pid), name="doppel-stderr", daemon=True)
        thread.start()
        return thread

    def _read(self, stream: IO[bytes], pid: int) -> None:
        # A pipe without a buffer gives its lines byte by byte, each byte a call of the system.
        lines = io.BufferedReader(stream) if isinstance(stream, io.RawIOBase) else stream
        with lines:
            for raw in iter(lambda: lines.readline(LONGEST_LINE), b""):
                line = raw.decode("utf-8", "replace").rstrip()
                if line:
                    self._take(line, pid)

    def _take(self, line: str, pid: int) -> None:
        now_ns = time.monotonic_ns()
        if not _LOGGED.match(line):
            number = self._noted.count(now_ns)
            if number <= NOTES_PER_MINUTE:
                self._log.note(f"worker {pid}: {line}")
            elif number == NOTES_PER_MINUTE + 1:
                self._log.note(f"worker {pid}: (more left out)")
        number = self._told.count(now_ns)
        if number < LINES_PER_MINUTE:
            self._log.to_obs(LOG_INFO, f"worker: {line[:300]}")
        elif number == LINES_PER_MINUTE:
            self._log.to_obs(LOG_INFO, f"worker: (more in {self._log.folder})")


class _Minute:
    """Counts the lines of a minute."""

    def __init__(self) -> None:
        self._since_ns: int | None = None
        self._lines = 0

    def count(self, now_ns: int) -> int:
        """The number of a line that comes now, from 1 on."""
        if self._since_ns is None or now_ns - self._since_ns > _MINUTE_NS:
            self._since_ns, self._lines = now_ns, 0
        self._lines += 1
        return self._lines
