"""What a filter's status line says."""

from __future__ import annotations

import dataclasses
import time
from typing import Mapping

from doppel_ipc import gate_abi, gate_sync_abi
from doppel_ipc.messages import LaneStatus, Status
from doppel_ipc.said import Said
from doppel_ipc.settings import FilterSettings

from doppel_obs.lane_stats import format_name
from doppel_obs.language import Language
from doppel_obs.lateness import Lateness
from doppel_obs.phrases import Phrase, phrase, said

MEASURE_NS = 3_000_000_000
"""The worker's figures speak of its last two seconds; before this they speak of its start as well."""
_NS_PER_MS = 1e6
_PREPARING = "persona.preparing"
_WHY = {
    "status.format": "why.format",
    "status.hdr": "why.hdr",
    "status.size": "why.size",
    "status.no-worker": "why.no-worker",
    "status.worker-failed": "why.worker-failed",
    "status.starting": "why.starting",
    "status.late": "why.late",
}
"""States in which the gate has no result, and the same without the word for covering."""


@dataclasses.dataclass(frozen=True)
class Situation:
    """Everything that a status line speaks of."""

    settings: FilterSettings
    gate: gate_abi.Status
    enabled: bool
    panic: bool
    original_held: bool
    """The key is down that shows the original."""
    worker_running: bool
    worker: Status | None
    lane_open: bool
    lane: LaneStatus | None
    persona_names: Mapping[str, str]
    """Identifier -> what the face list calls it."""
    notes: tuple[Phrase, ...]
    """Sentences about settings, sound, errors: shown below the state."""
    one_of: int = 1
    """One of so many frames is swapped, because OBS is late."""
    late: bool = False
    """Too many results come too late."""


def state_of(now: Situation) -> Phrase:
    """One sentence without figures, so that it changes only when the state does."""
    state = covered_state_of(now)
    why = _WHY.get(state.key)
    if why is None or now.settings.late_policy != "original":
        return state
    # No result will come, and the gate shows what is filmed, as the user chose.
    return phrase("status.uncovered", why=phrase(why, **dict(state.values)))


def covered_state_of(now: Situation) -> Phrase:
    """The state, where missing results are covered."""
    if not now.enabled:
        return phrase("status.off")
    if now.panic:
        return phrase("status.panic")
    if now.original_held:
        return phrase("status.held")
    if not now.settings.swap:
        return phrase("status.paused")
    if now.gate.passes_on:
        return phrase("status.passes-on")
    if now.gate.unsupported_format == gate_sync_abi.UNSUPPORTED_HDR:
        return phrase("status.hdr")
    if now.gate.unsupported_format == gate_sync_abi.UNSUPPORTED_SIZE:
        return phrase("status.size")
    if now.gate.unsupported_format:
        return phrase("status.format", format=format_name(now.gate.unsupported_format))
    if not now.gate.geometry.width:
        return phrase("status.waiting")
    if not now.settings.persona:
        return phrase("status.no-persona")
    if not now.worker_running:
        return phrase("status.no-worker")
    if now.worker is not None and now.worker.state == "failed":
        return phrase("status.worker-failed", why=said(now.worker.detail, closed=True))
    if now.lane is not None and now.lane.state == "failed":
        if now.lane.detail:
            return phrase("status.lane-failed-because", why=said(now.lane.detail, closed=True))
        return phrase("status.lane-failed")
    if not now.lane_open or now.lane is None or now.lane.state == "loading":
        return phrase("status.starting")
    if not now.lane.persona:
        return phrase("status.preparing")
    if now.late:
        return phrase("status.late")
    return phrase("status.swapping", face=now.persona_names.get(now.lane.persona, now.lane.persona))


def is_swapping(state: Phrase) -> bool:
    """Whether a state is that of a filter that swaps, be it too slowly."""
    return state.key in ("status.swapping", "status.late")


