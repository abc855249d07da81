"""``report.json``: the figures of one headless run. Its keys are described in docs/report.md."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from installer.obs_config import ObsVersion
from installer.obs_result import ObsResult

OUTCOMES = ("swapped", "held", "covered", "blurred", "no_face", "original", "dropped")
"""What can become of a frame; the counts of the seven add up to ``in``."""
LEAST_SWAPPED = 0.97
MOST_FIRST_SWAPPED_S = 3.0
CRASHES = (-6, -7, -11)
"""Exit codes of SIGABRT, SIGBUS and SIGSEGV. OBS 29 dies in Qt in some 2 of 50 exits after SIGINT, which says
nothing about the run: it is a warning where the recording was whole by then."""


def read_statistics(path: Path) -> dict[str, Any] | None:
    """The statistics file of the script; None where it is missing or not whole."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) and data.get("version") == 1 else None


@dataclasses.dataclass(frozen=True)
class ReportParts:
    """What a report is made of."""

    result: ObsResult
    """How OBS ended."""
    version: ObsVersion
    asked: Mapping[str, object]
    """What was run: ``persona``, ``media``, ``doppel_version``."""
    statistics: Mapping[str, Any] | None = None
    """What the script counted, see :func:`read_statistics`."""
    recording: Mapping[str, float] | None = None
    """Frames and seconds of the recording; None where there is none, or none that can be read."""
    problems: Sequence[str] = ()
    """What went wrong on the way."""
    recording_ended: bool = False
    """True: OBS had ended the recording, whole, before it was asked to end itself."""


def build_report(parts: ReportParts, problems: Sequence[str] = ()) -> dict[str, Any]:
    """The report's object, with its verdict; ``problems`` come beside those that it finds itself."""
    statistics, recording, result = parts.statistics, parts.recording, parts.result
    problems = [*parts.problems, *problems]
    warnings: list[str] = []
    if result.exit_code in CRASHES and parts.recording_ended:
        warnings.append(
            f"OBS crashed (code {result.exit_code}) when it was closed after the run; the recording is whole"
        )
    else:
        problems += _exit_problems(result)
    if recording is None or not recording.get("frames"):
        problems.append("OBS recorded nothing")
    lane: Mapping[str, Any] = {}
    worker: Mapping[str, Any] = {}
    if statistics is None or not statistics.get("lanes"):
        problems.append(
            "the script left no figures: it did not load, or its filter did not start (see the OBS log)"
        )
    else:
        lane, worker = statistics["lanes"][0], statistics.get("worker") or {}
    frames: Mapping[str, int] = lane.get("frames") or {}
    since: Mapping[str, int] = lane.get("frames_since_swap") or {}
    first = _seconds_between(lane.get("first_frame_ns"), lane.get("first_swapped_ns"))
    report: dict[str, Any] = {
        "obs_version": str(parts.version),
        "python_version": platform.python_version(),
        **parts.asked,
        "device": worker.get("device"),
        "provider": worker.get("provider"),
        "frames": dict(frames),
        "frames_since_swap": dict(since),
        "swapped_ratio": _ratio(since, "swapped"),
        "held_ratio": _ratio(since, "held"),
        "first_swapped_s": first,
        "worker_restarts": worker.get("restarts"),
        **{
            key: lane.get(key)
            for key in ("delay_frames", "delay_ms", "graphics_ms", "copies_ms", "worker_ms")
        },
        "output_fps": _frame_rate(recording),
        "obs_frames": result.drawn_frames,
        "obs_lagged_frames": result.lagged_frames,
        "obs_skipped_frames": result.skipped_frames,
        "obs_memory_leaks": result.memory_leaks,
        "obs_exit_code": result.exit_code,
        "messages": list((statistics or {}).get("messages") or []),
    }
    if lane:
        problems += _lane_problems(frames, first, report["messages"])
        warnings += _lane_warnings(report)
    return {"ok": not problems, "problems": problems, "warnings": warnings, **report}


def _exit_problems(result: ObsResult) -> list[str]:
    problems = []
    if result.exit_code == -9:
        problems.append("OBS did not end when asked and was killed")
    elif result.exit_code:
        problems.append(f"OBS ended with code {result.exit_code}")
    return problems


def _lane_problems(frames: Mapping[str, int], first: float | None, messages: Sequence[str]) -> list[str]:
    problems = []
    counted = sum(int(frames.get(name, 0)) for name in OUTCOMES)
    if counted != frames.get("in"):
        problems.append(f"the frames do not add up: {counted} counted != {frames.get('in')} that came in")
    if not frames.get("in"):
        problems.append("the filter got no frame: the source does not play")
    elif first is None:
        said = f"the script said last: {messages[-1]}" if messages else "the script said nothing"
        problems.append(f"no frame was swapped; {said} (a slow machine needs more seconds, see --headless)")
    return problems


def _lane_warnings(report: Mapping[str, Any]) -> list[str]:
    warnings = []
    first, ratio = report["first_swapped_s"], report["swapped_ratio"]
    if first is not None and first > MOST_FIRST_SWAPPED_S:
        warnings.append(f"the first swapped frame came after {first:.1f} s (> {MOST_FIRST_SWAPPED_S:.0f} s)")
    if ratio is not None and ratio < LEAST_SWAPPED:
        share = f"{100 * ratio:.1f} % of the frames since the first swapped one"
        warnings.append(f"{share} were swapped (< {100 * LEAST_SWAPPED:.0f} %)")
    if report["worker_restarts"]:
        warnings.append(f"restarts of the worker: {report['worker_restarts']}")
    if report["obs_lagged_frames"]:
        late, drawn = report["obs_lagged_frames"], report["obs_frames"]
        warnings.append(f"OBS drew {drawn} frames and was late with {late}: the computer is busy or slow")
    return warnings


def _ratio(counts: Mapping[str, int], name: str) -> float | None:
    return round(counts.get(name, 0) / counts["in"], 4) if counts.get("in") else None


def _seconds_between(begin: int | None, end: int | None) -> float | None:
    return round((end - begin) / 1e9, 3) if begin and end else None


def _frame_rate(recording: Mapping[str, float] | None) -> float | None:
    return (
        round(recording["frames"] / recording["seconds"], 2) if recording and recording["seconds"] else None
    )
