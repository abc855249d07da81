"""The worker's log: a rotating file with everything, standard error with what OBS's own log should show.

Modules log to ``logging.getLogger(__name__)``; other people's libraries are heard from warnings on.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
from pathlib import Path

LOG_NAME = "worker.log"
MAX_BYTES = 1 << 20
BACKUPS = 3
_FORMAT = "%(asctime)s.%(msecs)03d %(process)d %(threadName)s %(levelname)s %(name)s: %(message)s"

OURS = ("doppel_worker", "doppel_models", "doppel_ipc")


def open_console() -> None:
    """Warnings go to standard error, one line each, also before the log folder is known."""
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(logging.WARNING)
    console.setFormatter(_OneLine("%(levelname)s: %(message)s"))
    logging.getLogger().addHandler(console)
    logging.captureWarnings(True)


def open_file(folder: Path, level: str) -> None:
    """Everything from ``level`` on goes to ``folder/worker.log`` too, at most four files of 1 MiB.

    A folder that cannot be written is told on standard error; the worker goes on without a file.
    """
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = SharedFile(
            folder / LOG_NAME,
            maxBytes=MAX_BYTES,
            backupCount=BACKUPS,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except OSError as error:
        logging.getLogger(__name__).warning("no log file in %s: %s", folder, error.strerror)
        return
    handler.setFormatter(logging.Formatter(_FORMAT, "%Y-%m-%d %H:%M:%S"))
    logging.getLogger().addHandler(handler)


class SharedFile(logging.handlers.RotatingFileHandler):
    """A rotating file that two processes write: the worker that serves, and the one that waits."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a record into the newest file, also where the other process has begun that."""
        try:
            self._follow()
        except OSError:
            self.handleError(record)
            return
        super().emit(record)

    def doRollover(self) -> None:  # noqa: N802 - logging's name
        """Begins a new file; later where the other process has the old one open and that counts (Windows)."""
        try:
            super().doRollover()
        except OSError:
            self.stream = self.stream or self._open()

    def _follow(self) -> None:
        if self.stream is None:
            return
        try:
            is_newest = os.path.samestat(Path(self.baseFilename).stat(), os.fstat(self.stream.fileno()))
        except FileNotFoundError:
            is_newest = False
        if not is_newest:
            self.stream.close()
            self.stream = self._open()


class _OneLine(logging.Formatter):
    """OBS's log gets the first line and, of an exception, its last; the file has the whole traceback."""

    def format(self, record: logging.LogRecord) -> str:
        lines = super().format(record).strip().splitlines() or [""]
        return lines[0] if len(lines) == 1 else f"{lines[0]} ... {lines[-1]}"
