"""``installer doctor``: what is in order, and what to do where something is not."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from installer import doctor_worker
from installer.collections_edit import read_collection, scripts_of
from installer.environment import CUDA_DRIVER, QUIET_RUNTIME, Environment, flavor, nvidia_driver
from installer.errors import InstallerError
from installer.ipc import errors, paths
from installer.layout import LOGS, MADE, PROJECT, SCRIPT, user_data_dir
from installer.obs_config import ObsVersion
from installer.obs_launch import find_obs
from installer.obs_user import UserObs, newest_python_minor, python_minor_in, user_configurations
from installer.prepare import OLDEST_OBS
from installer.system import obs_command

OK, NOTE, BAD = "ok", "note", "bad"
LEAST_FREE_BYTES = 512 << 20
"""Memory that a lane's frames and the worker need."""
_INSTALL = "python3 -m installer install"
_START_OBS = f"start it once, close it, then: {_INSTALL}"


@dataclasses.dataclass(frozen=True)
class Finding:
    """One line of the doctor's report."""

    subject: str
    state: str
    """``ok``; ``note``: it works, but know this; ``bad``: it does not work until something is done."""
    detail: str
    todo: str = ""

    def __str__(self) -> str:
        mark = {OK: "ok  ", NOTE: "note", BAD: "BAD "}[self.state]
        return f"{mark}  {self.subject}: {self.detail}" + (
            f"\n      what to do: {self.todo}" if self.todo else ""
        )


def doctor() -> dict[str, Any]:
    """Looks at everything and changes nothing.

    Returns:
        ``ok``, ``problems``, and ``findings``: each finding's fields.
    """
    findings = [finding for check in _CHECKS for finding in _checked(check)]
    bad = [finding for finding in findings if finding.state == BAD]
    return {
        "ok": not bad,
        "problems": [f"{finding.subject}: {finding.detail}" for finding in bad],
        "findings": [dataclasses.asdict(finding) for finding in findings],
        "text": [str(finding) for finding in findings],
    }


def _checked(check: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return check()
    except InstallerError as error:
        return [Finding(check.__name__.strip("_"), BAD, f"{error.what} {error.why}".strip(), error.todo)]


def _obs() -> list[Finding]:
    if sys.platform != "linux":
        return []
    program = find_obs()
    version = ObsVersion.of_program(program)
    if version < OLDEST_OBS:
        return [Finding("OBS", BAD, f"{version} is too old ({OLDEST_OBS} is needed)", obs_command())]
    libraries = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    found = re.search(r"libpython3\.(\d+)", libraries)
    if found is None:
        todo = "install the OBS package of your distribution or of obsproject.com"
        return [Finding("OBS's Python", BAD, f"OBS {version} was built without Python scripting", todo)]
    if int(found[1]) < 8:
        return [Finding("OBS's Python", BAD, f"3.{found[1]} is too old (3.8 is needed)", "use a newer OBS")]
    return [Finding("OBS", OK, f"{version} at {program}"), Finding("OBS's Python", OK, f"3.{found[1]}")]


def _user_settings() -> list[Finding]:
    configurations = user_configurations(dict(os.environ))
    if not configurations:
        return [Finding("OBS settings", NOTE, "OBS was never started by this user", _START_OBS)]
    return [finding for item in configurations for finding in _configuration(item)]


def _configuration(configuration: UserObs) -> list[Finding]:
    findings = []
    if configuration.kind == "snap":
        findings.append(Finding("OBS settings", NOTE, "a snap of OBS cannot start the worker", obs_command()))
    if sys.platform in ("win32", "darwin"):
        findings.append(_python_of_obs(configuration))
    for path in configuration.collections:
        subject = f"scene collection {path.stem!r}"
        scripts = scripts_of(read_collection(path))
        ours = [name for name in scripts if Path(name).name == SCRIPT.name]
        if not ours:
            findings.append(Finding(subject, NOTE, "Doppel is not in it", _INSTALL))
        elif Path(ours[0]) != SCRIPT or not Path(ours[0]).is_file():
            findings.append(Finding(subject, BAD, f"it loads another Doppel, {ours[0]}", _INSTALL))
        else:
            findings.append(Finding(subject, OK, "Doppel is in it"))
        others = [name for name in scripts if name not in ours and name.endswith(".py")]
        if others:
            detail = f"{len(others)} other Python scripts share OBS's interpreter: {', '.join(others)}"
            findings.append(Finding(subject, NOTE, detail, "if OBS stutters, try without them"))
    return findings


def _python_of_obs(configuration: UserObs) -> Finding:
    version, folder = configuration.version, configuration.python_path
    if version is None:
        return Finding("OBS's Python", NOTE, "OBS was never started", _START_OBS)
    limit = newest_python_minor(version)
    minor = python_minor_in(Path(folder)) if folder else None
    if minor is None:
        return Finding("OBS's Python", BAD, f"none is set ({folder or 'no folder'})", _INSTALL)
    if minor > limit:
        return Finding(
            "OBS's Python", BAD, f"OBS {version} cannot load 3.{minor}", f"install Python 3.{limit}"
        )
    return Finding("OBS's Python", OK, f"3.{minor} in {folder}")


def _script() -> list[Finding]:
    if not SCRIPT.is_file():
        return [Finding("script", BAD, f"{SCRIPT} is missing", "get the project again")]
    warning = "a script that does not load protects nobody: OBS then shows the raw picture"
    return [Finding("script", OK, str(SCRIPT)), Finding("protection", NOTE, warning)]


def _configuration_file() -> list[Finding]:
    try:
        config = paths.load_config(PROJECT)
    except errors.ConfigError as error:
        return [Finding("configuration", BAD, str(error), _INSTALL)]
    wrong = [name for name in ("project", "python", "native_library") if not getattr(config, name).exists()]
    if wrong:
        return [Finding("configuration", BAD, f"{', '.join(wrong)} in it no longer exist", _INSTALL)]
    if config.project != PROJECT:
        return [Finding("configuration", BAD, f"it is of another folder, {config.project}", _INSTALL)]
    return [Finding("configuration", OK, str(paths.find_config(PROJECT)))]


def _worker() -> list[Finding]:
    """The worker's own look at itself: it runs in the environment's interpreter."""
    environment = Environment(PROJECT)
    if not environment.python.exists():
        return [Finding("worker's Python", BAD, f"there is no {environment.folder}", _INSTALL)]
    config = paths.project_config_path(PROJECT)
    command = [str(environment.python), "-P", str(Path(doctor_worker.__file__)), str(PROJECT), str(config)]
    try:
        environ = {**os.environ, **QUIET_RUNTIME}
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environ)
    except (OSError, subprocess.TimeoutExpired) as error:
        return [Finding("worker's Python", BAD, str(error), f"remove {environment.folder}, then {_INSTALL}")]
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return [Finding("worker's Python", BAD, reason, f"remove {environment.folder}, then {_INSTALL}")]
    return [Finding(*fields) for fields in doctor_worker.parse(done.stdout)]


