"""The figures of ``doppel bench`` for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from rich.table import Table

_EXPLAINED = """a picture  all that is done with one, median; faces of that many pixels
networks   finding the face and its points; the rest: reading, drawing, writing back
least      the rest, of the quickest picture
ratio      a picture's time over that of the network for the face's points alone:
           the same on quick and slow machines"""
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
    if results.get("memory_mb") is not None:
        lines.append(f"Memory: {results['memory_mb']} MB.")
    return lines


def rate(milliseconds: float) -> str:
    """Pictures a second, as exact as such a measurement is: two digits."""
    a_second = 1000 / max(milliseconds, 1e-3)
    return f"{a_second:.1f}" if a_second < 10 else f"{a_second:.2g}" if a_second < 100 else f"{a_second:.0f}"


def _speed(cases: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(title="Milliseconds of processor time", title_justify="left")
    for heading in ("picture", "face", "a picture", "networks", "the rest", "least", "ratio", "swapped"):
        table.add_column(heading, justify="right", no_wrap=True)
    for case in cases.values():
        keys = ("pipeline_ms", "networks_ms", "beside_networks_ms", "beside_networks_min_ms", "ratio")
        table.add_row(
            _size(case),
            f"{case['face_px']} px",
            *(f"{case[key]:.2f}" for key in keys),
            f"{case['swapped']}/{case['frames']}",
        )
    return table


def _stages(cases: Mapping[str, Mapping[str, Any]]) -> Table:
    names = {stage for case in cases.values() for stage in case["stage_ms"]} - {"networks"}
    table = Table(title=_STAGES_TITLE, title_justify="left")
    table.add_column("stage", no_wrap=True)
    for case in cases.values():
        table.add_column(f"{_size(case)}\n{case['face_px']} px", justify="right", no_wrap=True)
    for name in sorted(names):
        table.add_row(name, *(f"{case['stage_ms'].get(name, 0.0):.2f}" for case in cases.values()))
    return table


def _size(case: Mapping[str, Any]) -> str:
    return f"{case['height']}p"
