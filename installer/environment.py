"""The worker's virtual environment ``.venv``: which interpreter, which packages, made whole or made again.

The packages come from the lock file's sections, checked by hash. A stamp file, written last, says what
is inside. Without a stamp (an interrupted installation) the environment is made anew; with the stamp of an
older lock file, or when sections are added, pip brings it up to date.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from installer.errors import CommandError, InstallerError, InterpreterError
from installer.lock import LOCK_NAME, merged_requirements
from installer.progress import Progress
from installer.system import PackageManager, all_at_once, run_command

OLDEST = (3, 11)
NEWEST = (3, 14)
VENV = ".venv"
STAMP = "doppel-environment.json"
CUDA_DRIVER = 580
"""First NVIDIA driver branch that runs CUDA 13, which the ``gpu`` packages are built for."""

QUIET_RUNTIME = {"ORT_DISABLE_TELEMETRY": "1"}
"""ONNX Runtime's wheels report usage to their maker unless this is set before the first import."""

_PROBE = (
    "import sys, importlib.util as u, json;"
    "print(json.dumps([list(sys.version_info[:2]), sys.executable, sys.prefix, sys.prefix != sys.base_prefix,"
    " bool(u.find_spec('ensurepip')),"
    " bool(u.find_spec('venv')), bool(u.find_spec('pip'))]))"
)
_NETWORK = "see that the network is up, then run the same command again; it goes on where it stopped"


@dataclasses.dataclass(frozen=True)
class Interpreter:
    """A Python on this machine."""

    path: str
    version: tuple[int, int]
    prefix: str
    is_virtual: bool
    """It belongs to a virtual environment."""
    has_venv: bool
    """It can make an environment with pip in it (Debian splits ``ensurepip`` off into python3-venv)."""
    has_pip: bool

    @property
    def suits(self) -> bool:
        """The worker runs on it."""
        return OLDEST <= self.version <= NEWEST


def find_interpreters() -> list[Interpreter]:
    """Every Python of this machine that runs, the one of this process first, then the newest first.

    Those of virtual environments are left out: an environment made from one would end with it.
    """
    names = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)] + ["python3", "python"]
    own = getattr(sys, "_base_executable", sys.executable)
    paths = [own, *(found for name in names if (found := shutil.which(name))), "/usr/bin/python3"]
    found_by_path: dict[str, Interpreter] = {}
    for path in dict.fromkeys(path for path in paths if path):
        interpreter = _probe(path)
        if interpreter is not None and not interpreter.is_virtual:
            found_by_path.setdefault(interpreter.path, interpreter)
    return list(found_by_path.values())


def choose_interpreter(candidates: Sequence[Interpreter]) -> Interpreter:
    """The worker's interpreter: one that suits, if possible one that can make environments by itself.

    Raises:
        InterpreterError: none suits.
    """
    fit = [item for item in candidates if item.suits]
    if not fit:
        seen = ", ".join(f"{c.path} ({c.version[0]}.{c.version[1]})" for c in candidates) or "none"
        raise InterpreterError(
            f"there is no Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}, which the worker needs",
            f"found: {seen}",
            f"install one, e.g.: sudo apt-get install python{OLDEST[0]}.{OLDEST[1]} python3.11-venv",
        )
    return next((item for item in fit if item.has_venv), fit[0])


