"""How a lane does: written by its thread, frame by frame, and read by the heartbeat's."""

from __future__ import annotations

import dataclasses
import threading

from doppel_ipc.messages import StageTime
from doppel_ipc.verdict import Verdict

from doppel_worker.backend import Judgement
from doppel_worker.timing import Rate, RollingTimes


@dataclasses.dataclass(frozen=True, slots=True)
class LaneSnapshot:
    """What ``messages.LaneStatus`` tells of a lane, at one moment."""

    state: str
    serial: int
    persona: str
    engine: str
    fps: float
    turnaround_ms_p50: float
    turnaround_ms_p95: float
    stages: tuple[StageTime, ...]
    faces: int
    """In the last frame."""
    frames: int
    given_back: int
    detail: str


class LaneStatistics:
    """Of one lane. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rate, self._turnaround = Rate(), RollingTimes()
        self._stages: dict[str, RollingTimes] = {}
        self._last = Judgement(Verdict.NONE)
        self._frames = 0

    def note(self, judgement: Judgement, turnaround_ms: float) -> None:
        """A frame was handed back, so long after it was submitted."""
        with self._lock:
            self._frames += 1
            self._last = judgement
            self._rate.count()
            self._turnaround.add(turnaround_ms)
            for name, milliseconds in judgement.stages.items():
                self._stages.setdefault(name, RollingTimes()).add(milliseconds)

    @property
    def frames(self) -> int:
        """So many were noted."""
        return self._frames

    def snapshot(
        self, *, state: str, serial: int, persona: str, engine: str, given_back: int, detail: str
    ) -> LaneSnapshot:
        """The figures of the last frames, with what others know of the lane.

        ``detail``: what is wrong with the lane; empty: what the last frame's judgement says.
        """
        with self._lock:
            stages = tuple(
                StageTime(name, times.percentile(50), times.percentile(95))
                for name, times in self._stages.items()
            )
            return LaneSnapshot(
                state=state,
                serial=serial,
                persona=persona,
                engine=engine,
                fps=self._rate.per_second(),
                turnaround_ms_p50=self._turnaround.percentile(50),
                turnaround_ms_p95=self._turnaround.percentile(95),
                stages=stages,
                faces=self._last.faces,
                frames=self._frames,
                given_back=given_back,
                detail=detail or self._last.detail,
            )
