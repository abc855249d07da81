"""The words of a filter's status line."""

from __future__ import annotations

import dataclasses
import time
from typing import Mapping

from doppel_ipc import gate_abi
from doppel_ipc.messages import LaneStatus, Status
from doppel_ipc.settings import FilterSettings

from doppel_obs.lane_stats import format_name

MEASURING = "Its speed is being measured: press Refresh the status in some seconds."
SWAPPING = "Swapping:"
"""How the state's sentence begins while faces are swapped."""
MEASURE_NS = 3_000_000_000
"""The worker's figures speak of its last two seconds; before this they speak of its start as well."""
_NS_PER_MS = 1e6


@dataclasses.dataclass(frozen=True)
class Situation:
    """Everything that a status line speaks of."""

    settings: FilterSettings
    gate: gate_abi.Status
    enabled: bool
    panic: bool
    worker_running: bool
    worker: Status | None
    lane_open: bool
    lane: LaneStatus | None
    persona_names: Mapping[str, str]
    """Identifier -> what the face list calls it."""
    notes: tuple[str, ...]
    """Sentences about settings, sound, errors: shown below the state."""


def sentence(text: str) -> str:
    """A text as a sentence: a capital at its start, unless a file's name stands there, and a full stop."""
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    if "." not in first:
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def state_text(now: Situation) -> str:
    """One sentence without figures, so that it changes only when the state does."""
    if not now.enabled:
        return "Off: the filter is disabled, the original is shown."
    if now.panic:
        return "Covered: the panic hotkey was pressed. Press it again to go on."
    if not now.settings.swap:
        return "Paused: the original is shown."
    if now.gate.unsupported_format:
        name = format_name(now.gate.unsupported_format)
        return (
            f"Covered: pixel format {name} is not supported. Set the source's video format to NV12 or YUY2."
        )
    if not now.gate.geometry.width:
        return "Waiting for the source's first picture."
    if not now.settings.persona:
        return "Covered: choose a face."
    if not now.worker_running:
        return "Covered: the worker is not running."
    if now.worker is not None and now.worker.state == "failed":
        return f"Covered: the worker cannot work. {now.worker.detail}"
    if now.lane is not None and now.lane.state == "failed":
        return f"Covered: {now.lane.detail or 'the worker cannot serve this source.'}"
    if not now.lane_open or now.lane is None or now.lane.state == "loading":
        return "Covered: the worker is starting."
    if not now.lane.persona:
        return "Covered: the face is being prepared."
    return f"{SWAPPING} {now.persona_names.get(now.lane.persona, now.lane.persona)}."


def figures_text(now: Situation) -> str:
    """Device, rate and delay; for a lane that swaps."""
    lane = now.lane
    if lane is None:
        return ""
    device = now.worker.device if now.worker is not None else ""
    frames = now.gate.delay_frames
    delay_ms = frames * now.gate.frame_interval_ns / _NS_PER_MS
    parts = [
        f"{device} ({lane.provider})" if lane.provider else device,
        f"{lane.fps:.1f} fps",
        f"{lane.turnaround_ms_p50:.0f} ms a frame",
        f"delay {frames} {'frame' if frames == 1 else 'frames'} ({delay_ms:.0f} ms)",
    ]
    return ", ".join(part for part in parts if part)


def neighbours_text(now: Situation) -> str:
    """Which other filters stand where they can do nothing; empty: none."""
    if not now.enabled or not now.gate.filters_after:
        return ""
    return (
        "A filter below Face Swap, such as Video Delay (Async), could show pictures that Face Swap has not "
        "seen, so it has no effect. Move it above Face Swap."
    )


def full_text(now: Situation, clock: str, *, measured: bool) -> str:
    """What the property page shows.

    Args:
        now: the situation.
        clock: the time of day. OBS builds the page when the state changes, not when a figure does, so the
            figures say when they were true.
        measured: faces have been swapped for so long that the figures speak of nothing else.
    """
    lines = [state_text(now)]
    if lines[0].startswith(SWAPPING) and now.lane is not None:
        figures = f"At {clock}: {figures_text(now)}." if measured else MEASURING
        lines += [figures, _detail(now)]
    return "\n".join(line for line in (*lines, neighbours_text(now), *now.notes) if line)


def log_lines(now: Situation) -> tuple[str, ...]:
    """What OBS's log is told when the state changes: no figures, which are not measured yet then."""
    return tuple(line for line in (state_text(now), _detail(now), neighbours_text(now), *now.notes) if line)


def _detail(now: Situation) -> str:
    """What the worker says of a lane that swaps; in the other states it is part of the state's sentence."""
    if now.lane is None or not now.lane.detail or not state_text(now).startswith(SWAPPING):
        return ""
    return sentence(now.lane.detail)


class StatusLine:
    """The status line of one filter, from look to look."""

    def __init__(self) -> None:
        self._now: Situation | None = None
        self._looked_ns = 0
        self._swapping_since_ns: int | None = None
        self._told: frozenset[str] = frozenset()

    def look(self, now_ns: int, now: Situation) -> None:
        """Takes the situation at one look."""
        self._now, self._looked_ns = now, now_ns
        if not state_text(now).startswith(SWAPPING):
            self._swapping_since_ns = None
        elif self._swapping_since_ns is None:
            self._swapping_since_ns = now_ns

    def state(self) -> str:
        """The state's sentence, without figures; empty before the first look."""
        return "" if self._now is None else state_text(self._now)

    def text(self) -> str:
        """The whole status line, for the page."""
        if self._now is None:
            return "Doppel is starting."
        since_ns = self._swapping_since_ns
        measured = since_ns is not None and self._looked_ns - since_ns >= MEASURE_NS
        return full_text(self._now, time.strftime("%H:%M:%S"), measured=measured)

    def news(self) -> str:
        """For OBS's log, when the state has changed: the state, and what was not said the last time."""
        if self._now is None:
            return ""
        state, *rest = log_lines(self._now)
        told, self._told = self._told, frozenset(rest)
        return "\n".join((state, *(line for line in rest if line not in told)))
