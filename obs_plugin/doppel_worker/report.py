"""What the pipeline says about one frame."""

from __future__ import annotations

import dataclasses
import enum
import time
from collections.abc import Callable

from doppel_ipc.verdict import Verdict


class EventKind(enum.Enum):
    """What an event is about."""

    PERSONA = "persona"
    """A persona was exchanged, cannot be used, or its engine runs in another way than it should."""
    FALLBACK = "fallback"
    """A device was given up; why. It concerns every lane."""
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
    worn: str = ""
    """The persona whose engine is in use now, and of which this speaks; empty: it speaks of none such."""


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """One judged frame."""

    verdict: Verdict
    swapped: int
    """Faces that were swapped."""
    blurred: int
    """Face regions that were blurred."""
    stage_ms: dict[str, float]
    """Milliseconds by stage: track, read, swap, guard, paste, label, fetch; only those that did run."""
    total_ms: float
    events: tuple[PipelineEvent, ...] = ()
    status: str = ""
    """Why the frame is not swapped, for the status line; empty when there is nothing to tell."""
    error: Exception | None = None
    """What failed, so that the frame is covered; None: nothing."""


class Stopwatch:
    """Times the stages of one frame, by any clock that counts nanoseconds."""

    def __init__(self, clock: Callable[[], int] = time.perf_counter_ns) -> None:
        self._clock = clock
        self._start = clock()
        self.stage_ms: dict[str, float] = {}

    def stage(self, name: str) -> _Stage:
        """Add the time of a ``with`` block to a stage."""
        return _Stage(self._clock, self.stage_ms, name)

    def total_ms(self) -> float:
        """Since the stopwatch was made."""
        return (self._clock() - self._start) / 1e6


class _Stage:
    """The time of one block. Several times as quick as a generator, which counts in every frame."""

    __slots__ = ("_clock", "_name", "_stage_ms", "_start")

    def __init__(self, clock: Callable[[], int], stage_ms: dict[str, float], name: str) -> None:
        self._clock, self._stage_ms, self._name = clock, stage_ms, name

    def __enter__(self) -> None:
        self._start = self._clock()

    def __exit__(self, *_error: object) -> None:
        spent = (self._clock() - self._start) / 1e6
        self._stage_ms[self._name] = self._stage_ms.get(self._name, 0.0) + spent
