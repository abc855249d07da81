"""The suite in two parts: what needs no OBS runs on all processors at once, the rest one test after another.

A real OBS has to render thirty frames a second while the tests judge it, so nothing runs beside it.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

MOST_WORKERS = 8
"""Processes of the first part at most: each loads the networks."""
WITHOUT_OBS, WITH_OBS, CHOSEN = "tests without OBS", "tests with OBS", "pytest"
_COUNTS = re.compile(r"(\d+) (failed|passed|skipped|xfailed|xpassed|warnings?|errors?)\b")
_ORDER = ("failed", "passed", "skipped", "xfailed", "xpassed", "warnings", "errors")


@dataclasses.dataclass(frozen=True)
class Part:
    """One run of pytest."""

    name: str
    arguments: tuple[str, ...]
    """After ``python -m pytest``."""
    junit: Path
    """The results file that it writes."""


def suite_parts(
    tests: Sequence[str], folder: Path, *, everything: bool, chosen: bool, processors: int
) -> list[Part]:
    """What to run, in this order.

    Args:
        tests: by pytest's names; empty: all.
        folder: where the results files will lie.
        everything: the tests marked ``long``, too.
        chosen: somebody asked for these tests alone: they run one after another in one process.
        processors: how many the tests may use.
    """
    few = [] if everything else ["not long"]

    def part(name: str, marks: Sequence[str], *options: str) -> Part:
        junit = folder / f"junit-{name.replace(' ', '-').lower()}.xml"
        chosen_by = ["-m", " and ".join(marks)] if marks else []
        # Older files of this name are of another form.
        arguments = ["-o", "junit_family=xunit1", "--junit-xml", str(junit), *options, *tests, *chosen_by]
        return Part(name, tuple(arguments), junit)

    if chosen:
        return [part(CHOSEN, few)]
    workers = min(processors, MOST_WORKERS)
    # Whoever is done first takes tests of the others: files differ too much in length to be dealt out whole.
    at_once = ("-n", str(workers), "--dist", "worksteal") if workers > 1 else ()
    return [
        part(WITHOUT_OBS, ["not (obs or alone)", *few], *at_once),
        part(WITH_OBS, ["(obs or alone)", *few]),
    ]


def usable_processors() -> int:
    """How many processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def one_closing_line(closings: Mapping[str, str], seconds: float) -> str:
    """The parts' closing lines as one, in pytest's form; a part that ended without counts is an error.

    Args:
        closings: part's name -> the last line that pytest wrote.
        seconds: that the parts took together.
    """
    totals = dict.fromkeys(_ORDER, 0)
    for line in closings.values():
        found = _COUNTS.findall(line)
        for number, word in found:
            totals[word if word in totals else f"{word}s"] += int(number)
        totals["errors"] += not found
    words = [f"{count} {name}" for name, count in totals.items() if count]
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    took = f"in {seconds:.2f}s ({hours}:{minutes:02}:{rest:02})"
    line = f" {', '.join(words) or 'no tests ran'} {took} "
    return line.center(max(80, len(line) + 8), "=")


def failed_lines(cases: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line for each test that failed, with why, as pytest's own summary has it."""
    lines = []
    for name, case in cases.items():
        if case["outcome"] == "failed":
            why = str(case.get("why") or "").partition("\n")[0]
            lines.append(f"FAILED {name}" + (f" - {why}" if why else ""))
    return lines
