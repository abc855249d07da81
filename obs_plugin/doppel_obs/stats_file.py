"""Writes the status file (:mod:`doppel_ipc.status_file`, docs/report.md) once a second, a copy more often."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Callable, Mapping, Sequence

from doppel_ipc import status_file
from doppel_ipc.messages import Status

from doppel_obs.lane_stats import LaneStats
from doppel_obs.worker_process import WorkerProcess

INTERVAL_NS = 1_000_000_000
COPY_INTERVAL_NS = 200_000_000
"""Where somebody has named a copy: a program waits for what it says."""
MOST_MESSAGES = 200
PATIENCE = 5
"""Failures in a row before it is said: a program that reads the file keeps it for a moment (Windows)."""


def obs_part(version: tuple[int, int, int], *, panic: bool) -> Mapping[str, object]:
    """What the file says of OBS."""
    return {"pid": os.getpid(), "version": ".".join(map(str, version)), "panic": panic}


def worker_part(worker: WorkerProcess, status: Status | None, throttle: int) -> Mapping[str, object]:
    """What the file says of the worker; its own words are None while none serves."""
    return {
        "pid": worker.pid,
        "starts": worker.starts,
        "restarts": worker.restarts,
        "device": status.device if status is not None else None,
        "provider": status.provider if status is not None else None,
        "rss_bytes": round(status.memory_mb * 1e6) if status is not None else None,
        "throttle": throttle,
    }


class StatsFile:
    """The status of one OBS.

    Args:
        folder: of the log.
        refused: takes a sentence where the file cannot be written; said once of each.
        environ: the process's environment, which may name another file: a copy that stays.
    """

    def __init__(
        self, folder: Path, refused: Callable[[str], None], environ: Mapping[str, str] | None = None
    ) -> None:
        named = status_file.named_path(environ)
        self.kept = named is not None
        """Somebody wants a copy that stays, with the figures of filters that are gone."""
        self._own = status_file.own_path(folder, os.getpid())
        self._failures = {path: 0 for path in (self._own, named) if path is not None}
        """How often each file could not be written in a row; our own first."""
        self._refused = refused
        self._written_ns = 0
        self._messages: dict[str, None] = {}
        status_file.sweep(folder)

    def message(self, text: str) -> None:
        """Notes what a status line said; of too many the oldest go, but for a copy that stays."""
        if len(self._messages) >= MOST_MESSAGES:
            if self.kept:
                return
            self._messages.pop(next(iter(self._messages)))
        self._messages.setdefault(text)

    def due(self, now_ns: int) -> bool:
        """True when it is time to write."""
        return now_ns - self._written_ns >= (COPY_INTERVAL_NS if self.kept else INTERVAL_NS)

    def write(
        self, obs: Mapping[str, object], worker: Mapping[str, object], lanes: Sequence[LaneStats]
    ) -> None:
        """Writes the file, whole or not at all. Never raises: the picture does not depend on it."""
        self._written_ns = time.monotonic_ns()
        data = {
            "version": status_file.VERSION,
            "updated_ns": self._written_ns,
            "obs": dict(obs),
            "worker": dict(worker),
            "lanes": [lane.to_json() for lane in lanes],
            "messages": list(self._messages),
        }
        for path in self._failures:
            self._write_one(path, data)

    def close(self) -> None:
        """The script ends, and its status with it."""
        with contextlib.suppress(OSError):
            self._own.unlink()

    def _write_one(self, path: Path, data: Mapping[str, object]) -> None:
        try:
            status_file.write(path, data)
        except OSError as error:
            self._failures[path] += 1
            if self._failures[path] == PATIENCE:
                self._refused(f"the status {path} cannot be written: {error.strerror or error}")
        else:
            self._failures[path] = 0