def nvidia_driver() -> int | None:
    """The major number of the NVIDIA driver that works on this machine; None without one."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    query = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    first = done.stdout.strip().split(".")[0]
    return int(first) if done.returncode == 0 and first.isdigit() else None


def flavor(driver: int | None, machine: str = platform.machine()) -> str:
    """``gpu`` where the driver can run the CUDA packages, else ``cpu``: never both ONNX Runtimes.

    The CUDA build of ONNX Runtime exists for x86-64 alone.
    """
    fits = driver is not None and driver >= CUDA_DRIVER and machine.lower() in ("x86_64", "amd64")
    return "gpu" if fits else "cpu"


class Environment:
    """The project's ``.venv``.

    Args:
        project: folder that holds ``pyproject.toml`` and the lock file.
        folder: the environment; None: ``.venv`` in the project.
    """

    def __init__(self, project: Path, folder: Path | None = None) -> None:
        self.project = project
        self.folder = folder or project / VENV

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def doppel(self) -> Path:
        """The command ``doppel``."""
        return self.folder / ("Scripts/doppel.exe" if os.name == "nt" else "bin/doppel")

    def python_version(self) -> str:
        """The interpreter's version, e.g. ``3.13.5``.

        Raises:
            CommandError: it does not run.
        """
        command = [str(self.python), "-c", "import platform; print(platform.python_version())"]
        return run_command(command, "the environment does not work", _NETWORK).strip()

    def ensure(self, kind: str, extra: Sequence[str], progress: Progress) -> None:
        """Makes the environment, or brings it up to date; does nothing where it is.

        Args:
            kind: ``cpu`` or ``gpu``.
            extra: further sections of the lock file, e.g. ``dev``. What is there already stays.
            progress: told what happens.

        Raises:
            InterpreterError: no interpreter suits, or the environment cannot be made.
            CommandError: a package cannot be installed.
        """
        stamp = self._read_stamp() if self._works() else None
        sections = {"common", kind, "build", *extra} | set(stamp["sections"] if stamp else ())
        if {"cpu", "gpu"} <= sections:
            progress.say(f"the environment is for another kind of machine than {kind}: making it anew")
            stamp, sections = None, {"common", kind, "build", *extra}
        if stamp is not None and stamp == self._wanted(sections):
            progress.say(f"the environment {self.folder} is up to date")
            return
        (self.folder / STAMP).unlink(missing_ok=True)
        if stamp is None:
            # Packages that an interrupted installation left half written look complete to pip.
            self._create(progress)
        self._install(sorted(sections), progress)
        (self.folder / STAMP).write_text(json.dumps(self._wanted(sections)), encoding="utf-8")

    def is_complete(self, sections: Collection[str]) -> bool:
        """True where the environment works and holds these sections of the present lock file."""
        stamp = self._read_stamp() if self._works() else None
        return (
            stamp is not None
            and set(sections) <= set(stamp["sections"])
            and stamp == self._wanted(stamp["sections"])
        )

    def _wanted(self, sections: Collection[str]) -> dict[str, object]:
        return {"inputs": self._inputs(), "project": str(self.project), "sections": sorted(sections)}

    def _inputs(self) -> str:
        """Hash of all that decides what is installed."""
        digest = hashlib.sha256()
        for name in (LOCK_NAME, "pyproject.toml"):
            digest.update((self.project / name).read_bytes())
        return digest.hexdigest()

    def _read_stamp(self) -> dict[str, list[str]] | None:
        try:
            data = json.loads((self.folder / STAMP).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return data if isinstance(data, dict) and isinstance(data.get("sections"), list) else None

    def _works(self) -> bool:
        """The environment's interpreter runs, suits, and lies in this very folder: it may have been moved."""
        probe = _probe(str(self.python)) if self.python.exists() else None
        return probe is not None and probe.suits and Path(probe.prefix) == self.folder

    def _create(self, progress: Progress) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        candidates = find_interpreters()
        interpreter = choose_interpreter(candidates)
        manager = PackageManager.find()
        if not interpreter.has_venv and not any(c.has_pip for c in candidates) and manager is not None:
            # Debian and Ubuntu leave ensurepip out of python3; the numbered package suits any interpreter.
            manager.install([f"python{interpreter.version[0]}.{interpreter.version[1]}-venv"], progress)
            candidates = find_interpreters()
            interpreter = choose_interpreter(candidates)
        progress.say(f"making {self.folder} with {interpreter.path} (Python {_dotted(interpreter.version)})")
        todo = all_at_once(_dotted(interpreter.version))
        command = [interpreter.path, "-m", "venv", str(self.folder)]
        if not interpreter.has_venv:
            command.insert(3, "--without-pip")
        run_command(command, "the virtual environment cannot be made", todo)

    def _pip(self) -> list[str]:
        """The pip to use: the environment's own, else any other of this machine, pointed at it.

        Raises:
            InterpreterError: there is none.
        """
        own = _probe(str(self.python))
        if own is not None and own.has_pip:
            return [str(self.python), "-m", "pip"]
        for other in find_interpreters():
            if other.has_pip:
                return [other.path, "-m", "pip", "--python", str(self.python)]
        raise InterpreterError(
            "no pip was found",
            "the interpreter has no ensurepip, and no other Python of this machine has pip",
            all_at_once(_dotted(own.version if own else OLDEST)),
        )

    def _install(self, sections: Sequence[str], progress: Progress) -> None:
        progress.say(f"installing packages: {', '.join(sections)}")
        lock = self.project / LOCK_NAME
        if not lock.is_file():
            raise InstallerError(f"{lock} is missing", "the project's folder is not complete", "get it again")
        pip = [*self._pip(), "install", "--quiet", "--no-input", "--retries", "8", "--timeout", "60"]
        pip += ["--disable-pip-version-check", "--no-warn-script-location"]
        what = "the packages cannot be installed"
        with tempfile.TemporaryDirectory() as folder:
            wanted = Path(folder, "requirements.txt")
            wanted.write_text(
                merged_requirements(lock.read_text(encoding="utf-8"), sections), encoding="utf-8"
            )
            hashed = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(wanted)]
            run_command([*pip, *hashed], what, _NETWORK)
        own = ["--no-deps", "--no-build-isolation", "--no-index", "-e", str(self.project)]
        run_command([*pip, *own], "the project cannot be put into its environment", _NETWORK)
        check = "import av, cv2, filelock, httpx, msgspec, numpy, onnx, onnxruntime"
        check += ", doppel_ipc, doppel_models, doppel_worker"
        try:
            run_command(
                [str(self.python), "-c", check],
                "the environment does not work",
                _NETWORK,
                environ=QUIET_RUNTIME,
            )
        except CommandError:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise


def _probe(path: str) -> Interpreter | None:
    """Runs the interpreter to learn what it is; None where it does not run."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    try:
        done = subprocess.run(
            [path, "-c", _PROBE], capture_output=True, text=True, timeout=60, check=False, env=environ
        )
        version, executable, prefix, virtual, ensurepip, venv, pip = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return Interpreter(executable or path, (version[0], version[1]), prefix, virtual, ensurepip and venv, pip)


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
