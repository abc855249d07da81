"""What an OBS draws and records, asked of its websocket."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.integration.waiting import wait_for

LEAST_RECORDED_MS = 700.0
"""A recording shorter than this shows nothing: 21 frames at 30 a second."""


class Output(abc.ABC):
    """The pictures of one running OBS."""

    @abc.abstractmethod
    def request(self, name: str, **data: object) -> dict[str, Any]:
        """One obs-websocket request."""

    @abc.abstractmethod
    def alive(self) -> bool:
        """True while OBS runs."""

    @contextlib.contextmanager
    def recording(self) -> Iterator[list[Path]]:
        """Records all that happens in the block, and until there is something to judge; the list then holds
        the path.

        A busy machine's encoder can begin long after OBS says that it records.
        """
        result: list[Path] = []
        self.request("StartRecord")
        wait_for(lambda: self._recorded_ms() > 0, 30, "the recording did not start")
        try:
            yield result
            if self.alive():
                wait_for(lambda: self._recorded_ms() >= LEAST_RECORDED_MS, 20, "nothing is recorded")
        finally:
            if self.alive():
                result.append(self.stop_recording())

    def record_more(self, milliseconds: float) -> None:
        """Returns when the running recording is so much longer than now."""
        wanted = self._recorded_ms() + milliseconds
        wait_for(lambda: self._recorded_ms() >= wanted, 30, "the recording does not go on")

    def _recorded_ms(self) -> float:
        """How long the frames are that the encoder has given to the running recording; 0 without one."""
        return float(self.request("GetRecordStatus")["outputDuration"])

    def drawn(self) -> int:
        """Frames that OBS has drawn; those that it was too late for are not among them."""
        stats = self.request("GetStats")
        return int(stats["renderTotalFrames"]) - int(stats["renderSkippedFrames"])

    def not_encoded(self) -> int:
        """Frames that OBS has drawn and its encoder was too late for."""
        return int(self.request("GetStats")["outputSkippedFrames"])

    def draw_more(self, count: int) -> None:
        """Returns when OBS has drawn so many frames more: what was asked for before is to be seen then."""
        wanted = self.drawn() + count
        wait_for(lambda: self.drawn() >= wanted, 30, "OBS stands still")

    def stop_recording(self) -> Path:
        """Ends the recording; returns its file."""
        path = Path(self.request("StopRecord")["outputPath"])
        wait_for(lambda: not self.request("GetRecordStatus")["outputActive"], 20, "the recording did not end")
        return path
