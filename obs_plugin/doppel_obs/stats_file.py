"""Writes the statistics file (docs/report.md) that ``DOPPEL_STATS_FILE`` names."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Mapping, Sequence

from doppel_ipc.paths import STATS_ENV

from doppel_obs.lane_stats import LaneStats

INTERVAL_NS = 1_000_000_000
MOST_MESSAGES = 200


class StatsFile:
    """The statistics of one run of OBS. Does nothing where no file is asked for.

    Args:
        environ: the process's environment.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        named = (os.environ if environ is None else environ).get(STATS_ENV)
        self._path = Path(named) if named else None
        self._written_ns = 0
        self._messages: dict[str, None] = {}

    @property
    def wanted(self) -> bool:
        """True where a file is asked for."""
        return self._path is not None

    def message(self, text: str) -> None:
        """Notes what a status line said."""
        if len(self._messages) < MOST_MESSAGES:
            self._messages.setdefault(text)

    def due(self, now_ns: int) -> bool:
        """True when it is time to write."""
        return self.wanted and now_ns - self._written_ns >= INTERVAL_NS

    def write(self, worker: Mapping[str, object], lanes: Sequence[LaneStats]) -> None:
        """Writes the file, whole or not at all.

        Raises:
            OSError: the folder cannot be written.
        """
        if self._path is None:
            return
        self._written_ns = time.monotonic_ns()
        data = {
            "version": 1,
            "updated_ns": self._written_ns,
            "worker": dict(worker),
            "lanes": [lane.to_json() for lane in lanes],
            "messages": list(self._messages),
        }
        temporary = self._path.with_name(self._path.name + ".tmp")
        temporary.write_text(json.dumps(data), encoding="utf-8")
        temporary.replace(self._path)
