"""``installer test``: linters, types and tests, on the project's own environment and this machine's OBS."""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from installer.environment import Environment
from installer.errors import CommandError, ObsError
from installer.layout import MADE, PROJECT
from installer.obs_config import ObsVersion
from installer.prepare import prepare_environment, prepare_obs, prepare_script
from installer.progress import Progress
from installer.suite_parts import Part, failed_lines, one_closing_line, suite_parts, usable_processors
from installer.suite_results import RESULTS, read_junit, results_path, write_results
from installer.system import PackageManager

COMPILER_PACKAGES = ("gcc", "libc6-dev")
"""For the C tests under sanitizers; the compiler that ``ziglang`` brings has no address sanitizer."""
KEY_PACKAGES = ("libxtst6",)
"""For the test that holds a key; without it that test is skipped."""
LONG_PACKAGES = ("clang", "libclang-rt-dev", "wine64", "wine")
"""For the fuzzers of the C and for the Windows build; without them those tests are skipped."""
SERVER_MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
SERVER_PACKAGES = ("nginx", "libnginx-mod-rtmp")
"""A streaming server for the test that watches a stream; without it that test is skipped."""


INTEGRATION = ("tests/integration", "tests/unit/doppel_obs", "tests/unit/doppel_ipc", "tests/unit/installer")
"""What depends on OBS's version and on that of the Python that it runs scripts with."""


def run_tests(
    progress: Progress, *, everything: bool, json_output: bool, device: str = "auto", only: Sequence[str] = ()
) -> dict[str, Any]:
    """Prepares all that the tests need, then runs ruff, mypy and pytest, also after one of them failed.

    Args:
        progress: told what happens.
        everything: the tests marked ``long``, too.
        json_output: send the tools' output to standard error.
        device: which packages to use.
        only: tests to run, by pytest's names; then neither ruff nor mypy runs.

    Returns:
        ``ok``, ``problems``, ``steps`` (tool or part of the suite -> exit code), ``closing`` (pytest's last
        line, of all parts together), ``obs`` (its version), ``results`` (the results file), ``warnings``
        (where that could not be written), ``seconds``.
    """
    environment, version = _prepare(progress, device)
    if everything and not only:
        _prepare_long(progress)
    python = str(environment.python)
    commands = {
        "ruff check": [python, "-m", "ruff", "check"],
        "ruff format": [python, "-m", "ruff", "format", "--check"],
        "mypy": [python, "-m", "mypy"],
    }
    return _run(
        {} if only else commands, only, progress, environment, version,
        everything=everything, json_output=json_output,
    )  # fmt: skip


def run_integration(
    progress: Progress, major: int, *, everything: bool, json_output: bool, only: Sequence[str] = ()
) -> dict[str, Any]:
    """The integration suite alone, on this system's OBS: what ``test --obs`` runs inside a root folder.

    Args:
        progress: told what happens.
        major: the version that OBS must have.
        everything: the tests marked ``long``, too.
        json_output: send pytest's output to standard error.
        only: tests to run instead of the suite.

    Raises:
        ObsError: this system has another OBS.
    """
    environment, version = _prepare(progress, "cpu")
    if version.major != major:
        todo = "see which Debian has it now, and name that one in installer/obs_roots.py"
        raise ObsError(f"this system has OBS {version}, not {major}", "its distribution moved on", todo)
    return _run(
        {}, only or INTEGRATION, progress, environment, version,
        everything=everything, json_output=json_output,
    )  # fmt: skip


def _prepare(progress: Progress, device: str) -> tuple[Environment, ObsVersion]:
    packages = [*COMPILER_PACKAGES] if shutil.which("cc") is None else []
    packages += KEY_PACKAGES if ctypes.util.find_library("Xtst") is None else []
    if packages and (manager := PackageManager.find()) is not None:
        manager.install(packages, progress)
    environment = prepare_environment(progress, ("dev", "native"), device)
    _, version = prepare_obs(progress, headless=True)
    prepare_script(environment, progress)
    if not SERVER_MODULE.exists():
        _unpack_server(Path(environment.python).parents[1] / "streaming-server", progress)
    return environment, version


