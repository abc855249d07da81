"""``installer test``: linters, types and tests, on the project's own environment and a real OBS."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from installer.environment import Environment
from installer.layout import PROJECT
from installer.prepare import prepare_environment, prepare_obs, prepare_script
from installer.progress import Progress
from installer.system import PackageManager

COMPILER_PACKAGES = ("gcc", "libc6-dev")
"""For the C tests under sanitizers; the compiler that ``ziglang`` brings has no address sanitizer."""
SERVER_MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
SERVER_PACKAGES = ("nginx", "libnginx-mod-rtmp")
"""A streaming server for the test that watches a stream; without it that test is skipped."""


def run_tests(
    progress: Progress, *, everything: bool, json_output: bool, device: str = "auto"
) -> dict[str, Any]:
    """Prepares all that the tests need, then runs ruff, mypy and pytest, also after one of them failed.

    Args:
        progress: told what happens.
        everything: the tests marked ``long``, too.
        json_output: send the tools' output to standard error.
        device: which packages to use.

    Returns:
        ``ok``, ``problems``, ``steps`` (tool -> exit code), ``closing`` (pytest's last line), ``seconds``.
    """
    packages = [*COMPILER_PACKAGES] if shutil.which("cc") is None else []
    if packages and (manager := PackageManager.find()) is not None:
        manager.install(packages, progress)
    environment = prepare_environment(progress, ("dev", "native"), device)
    prepare_obs(progress, headless=True)
    prepare_script(environment, progress)
    if not SERVER_MODULE.exists():
        _unpack_server(Path(environment.python).parents[1] / "streaming-server", progress)
    python = str(environment.python)
    pytest = [python, "-m", "pytest", *([] if everything else ["-m", "not long"])]
    commands = {
        "ruff check": [python, "-m", "ruff", "check"],
        "ruff format": [python, "-m", "ruff", "format", "--check"],
        "mypy": [python, "-m", "mypy"],
        "pytest": pytest,
    }
    steps: dict[str, int] = {}
    closing = ""
    for name, command in commands.items():
        with progress.step(name, name):
            steps[name], closing = _stream(command, environment, sys.stderr if json_output else sys.stdout)
    problems = [f"{name} ended with code {code}" for name, code in steps.items() if code]
    seconds = {**progress.seconds, "total": progress.total}
    return {"ok": not problems, "problems": problems, "steps": steps, "closing": closing, "seconds": seconds}


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
