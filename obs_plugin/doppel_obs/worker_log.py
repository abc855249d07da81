"""The worker's stderr: all of it into a rotating file, in short into OBS's log.

The worker keeps a log of its own beside it; here is what it could not write there, such as the reason why its
interpreter does not start.
"""

from __future__ import annotations

import logging
import logging.handlers
import threading
import time
from pathlib import Path
from typing import IO, Callable

FILE_NAME = "worker-stderr.log"
MOST_BYTES = 1 << 20
BACKUPS = 3
LINES_PER_MINUTE = 30
"""Most lines of the worker that go to OBS's log."""
_MINUTE_NS = 60_000_000_000


class WorkerLog:
    """Takes the stderr of one worker after another.

    Args:
        folder: where the file lies; made if it is missing.
        short: takes a line for OBS's log.
    """

    def __init__(self, folder: Path, short: Callable[[str], None]) -> None:
        self.path = folder / FILE_NAME
        self._short = short
        self._minute_ns = 0
        self._lines = 0
        self._handler: logging.Handler
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._handler = logging.handlers.RotatingFileHandler(
                str(self.path), maxBytes=MOST_BYTES, backupCount=BACKUPS, encoding="utf-8", delay=True
            )
        except OSError as error:
            short(f"the log {self.path} cannot be written: {error}")
            self._handler = logging.NullHandler()
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))

    def follow(self, stream: IO[bytes], pid: int) -> threading.Thread:
        """Reads a worker's stderr to its end, in a thread of its own, and closes it."""
        thread = threading.Thread(target=self._read, args=(stream, pid), name="doppel-stderr", daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        """Closes the file."""
        self._handler.close()

    def _read(self, stream: IO[bytes], pid: int) -> None:
        with stream:
            for raw in stream:
                line = raw.decode("utf-8", "replace").rstrip()
                record = logging.LogRecord("worker", logging.INFO, "", 0, f"[{pid}] {line}", None, None)
                self._handler.handle(record)
                if line and self._may_say():
                    self._short(f"worker: {line[:300]}")

    def _may_say(self) -> bool:
        now_ns = time.monotonic_ns()
        if now_ns - self._minute_ns > _MINUTE_NS:
            self._minute_ns, self._lines = now_ns, 0
        self._lines += 1
        if self._lines == LINES_PER_MINUTE:
            self._short(f"worker: (more in {self.path})")
        return self._lines < LINES_PER_MINUTE
