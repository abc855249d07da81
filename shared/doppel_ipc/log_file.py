"""Doppel's one log, ``doppel.log``: OBS's side and every worker write it, line by line, in one format.

A line: time, process, thread, level, module, words. What is written is ``info`` and above; the environment
variable ``DOPPEL_LOG_LEVEL`` (``debug``, ``info``, ``warning``, ``error``), set for OBS, changes that.
Four files of 1 MiB at most: the newest, and ``.1`` to ``.3``.
"""

from __future__ import annotations

import contextlib
import io
import logging
import logging.handlers
import os
import sys
import time
from pathlib import Path
from typing import Callable, Iterator, Mapping

LOG_NAME = "doppel.log"
LEVEL_ENV = "DOPPEL_LOG_LEVEL"
LEVELS = ("debug", "info", "warning", "error")
DEFAULT_LEVEL = "info"
MAX_BYTES = 1 << 20
BACKUPS = 3
REFUSED_AGAIN_NS = 60_000_000_000
"""A log that cannot be written says so once in this time, not with each line."""
ROTATED_AGAIN_NS = 10_000_000_000
"""A file that another process keeps from being renamed (Windows) is left alone for this time."""
_FORMAT = "%(asctime)s.%(msecs)03d %(process)d %(threadName)s %(levelname)s %(name)s: %(message)s"
_TIME = "%Y-%m-%d %H:%M:%S"


def wanted_level(environ: Mapping[str, str] | None = None) -> str:
    """What the environment asks for, one of :data:`LEVELS`; anything else means the default."""
    named = (os.environ if environ is None else environ).get(LEVEL_ENV, "").strip().lower()
    return named if named in LEVELS else DEFAULT_LEVEL


class LogFile(logging.handlers.RotatingFileHandler):
    """The file, for one of the processes that write it; another one may begin a new file at any time.

    It never raises: a full disk or a folder that cannot be written costs lines, and is said once a minute.

    Args:
        folder: where it lies; made with the first line.
        refused: takes a sentence about lines that could not be written.
        max_bytes: size at which a new file is begun.
    """

    def __init__(self, folder: Path, refused: Callable[[str], None], max_bytes: int = MAX_BYTES) -> None:
        super().__init__(
            str(folder / LOG_NAME), maxBytes=max_bytes, backupCount=BACKUPS, encoding="utf-8", delay=True
        )
        self.rotator = os.replace  # also over what a killed process has left half done
        self._refused = refused
        self._refused_ns: int | None = None
        self._kept_ns: int | None = None
        """When the file could not be renamed."""
        self.setFormatter(logging.Formatter(_FORMAT, _TIME))

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a record into the newest file, also where the other process has begun that."""
        try:
            self._follow()
        except OSError:
            self.handleError(record)
            return
        super().emit(record)
        if os.name == "nt" and self.stream is not None:
            # A file that is open cannot be renamed there, and three processes write this one.
            self.stream.close()
            self.stream = None

    def doRollover(self) -> None:  # noqa: N802 - logging's name
        """Begins a new file; later where another process has the old one open and that counts (Windows)."""
        now_ns = time.monotonic_ns()
        if self._kept_ns is not None and now_ns - self._kept_ns < ROTATED_AGAIN_NS:
            return
        stream, self.stream = self.stream, None
        base, full = self.baseFilename, None
        if stream is not None:
            full = os.fstat(stream.fileno())
            stream.close()
        try:
            with _alone(Path(base)) as is_alone:
                # Another process may have begun a new file just now: that one is not full.
                if is_alone and full is not None and os.path.samestat(full, Path(base).stat()):
                    self._rotate_all(base)
                    self._kept_ns = None
        except FileNotFoundError:
            pass  # it is doing that at this very moment
        except OSError:
            self._kept_ns = now_ns
        self.stream = self._open()

    def _rotate_all(self, base: str) -> None:
        aside = Path(f"{base}.new")
        if aside.exists():
            self._keep(aside)  # a process was killed before it had done that
        # First aside: where that fails, no backup has been lost for nothing.
        self.rotate(base, str(aside))
        self._keep(aside)

    def _keep(self, aside: Path) -> None:
        """Makes it the first backup; the others move up to the first free number, the last one goes."""
        backups = [Path(f"{self.baseFilename}.{number}") for number in range(1, BACKUPS + 1)]
        free = next((index for index, path in enumerate(backups) if not path.exists()), BACKUPS - 1)
        for index in range(free, 0, -1):
            backups[index - 1].replace(backups[index])
        aside.replace(backups[0])

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Says why lines are lost, where it was not said lately; the next line opens the file anew."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)  # a mistake in the program: its stack is wanted
            return
        stream, self.stream = self.stream, None
        if stream is not None:
            stream.close()
        now_ns = time.monotonic_ns()
        if self._refused_ns is None or now_ns - self._refused_ns >= REFUSED_AGAIN_NS:
            self._refused_ns = now_ns
            self._refused(f"the log {self.baseFilename} cannot be written: {error.strerror or error}")

    def _open(self) -> io.TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        # Nothing is kept back: what a full disk did not take must not come again with each later line.
        raw = io.FileIO(self.baseFilename, "a")
        return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", write_through=True)

    def _follow(self) -> None:
        if self.stream is None:
            return
        try:
            is_newest = os.path.samestat(Path(self.baseFilename).stat(), os.fstat(self.stream.fileno()))
        except FileNotFoundError:
            is_newest = False
        if is_newest:
            # What others wrote counts for the size, too; from Python 3.13 on logging does not seek the end.
            self.stream.seek(0, os.SEEK_END)
        else:
            self.stream.close()
            self.stream = self._open()


@contextlib.contextmanager
def _alone(log: Path) -> Iterator[bool]:
    """False while another process puts the files of this log away; the lock ends with the process."""
    try:
        held = _hold(log)
    except (BlockingIOError, FileExistsError):
        held = None
    try:
        yield held is not None
    finally:
        if held is not None:
            os.close(held)


def _hold(log: Path) -> int:
    if sys.platform == "win32":
        # A folder cannot be locked there; this file goes when it is closed, however the process ends.
        try:
            return os.open(f"{log}.rotating", os.O_CREAT | os.O_EXCL | os.O_TEMPORARY)
        except PermissionError as error:
            raise FileExistsError("it is being removed") from error
    else:
        import fcntl

        handle = os.open(log.parent, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise
        except OSError:
            pass  # a file system without locks: two that begin a new file at the same moment cost a backup
        return handle