def figures_of(now: Situation, clock: str) -> Phrase | None:
    """Device, rate and delay at a time of day; for a lane that swaps."""
    lane = now.lane
    if lane is None:
        return None
    device = said(now.worker.device if now.worker is not None else "")
    frames = now.gate.delay_frames
    return phrase(
        "status.figures",
        clock=clock,
        device=phrase("status.device", device=device, provider=lane.provider) if lane.provider else device,
        fps=f"{lane.fps:.1f}",
        ms=f"{lane.turnaround_ms_p50:.0f}",
        delay=phrase(
            "status.delay-one" if frames == 1 else "status.delay",
            frames=frames,
            ms=f"{frames * now.gate.frame_interval_ns / _NS_PER_MS:.0f}",
        ),
    )


def neighbours_of(now: Situation) -> Phrase | None:
    """Which other filters stand where they can do nothing."""
    return phrase("status.filter-below") if now.enabled and now.gate.filters_after else None


def full_lines(now: Situation, clock: str, *, measured: bool) -> tuple[Phrase, ...]:
    """What the property page shows.

    Args:
        now: the situation.
        clock: the time of day. OBS builds the page when the state changes, not when a figure does, so the
            figures say when they were true.
        measured: faces have been swapped for so long that the figures speak of nothing else.
    """
    state = state_of(now)
    figures = slower = None
    if is_swapping(state):
        figures = figures_of(now, clock) if measured else phrase("status.measuring")
        slower = phrase("worker.slower", frames=now.one_of) if now.one_of > 1 else None
    return _present(state, figures, slower, _detail(now), neighbours_of(now), *now.notes)


def log_lines(now: Situation) -> tuple[Phrase, ...]:
    """What OBS's log is told when the state changes: no figures, which are not measured yet then."""
    return _present(state_of(now), _detail(now), neighbours_of(now), *now.notes)


def _present(*lines: Phrase | None) -> tuple[Phrase, ...]:
    return tuple(line for line in lines if line is not None)


def _detail(now: Situation) -> Phrase | None:
    """What the worker says of a lane that swaps; in the other states it is part of the state's sentence."""
    if now.lane is None or not now.lane.detail or not is_swapping(state_of(now)):
        return None
    detail = now.lane.detail
    if (
        isinstance(detail, Said)
        and detail.key == _PREPARING
        and ("persona", now.lane.persona) in detail.values
    ):
        # Said of the frame before the first swapped one; the page, built at that moment, would keep it.
        return None
    return said(detail, closed=True)


class StatusLine:
    """The status line of one filter, from look to look."""

    def __init__(self) -> None:
        self._now: Situation | None = None
        self._lateness = Lateness()
        self._looked_ns = 0
        self._swapping_since_ns: int | None = None
        self._told: frozenset[Phrase] = frozenset()

    def look(self, now_ns: int, now: Situation) -> None:
        """Takes the situation at one look; whether results come too late it finds out itself."""
        late = self._lateness.look(now_ns, now.gate, swapping=is_swapping(covered_state_of(now)))
        now = dataclasses.replace(now, late=late)
        self._now, self._looked_ns = now, now_ns
        if not is_swapping(state_of(now)):
            self._swapping_since_ns = None
        elif self._swapping_since_ns is None:
            self._swapping_since_ns = now_ns

    def state(self) -> Phrase | None:
        """The state's sentence, without figures; None before the first look."""
        return None if self._now is None else state_of(self._now)

    def text(self, language: Language) -> str:
        """The whole status line, for the page."""
        if self._now is None:
            return language.say(phrase("status.beginning"))
        since_ns = self._swapping_since_ns
        measured = since_ns is not None and self._looked_ns - since_ns >= MEASURE_NS
        lines = full_lines(self._now, time.strftime("%H:%M:%S"), measured=measured)
        return "\n".join(map(language.say, lines))

    def lines(self) -> tuple[Phrase, ...]:
        """All that the status line knows, without waiting for measured figures."""
        return () if self._now is None else full_lines(self._now, time.strftime("%H:%M:%S"), measured=True)

    def news(self) -> tuple[Phrase, ...]:
        """For OBS's log, when the state has changed: the state, and what was not said the last time."""
        if self._now is None:
            return ()
        state, *rest = log_lines(self._now)
        told, self._told = self._told, frozenset(rest)
        return (state, *(line for line in rest if line not in told))
