"""``installer test --obs``: the integration suite on other versions of OBS, one root folder each."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from installer.errors import InstallerError
from installer.layout import PROJECT
from installer.obs_roots import ROOTS, ObsRoot
from installer.progress import Progress
from installer.suite_results import COMMIT_ENV, RESULTS, commit, results_path


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
        ``ok``, ``problems``, ``results`` (path of the results file, where the tests came to run), and
        ``warnings`` where it could not be copied.

    Raises:
        InstallerError: no root folder can be made or entered here, or another command is at work in it.
    """
    with root.locked():
        root.prepare(progress)
        made = results_path(root.made / "results", root.major)
        arguments = ["test", "--inside", str(root.major), *(["--all"] if everything else []), "--", *only]
        told = f"{COMMIT_ENV}={commit(PROJECT) or ''}"  # the root has no git
        command = root.command(["/usr/bin/env", told, "/usr/bin/python3", "-m", "installer", *arguments])
        before = _changed(made)
        with progress.step(f"obs-{root.major}", f"the integration suite on OBS {root.major} ({root.suite})"):
            code = _run(command, sys.stderr if json_output else None)
        report: dict[str, Any] = {"ok": code == 0, "problems": []}
        if code:
            report["problems"] = [f"on OBS {root.major}: the tests ended with code {code}"]
        if made.is_file() and _changed(made) != before:
            report["results"] = str(made)
            keep_results(report, RESULTS if results is None else results)
            progress.say(f"results: {report['results']}")
    return report


def tell_how_long(progress: Progress) -> None:
    """What ``test --all`` will take, said before it starts."""
    versions = ", ".join(str(root.major) for root in ROOTS)
    progress.say(
        "this takes more than an hour on two cores (without --all a quarter of an hour); then, on Linux as"
        " root, the integration suite with its long tests runs on the other versions of OBS (of"
        f" {versions}): up to an hour more for each, and the first time some ten minutes and 3 GB of disk to"
        " make its Debian"
    )


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
            whole["warnings"] += report.get("warnings", [])
        except InstallerError as error:
            report = {"skipped": str(error)}
            whole["warnings"].append(f"OBS {root.major} was not tested: {error}")
        whole["versions"][str(root.major)] = report
    return whole


def keep_results(report: dict[str, Any], folder: Path | None) -> None:
    """Copies the results file that a report names into a folder; one that cannot be written is a warning."""
    if folder is None or "results" not in report:
        return
    made = Path(report["results"])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not folder.samefile(made.parent):
            report["results"] = shutil.copy(made, folder)
    except OSError as error:
        report.setdefault("warnings", []).append(f"the results stay in {made} alone: {error}")


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


def _run(command: Sequence[str], out: Any) -> int:
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=out) as process:
        try:
            return process.wait()
        except BaseException:  # also Ctrl-C: no suite goes on alone; it is raised again
            process.kill()  # the first process of its namespace: everything in there ends with it
            raise
