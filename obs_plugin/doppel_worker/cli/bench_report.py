"""The figures of ``doppel bench`` for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from rich.table import Table

_EXPLAINED = """engine     mesh: the built-in one; crop: of model files, with a small network
all        that is done with a picture, median; faces of that many pixels
nets       finding the face and its points, swapping a crop; the rest: all else
least      the rest, of the quickest picture
ratio      a picture's time over that of the network for the face's points:
           the same on quick and slow machines"""
_WAYS_TITLE = "Beside what is usually done to a frame's pixels, ms"
_WAYS_EXPLAINED = """lean       the whole frame to BGR, a crop, the crop back, the frame to YUV, with
           as little work as that allows: no finding, no masks, no colours
plain      the same over the whole frame, in floating point
of it      the rest, which has all of these, over that; least: of the quickest"""
_STAGES_TITLE = "Where the time goes, ms (track: without the networks)"


def report_lines(results: Mapping[str, object]) -> list[str | Table]:
    """A first line that says how fast this machine is, tables, and what their columns mean.

    Args:
        results: as ``--json`` prints them; the first case is the one that the first line speaks of.
    """
    cases = {
        name: cast("Mapping[str, Any]", case)
        for name, case in results.items()
        if isinstance(case, Mapping) and "pipeline_ms" in case
    }
    first = next(iter(cases.values()))
    milliseconds = float(first["pipeline_ms"])
    speed = (
        f"This machine swaps about {rate(milliseconds)} pictures a second at {first['height']}p"
        f" ({milliseconds:.1f} ms each, on one processor core)."
    )
    lines: list[str | Table] = [
        speed,
        _speed(cases),
        *_EXPLAINED.splitlines(),
        _stages(cases),
    ]
    ways = {name: case for name, case in cases.items() if "lean_way_ms" in case}
    if ways:
        lines += [_ways(ways), *_WAYS_EXPLAINED.splitlines()]
    if results.get("memory_mb") is not None:
        lines.append(f"Memory: {results['memory_mb']} MB.")
    return lines


def rate(milliseconds: float) -> str:
    """Pictures a second, as exact as such a measurement is: two digits."""
    a_second = 1000 / max(milliseconds, 1e-3)
    return f"{a_second:.1f}" if a_second < 10 else f"{a_second:.2g}" if a_second < 100 else f"{a_second:.0f}"


def _speed(cases: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(title="Milliseconds of processor time", title_justify="left")
    headings = ("engine", "face", "all", "nets", "the rest", "least", "ratio", "swapped")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for name, case in cases.items():
        keys = ("pipeline_ms", "networks_ms", "beside_networks_ms", "beside_networks_min_ms", "ratio")
        table.add_row(
            _engine(name),
            f"{_size(case)} {case['face_px']} px",
            *(f"{case[key]:.2f}" for key in keys),
            f"{case['swapped']}/{case['frames']}",
        )
    return table


def _stages(cases: Mapping[str, Mapping[str, Any]]) -> Table:
    names = {stage for case in cases.values() for stage in case["stage_ms"]} - {"networks"}
    table = Table(title=_STAGES_TITLE, title_justify="left")
    table.add_column("stage", no_wrap=True)
    for name, case in cases.items():
        heading = f"{_engine(name)}\n{_size(case)}\n{case['face_px']} px"
        table.add_column(heading, justify="right", no_wrap=True)
    for name in sorted(names):
        table.add_row(name, *(f"{case['stage_ms'].get(name, 0.0):.2f}" for case in cases.values()))
    return table


def _ways(cases: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(title=_WAYS_TITLE, title_justify="left")
    for heading in ("size", "face", "the rest", "lean", "of it", "least", "plain", "of it"):
        table.add_column(heading, justify="right", no_wrap=True)
    for case in cases.values():
        keys = (
            "beside_networks_ms",
            "lean_way_ms",
            "of_lean_way",
            "of_lean_way_min",
            "plain_way_ms",
            "of_plain_way",
        )
        table.add_row(_size(case), f"{case['face_px']} px", *(f"{case[key]:.2f}" for key in keys))
    return table


def _engine(name: str) -> str:
    """Of a case, by its name."""
    return name.split("_", maxsplit=1)[0]


def _size(case: Mapping[str, Any]) -> str:
    return f"{case['height']}p"
