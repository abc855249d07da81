"""What runs of the tests came to: pytest's JUnit files made one JSON file that can be compared and kept.

A run of some tests alone takes its place among the results of the earlier runs on the same version of OBS; a
run of all of them replaces them.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from installer.layout import MADE, PROJECT
from installer.obs_config import ObsVersion, write_whole

RESULTS = MADE / "results"
"""Where the last results lie."""
COMMIT_ENV = "DOPPEL_TEST_COMMIT"
"""Names the commit where there is no git."""
_WRITTEN = (":!docs/native-stress.md", ":!docs/results")
"""What the tests themselves write into the project; it does not change what is tested."""
_OUTCOMES = ("passed", "failed", "skipped")
_WHY_CHARACTERS = 300

Cases = dict[str, dict[str, Any]]
"""A test's name -> ``outcome`` (``passed``, ``failed``, ``skipped``), ``seconds``, and mostly ``why``."""


def results_path(folder: Path, major: int) -> Path:
    """The file with the results of one version of OBS."""
    return folder / f"obs-{major}.json"


def read_junit(path: Path) -> Cases:
    """Every test of a run.

    Args:
        path: written by ``pytest --junit-xml`` with the family ``xunit1``, which names each test's file.

    Returns:
        The tests in the order they ran. One whose fixture fails, at its begin or its end, counts as failed.
    """
    cases: Cases = {}
    report = ElementTree.parse(path)  # noqa: S314 - our own pytest wrote it a moment ago
    for case in report.getroot().iter("testcase"):
        file = case.get("file") or (case.get("classname") or "?").replace(".", "/")
        name = f"{file}::{case.get('name')}"
        parts = {kind: case.find(kind) for kind in ("failure", "error", "skipped")}
        found = next(((kind, part) for kind, part in parts.items() if part is not None), None)
        entry: dict[str, Any] = {"outcome": "passed", "seconds": round(float(case.get("time") or 0.0), 1)}
        if found is not None:
            entry["outcome"] = "skipped" if found[0] == "skipped" else "failed"
            entry["why"] = (found[1].get("message") or "").strip()[:_WHY_CHARACTERS]
        if name not in cases or cases[name]["outcome"] != "failed":
            cases[name] = entry  # failed stays failed: a fixture's end makes a second entry
    return cases


def summary(cases: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Counts of the outcomes and the seconds, by file, and of all under ``total``."""
    counts: dict[str, dict[str, float]] = {}
    for name, case in cases.items():
        for key in ("total", name.partition("::")[0]):
            entry = counts.setdefault(key, {**dict.fromkeys(_OUTCOMES, 0), "seconds": 0.0})
            entry[case["outcome"]] += 1
            entry["seconds"] = round(entry["seconds"] + case["seconds"], 1)
    return counts


def write_results(
    path: Path, junits: Sequence[Path], version: ObsVersion, python: str, *, everything: bool, whole: bool
) -> dict[str, Any]:
    """Writes the results file of a run on this system, and returns what it holds.

    Args:
        path: the file. What it holds already stays where the run was of some tests alone.
        junits: what pytest wrote, one file for each part of the suite.
        version: of OBS.
        python: version of the system's Python, which OBS's scripts and the worker run on.
        everything: the long tests ran, too.
        whole: every test was asked for, and pytest came to its end.
    """
    earlier: dict[str, Any] = {}
    if not whole and path.is_file():
        earlier = json.loads(path.read_text(encoding="utf-8"))
        if earlier.get("obs") != str(version):
            earlier = {}
    cases = {**earlier.get("cases", {})}
    for junit in junits:
        cases.update(read_junit(junit))
    commits = [*earlier.get("commits", ()), commit(PROJECT)]
    results = {
        "obs": str(version),
        "python": python,
        "system": _system(),
        "processors": os.cpu_count(),
        "day": time.strftime("%Y-%m-%d"),
        "commits": list(dict.fromkeys(name for name in commits if name)),
        "long_tests": everything or bool(earlier.get("long_tests")),
        "in_one_run": whole,
        "summary": summary(cases),
        "cases": dict(sorted(cases.items())),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    return results


def commit(project: Path) -> str | None:
    """The project's commit, with ``+`` where tracked files differ from it; None where nothing tells."""
    told = os.environ.get(COMMIT_ENV)
    if told:
        return told
    git = ["git", "-c", "safe.directory=*", "-C", str(project)]
    try:
        head, changed = (
            subprocess.run([*git, *words], capture_output=True, text=True, timeout=60, check=False)
            for words in (
                ["rev-parse", "--short=12", "HEAD"],
                ["status", "--porcelain", "-uno", "--", ".", *_WRITTEN],
            )
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if head.returncode:
        return None
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def _system() -> str:
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.platform()
    names = [line.partition("=")[2].strip('"') for line in lines if line.startswith("PRETTY_NAME=")]
    return names[0] if names else platform.platform()
