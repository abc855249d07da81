"""What every command needs first: the environment, OBS, the native library, the configuration file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from installer import native
from installer.environment import CUDA_DRIVER, Environment, flavor, nvidia_driver
from installer.errors import InstallerError
from installer.ipc import paths
from installer.layout import LOGS, PROJECT, SCRIPT, user_data_dir
from installer.obs_config import ObsVersion
from installer.obs_launch import find_obs
from installer.progress import Progress
from installer.system import obs_command, require_packages

OBS_PACKAGES = ("obs-studio", "obs-plugins")
HEADLESS_PACKAGES = ("xvfb", "libgl1-mesa-dri")
OLDEST_OBS = ObsVersion(28, 0)


def prepare_environment(progress: Progress, extra: Sequence[str] = (), device: str = "auto") -> Environment:
    """The project's environment, whole.

    Args:
        progress: told what happens.
        extra: further sections of the lock file.
        device: ``cpu``, ``gpu``, or ``auto``: as the machine has.

    Raises:
        InstallerError: the packages for the GPU are wanted where they cannot work, or the project's folder
            cannot be written; nothing is changed then.
        InterpreterError, CommandError: see :meth:`Environment.ensure`.
    """
    if not os.access(PROJECT, os.W_OK):
        raise InstallerError(
            f"{PROJECT} cannot be written",
            "Doppel keeps its environment and its settings in its own folder",
            f"copy the folder into your home, or make it yours: sudo chown -R $USER '{PROJECT}'",
        )
    driver = nvidia_driver()
    if device == "gpu" and flavor(driver) != "gpu":
        found = "no NVIDIA driver works here" if driver is None else f"the NVIDIA driver is {driver}"
        raise InstallerError(
            "the GPU cannot be used",
            f"{found}; CUDA 13 needs driver {CUDA_DRIVER} or later on x86-64",
            "install that driver (`nvidia-smi` shows it), or leave out --device gpu",
        )
    kind = flavor(driver) if device == "auto" else device
    if driver is not None and kind == "cpu" and device == "auto":
        progress.say(f"the NVIDIA driver {driver} is too old for CUDA 13 (580 or later): using the CPU")
    extra = [*extra, *([] if native.has_compiler() else ["native"])]
    environment = Environment(PROJECT)
    with progress.step("environment", f"Python environment ({kind})"):
        environment.ensure(kind, extra, progress)
    return environment


def prepare_obs(progress: Progress, *, headless: bool) -> tuple[str, ObsVersion]:
    """The program ``obs`` and its version; installed first where it is missing and that is allowed.

    Raises:
        InstallerError: OBS or Xvfb is missing and cannot be installed here, or OBS is too old.
    """
    with progress.step("obs_install", "OBS Studio"):
        packages = list(OBS_PACKAGES) if shutil.which("obs") is None else []
        packages += HEADLESS_PACKAGES if headless and shutil.which("Xvfb") is None else []
        if packages:
            require_packages(packages, "OBS Studio (or Xvfb, for runs without a screen) is missing", progress)
        program = find_obs()
        version = ObsVersion.of_program(program)
        progress.say(f"OBS Studio {version}")
        if version < OLDEST_OBS:
            raise InstallerError(f"OBS Studio {version} is too old", f"{OLDEST_OBS} is needed", obs_command())
    return program, version


def prepare_script(environment: Environment, progress: Progress) -> Path:
    """Builds the native library and writes the configuration file that the script reads.

    Returns:
        The configuration file.
    """
    with progress.step("native", "native library"):
        library = native.build(environment, progress)
    return write_configuration(environment, library)


def write_configuration(environment: Environment, library: Path) -> Path:
    """Writes ``.doppel/config.json``; see ``doppel_ipc.paths`` for its form."""
    if not SCRIPT.is_file():
        raise InstallerError(f"{SCRIPT} is missing", "the project's folder is not complete", "get it again")
    config = paths.InstallConfig(
        project=PROJECT,
        python=environment.python,
        native_library=library,
        log_dir=LOGS,
        persona_dir=user_data_dir() / "personas",
    )
    path = paths.project_config_path(PROJECT)
    path.parent.mkdir(parents=True, exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(config.to_json(), encoding="utf-8")
    temporary.replace(path)
    return path
