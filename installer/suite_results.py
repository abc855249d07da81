"""What a run of the tests came to: pytest's JUnit file made a JSON file that can be compared and kept."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from installer.layout import MADE, PROJECT
from installer.obs_config import ObsVersion, write_whole

RESULTS = MADE / "results"
"""Where the last results lie."""
_OUTCOMES = ("passed", "failed", "skipped")


def results_path(folder: Path, major: int) -> Path:
    """The file with the results of one version of OBS."""
    return folder / f"obs-{major}.json"


def read_junit(path: Path) -> dict[str, Any]:
    """Counts of a run, whole and by file, with the names of what failed and the reasons of what was skipped.

    Args:
        path: written by ``pytest --junit-xml`` with the family ``xunit1``, which names each test's file.

    Returns:
        ``tests`` (``passed``, ``failed``, ``skipped``, ``seconds``), ``files`` (the same by file), ``failed``
        (names), ``skipped`` (name -> reason). A test whose fixture fails counts as failed.
    """
    files: dict[str, dict[str, float]] = {}
    failed: list[str] = []
    skipped: dict[str, str] = {}
    # Our own pytest wrote it a moment ago.
    for case in ElementTree.parse(path).getroot().iter("testcase"):  # noqa: S314
        file = case.get("file") or (case.get("classname") or "?").replace(".", "/")
        name = f"{file}::{case.get('name')}"
        skip = case.find("skipped")
        outcome = "failed" if case.find("failure") is not None or case.find("error") is not None else "passed"
        if skip is not None:
            outcome = "skipped"
            skipped[name] = skip.get("message") or ""
        elif outcome == "failed":
            if name in failed:  # its test failed, and then a fixture's end
                continue
            failed.append(name)
        counts = files.setdefault(file, {**dict.fromkeys(_OUTCOMES, 0), "seconds": 0.0})
        counts[outcome] += 1
        counts["seconds"] = round(counts["seconds"] + float(case.get("time") or 0.0), 1)
    total: dict[str, float] = {key: sum(c[key] for c in files.values()) for key in _OUTCOMES}
    total["seconds"] = round(sum(counts["seconds"] for counts in files.values()), 1)
    return {"tests": total, "files": dict(sorted(files.items())), "failed": failed, "skipped": skipped}


def write_results(
    path: Path, junit: Path, version: ObsVersion, python: str, *, everything: bool
) -> dict[str, Any]:
    """Writes the results file of a run on this system, and returns what it holds.

    Args:
        path: the file.
        junit: what pytest wrote.
        version: of OBS.
        python: version of the system's Python, which OBS's scripts and the worker run on.
        everything: the long tests ran, too.
    """
    results = {
        "obs": str(version),
        "python": python,
        "system": _system(),
        "processors": os.cpu_count(),
        "day": time.strftime("%Y-%m-%d"),
        "commit": commit(PROJECT),
        "long_tests": everything,
        **read_junit(junit),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    return results


def commit(project: Path) -> str | None:
    """The project's commit, with ``+`` where tracked files differ from it; None without git."""
    git = ["git", "-c", "safe.directory=*", "-C", str(project)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, timeout=60, check=False
        )
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
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
