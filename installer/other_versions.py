"""``installer test --obs``: the integration suite on other versions of OBS, one root folder each."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from installer.errors import InstallerError
from installer.layout import PROJECT
from installer.obs_config import write_whole
from installer.obs_roots import ROOTS, ObsRoot
from installer.progress import Progress
from installer.suite_results import RESULTS, commit, results_path


def run_version(
    root: ObsRoot,
    progress: Progress,
    *,
    everything: bool,
    json_output: bool,
    only: Sequence[str] = (),
    results: Path | None = None,
) -> dict[str, Any]:
    """Runs the integration suite in a root folder, which is made first where it is not there.

    Args:
        root: the version.
        progress: told what happens.
        everything: the long tests, too.
        json_output: send the tests' output to standard error.
        only: tests to run instead of the suite.
        results: folder that gets the results file; None: the project's ``.doppel/results``.

    Returns:
        ``ok``, ``problems``, ``results`` (path of the results file, where the tests came to run).

    Raises:
        InstallerError: no root folder can be made or entered here.
    """
    root.prepare(progress)
    with root.locked():
        made = results_path(root.made / "results", root.major)
        made.unlink(missing_ok=True)
        arguments = ["test", "--inside", str(root.major), *(["--all"] if everything else []), "--", *only]
        command = root.command(["/usr/bin/python3", "-m", "installer", *arguments])
        with progress.step(f"obs-{root.major}", f"the integration suite on OBS {root.major} ({root.suite})"):
            code = _run(command, sys.stderr if json_output else None)
        report: dict[str, Any] = {"ok": code == 0, "problems": []}
        if code:
            report["problems"] = [f"on OBS {root.major}: the tests ended with code {code}"]
        if made.is_file():
            found = json.loads(made.read_text(encoding="utf-8"))
            found["commit"] = commit(PROJECT)  # the root has no git
            path = results_path(results or RESULTS, root.major)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
            report["results"] = str(path)
            progress.say(f"results: {path}")
    return report


def run_others(
    own: str, progress: Progress, *, everything: bool, json_output: bool, results: Path | None = None
) -> dict[str, Any]:
    """The integration suite on every version but this machine's; what cannot be done here is told.

    Args:
        own: version of this machine's OBS, which has been tested.
        progress: told what happens.
        everything: the long tests, too.
        json_output: send the tests' output to standard error.
        results: folder that gets the results files.

    Returns:
        ``problems``, ``warnings``, ``versions`` (major -> a report of :func:`run_version`, or ``skipped``).
    """
    whole: dict[str, Any] = {"problems": [], "warnings": [], "versions": {}}
    for root in ROOTS:
        if own.partition(".")[0] == str(root.major):
            continue
        try:
            report = run_version(
                root, progress, everything=everything, json_output=json_output, results=results
            )
            whole["problems"] += report["problems"]
        except InstallerError as error:
            report = {"skipped": str(error)}
            whole["warnings"].append(f"OBS {root.major} was not tested: {error}")
        whole["versions"][str(root.major)] = report
    return whole


def keep_results(report: dict[str, Any], folder: Path | None) -> None:
    """Copies the results file that a report names into a folder."""
    if folder is not None and "results" in report:
        folder.mkdir(parents=True, exist_ok=True)
        report["results"] = shutil.copy(report["results"], folder)


def _run(command: Sequence[str], out: Any) -> int:
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=out) as process:
        try:
            return process.wait()
        except BaseException:
            process.kill()  # the first process of its namespace: everything in there ends with it
            raise
