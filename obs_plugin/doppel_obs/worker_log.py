"""The worker's standard error: in short into OBS's log, into Doppel's what the worker does not write there.

The worker writes Doppel's log itself; the rest is what it could not write there, such as the reason why its
interpreter does not start, or the words of a library in C.
"""

from __future__ import annotations

import re
import threading
import time
from typing import IO

from doppel_obs.libobs import LOG_INFO
from doppel_obs.log import Log

LINES_PER_MINUTE = 30
"""Most lines of the worker that go to OBS's log."""
LONGEST_LINE = 1 << 13
"""Bytes of a line that are kept."""
_MINUTE_NS = 60_000_000_000
_LOGGED = re.compile(r"(WARNING|ERROR|CRITICAL): ")
"""How a line begins that the worker has written into Doppel's log itself."""


class WorkerLog:
    """Takes the stderr of one worker after another."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._minute_ns = 0
        self._lines = 0

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
        with stream:
            for raw in iter(lambda: stream.readline(LONGEST_LINE), b""):
                line = raw.decode("utf-8", "replace").rstrip()
                if not line:
                    continue
                if not _LOGGED.match(line):
                    self._log.note(f"worker {pid}: {line}")
                if self._may_say():
                    self._log.to_obs(LOG_INFO, f"worker: {line[:300]}")

    def _may_say(self) -> bool:
        now_ns = time.monotonic_ns()
        if now_ns - self._minute_ns > _MINUTE_NS:
            self._minute_ns, self._lines = now_ns, 0
        self._lines += 1
        if self._lines == LINES_PER_MINUTE:
            self._log.to_obs(LOG_INFO, f"worker: (more in {self._log.folder})")
        return self._lines < LINES_PER_MINUTE