def _prepare_long(progress: Progress) -> None:
    """What only the long tests use, where it can be had; without it they are skipped and say so."""
    if shutil.which("clang") and (shutil.which("wine64") or shutil.which("wine")):
        return
    manager = PackageManager.find()
    if manager is None:
        return
    try:
        manager.install(LONG_PACKAGES, progress)
    except CommandError as error:
        progress.say(f"{error.what}; the tests that need them are skipped")


def _run(
    checks: dict[str, list[str]],
    tests: Sequence[str],
    progress: Progress,
    environment: Environment,
    version: ObsVersion,
    *,
    everything: bool,
    json_output: bool,
) -> dict[str, Any]:
    chosen = list(tests) not in ([], [*INTEGRATION])
    processors = usable_processors()
    parts = suite_parts(tests, MADE, everything=everything, chosen=chosen, processors=processors)
    out = sys.stderr if json_output else sys.stdout
    commands = dict(checks)
    for part in parts:
        part.junit.unlink(missing_ok=True)
        commands[part.name] = [str(environment.python), "-m", "pytest", *part.arguments]
    steps: dict[str, int] = {}
    closings: dict[str, str] = {}
    for name, command in commands.items():
        with progress.step(name, name):
            steps[name], closings[name] = _stream(command, environment, out)
    closing = _close(parts, closings, progress, out)
    report: dict[str, Any] = {"steps": steps, "closing": closing, "obs": str(version)}
    report["problems"] = [f"{name} ended with code {code}" for name, code in steps.items() if code]
    report["ok"] = not report["problems"]
    junits = [part.junit for part in parts if part.junit.is_file()]
    if junits:
        path = results_path(RESULTS, version.major)
        whole = not chosen and all(steps[part.name] <= 1 for part in parts)
        python_version = environment.python_version()
        try:
            write_results(path, junits, version, python_version, everything=everything, whole=whole)
        except OSError as error:
            # What the tests came to does not depend on the file, which may be root's after a run with sudo.
            report["warnings"] = [f"the results file could not be written: {error}"]
        else:
            report["results"] = str(path)
            progress.say(f"results: {path}")
    report["seconds"] = {**progress.seconds, "total": progress.total}
    return report


def _close(parts: Sequence[Part], closings: Mapping[str, str], progress: Progress, out: Any) -> str:
    """Says at the end what all parts came to, as one run would; returns its closing line."""
    if len(parts) == 1:
        return closings[parts[0].name]
    seconds = sum(progress.seconds[part.name] for part in parts)
    closing = one_closing_line({part.name: closings[part.name] for part in parts}, seconds)
    failed = [line for part in parts if part.junit.is_file() for line in failed_lines(read_junit(part.junit))]
    out.write("\n".join([*failed, closing]) + "\n")
    out.flush()
    return closing


def _unpack_server(folder: Path, progress: Progress) -> None:
    """Unpacks the server's packages without installing them: installed, nginx would start at once."""
    if folder.exists() or shutil.which("apt-get") is None:
        return
    progress.say(f"fetching for a test: {' '.join(SERVER_PACKAGES)}")
    with tempfile.TemporaryDirectory() as parts:
        fetched = subprocess.run(
            ["apt-get", "download", *SERVER_PACKAGES], cwd=parts, capture_output=True, check=False
        )
        packages = sorted(Path(parts).glob("*.deb"))
        if fetched.returncode or len(packages) < len(SERVER_PACKAGES):
            progress.say("they cannot be fetched; the test that watches a stream is skipped")
            return
        unpacked = Path(parts) / "unpacked"
        for package in packages:
            subprocess.run(["dpkg-deb", "-x", str(package), str(unpacked)], capture_output=True, check=True)
        shutil.move(str(unpacked), str(folder))


def _stream(command: list[str], environment: Environment, out: Any) -> tuple[int, str]:
    """Runs a tool, passes its output on, and returns its exit code and its last line."""
    environ = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    environ["PATH"] = f"{Path(environment.python).parent}{os.pathsep}{environ.get('PATH', '')}"
    last = ""
    with subprocess.Popen(
        command, cwd=PROJECT, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace",
    ) as process:  # fmt: skip
        for line in process.stdout or ():
            out.write(line)
            out.flush()
            last = line.strip() or last
    return process.returncode, last
