"""What an OBS writes of its filters, once in 200 ms: the statistics file, and waiting for what it says."""

from __future__ import annotations

import abc
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from installer.scene import FILTER_NAME
from tests.integration.waiting import wait_for

CAMERA = "Camera"
"""The source of most tests."""
GONE = "Gone."
"""The state of a filter that is gone (docs/report.md)."""


class Figures(abc.ABC):
    """The filters of one running OBS, by their figures.

    Args:
        stats_path: the file that OBS writes.
    """

    def __init__(self, stats_path: Path) -> None:
        self.stats_path = stats_path

    @abc.abstractmethod
    def workers(self) -> Sequence[psutil.Process]:
        """The processes of workers that live."""

    @abc.abstractmethod
    def our_log(self) -> str:
        """The lines of OBS's log that are about Doppel."""

    def stats(self) -> dict[str, Any]:
        """The statistics file as it is now; empty before there is one."""
        try:
            loaded: dict[str, Any] = json.loads(self.stats_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return loaded

    def lane(self, source: str = CAMERA, name: str = FILTER_NAME) -> dict[str, Any]:
        """The newest lane of that filter in the statistics, with their time and the worker of that moment;
        empty if there is none."""
        stats = self.stats()
        lanes = [
            {**lane, "updated_ns": stats["updated_ns"], "worker_pid": stats["worker"]["pid"]}
            for lane in stats.get("lanes", [])
            if lane["source"] == source and lane["filter"] == name
        ]
        return lanes[-1] if lanes else {}

    def wait_swapping(self, source: str = CAMERA, name: str = FILTER_NAME, timeout: float = 30) -> None:
        """Returns when frames of the filter's worker are being shown.

        Only frames of one filter by one worker are compared, and only while both are there: the statistics
        may still tell of a filter of that name that is gone, or of a worker that was killed a moment ago.
        """
        now_ns = time.monotonic_ns()
        shown: dict[tuple[int, int], int] = {}
        """By the filter's first frame and its worker."""

        def more() -> bool:
            lane = self.lane(source, name)
            if not lane or lane["first_frame_ns"] is None or lane["worker_pid"] is None:
                return False
            if lane["state"] == GONE:
                return False
            lane_of = (lane["first_frame_ns"], lane["worker_pid"])
            count: int = lane["frames"]["swapped"]
            if lane_of not in shown:
                is_new = lane["updated_ns"] > now_ns and lane_of[0] not in {first for first, _ in shown}
                shown[lane_of] = 0 if is_new else count
            return (
                lane["updated_ns"] > now_ns
                and count > shown[lane_of]
                and any(worker.pid == lane_of[1] for worker in self.workers())
            )

        wait_for(more, timeout, f"{name} on {source} does not swap; log:\n{self.our_log()}")

    def lane_from_now(self, source: str = CAMERA, name: str = FILTER_NAME) -> dict[str, Any]:
        """That filter's figures, as written after this call."""
        now_ns = time.monotonic_ns()

        def fresh() -> dict[str, Any]:
            lane = self.lane(source, name)
            return lane if lane and lane["updated_ns"] > now_ns else {}

        return wait_for(fresh, 20, f"there are no new figures of {name} on {source}")

    def more_frames(
        self,
        count: int,
        outcome: str = "swapped",
        source: str = CAMERA,
        name: str = FILTER_NAME,
        timeout: float = 60,
    ) -> None:
        """Returns when so many frames more have ended so, after this call."""
        start = self.lane_from_now(source, name)["frames"][outcome]
        wait_for(
            lambda: self.lane(source, name).get("frames", {}).get(outcome, 0) >= start + count,
            timeout,
            f"{count} more frames are not {outcome} by {name} on {source}",
        )
