"""What the pipeline says about one frame."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import time
from collections.abc import Iterator

from doppel_ipc.verdict import Verdict


class EventKind(enum.Enum):
    """What an event is about."""

    PERSONA = "persona"
    """A persona was exchanged, or cannot be used."""
    ERROR = "error"
    """A frame could not be swapped, so it is covered."""
    SLATE = "slate"
    """The slate's picture cannot be used, so the mosaic covers."""
    RECOVERED = "recovered"
    """The errors are over."""


@dataclasses.dataclass(frozen=True, slots=True)
class PipelineEvent:
    """Something the user may want to know; told once, not with every frame."""

    kind: EventKind
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """One judged frame."""

    verdict: Verdict
    swapped: int
    """Faces that were swapped."""
    blurred: int
    """Face regions that were blurred."""
    stage_ms: dict[str, float]
    """Milliseconds by stage: track, read, swap, guard, paste, label; a stage that did not run is left out."""
    total_ms: float
    events: tuple[PipelineEvent, ...] = ()
    status: str = ""
    """Why the frame is not swapped, for the status line; empty when there is nothing to tell."""


class Stopwatch:
    """Times the stages of one frame."""

    def __init__(self) -> None:
        self._start = time.perf_counter_ns()
        self.stage_ms: dict[str, float] = {}

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to a stage."""
        start = time.perf_counter_ns()
        try:
            yield
        finally:
            self.stage_ms[name] = self.stage_ms.get(name, 0.0) + (time.perf_counter_ns() - start) / 1e6

    def total_ms(self) -> float:
        """Since the stopwatch was made."""
        return (time.perf_counter_ns() - self._start) / 1e6
