"""The worker's part of the log: the file with everything, standard error with what OBS's own log should show.

Modules log to ``logging.getLogger(__name__)``; other people's libraries are heard from warnings on. The file
is ``doppel_ipc.log_file``'s, which OBS's side writes, too. What goes to standard error begins with its level
and stands in the file anyway, so OBS's side writes only other people's lines of it into the file.
"""

from __future__ import annotations

import logging
import logging.handlers
import sys
from pathlib import Path

from doppel_ipc.log_file import LogFile

OURS = ("doppel_worker", "doppel_models", "doppel_ipc")
MOST_EARLY = 200
"""Records that are kept until OBS has said where the file lies."""


def open_console() -> None:
    """Warnings go to standard error, one line each, and wait for the file, whose folder is not known yet."""
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(logging.WARNING)
    console.setFormatter(_OneLine("%(levelname)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(console)
    root.addHandler(_Early(MOST_EARLY, logging.CRITICAL + 1))
    logging.captureWarnings(True)


def open_file(folder: Path, level: str) -> None:
    """Everything from ``level`` on goes to the log in ``folder`` too.

    A folder that cannot be written is told on standard error; the worker goes on without a file.
    """
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())
    file = LogFile(folder, lambda text: print(f"WARNING: {text}", file=sys.stderr, flush=True))
    root = logging.getLogger()
    for early in [handler for handler in root.handlers if isinstance(handler, _Early)]:
        root.removeHandler(early)
        early.setTarget(file)
        early.close()
    root.addHandler(file)


class _Early(logging.handlers.MemoryHandler):
    """Records of the time before there is a file; the oldest are dropped where they are too many."""

    def shouldFlush(self, record: logging.LogRecord) -> bool:  # noqa: N802, ARG002 - logging's name
        return False

    def emit(self, record: logging.LogRecord) -> None:
        del self.buffer[: max(len(self.buffer) + 1 - self.capacity, 0)]
        super().emit(record)


class _OneLine(logging.Formatter):
    """OBS's log gets the first line and, of an exception, its last; the file has the whole traceback."""

    def format(self, record: logging.LogRecord) -> str:
        lines = super().format(record).strip().splitlines() or [""]
        return lines[0] if len(lines) == 1 else f"{lines[0]} ... {lines[-1]}"