def _gpu() -> list[Finding]:
    driver = nvidia_driver()
    if driver is None:
        return [Finding("GPU", NOTE, "no NVIDIA driver: the CPU does the work")]
    if driver < CUDA_DRIVER:
        why, todo = f"driver {driver} is too old for CUDA 13", f"install driver {CUDA_DRIVER} or later"
        return [Finding("GPU", NOTE, why, todo)]
    if flavor(driver) == "cpu":
        why = "ONNX Runtime's packages for CUDA exist for x86-64 alone: the CPU does the work"
        return [Finding("GPU", NOTE, why)]
    return [Finding("GPU", OK, f"NVIDIA driver {driver}")]


def _permissions() -> list[Finding]:
    findings = []
    for subject, folder in (
        ("project folder", MADE),
        ("log folder", LOGS),
        ("persona folder", user_data_dir()),
    ):
        place = next(path for path in (folder, *folder.parents) if path.exists())
        if os.access(place, os.W_OK):
            findings.append(Finding(subject, OK, f"{folder} can be written"))
        else:
            findings.append(
                Finding(
                    subject,
                    BAD,
                    f"{place} cannot be written",
                    f"make it yours: sudo chown -R $USER '{place}'",
                )
            )
    cameras = sorted(Path("/dev").glob("video*")) if sys.platform == "linux" else []
    closed = [str(path) for path in cameras if not os.access(path, os.R_OK | os.W_OK)]
    if closed:
        findings.append(
            Finding("webcam", BAD, f"{', '.join(closed)} cannot be read", "sudo usermod -aG video $USER")
        )
    elif cameras:
        findings.append(Finding("webcam", OK, ", ".join(str(path) for path in cameras)))
    return findings


def _memory() -> list[Finding]:
    if sys.platform != "linux":
        return []
    found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"))
    available = int(found[1]) << 10 if found else 0
    findings = [_free("memory", available, "close other programs")]
    shared = Path("/dev/shm")  # noqa: S108 - looked at only
    if shared.is_dir():
        room = shutil.disk_usage(shared).free
        findings.append(_free("shared memory", room, "in a container: start it with --shm-size=1g"))
    return findings


def _free(subject: str, count: int, todo: str) -> Finding:
    detail = f"{count >> 20} MiB free"
    # Frames lie in anonymous files, which a small /dev/shm does not limit: worth a note, no more.
    short = BAD if subject == "memory" else NOTE
    return (
        Finding(subject, OK, detail) if count >= LEAST_FREE_BYTES else Finding(subject, short, detail, todo)
    )


_CHECKS: tuple[Callable[[], list[Finding]], ...] = (
    _obs, _user_settings, _script, _configuration_file, _worker, _gpu, _permissions, _memory,
)  # fmt: skip
