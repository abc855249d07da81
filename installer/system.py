"""Programs and system packages: running a command, and apt where it may be used."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from installer.errors import CommandError, InstallerError
from installer.progress import Progress

_TAIL_LINES = 12
_PACKAGE_MANAGERS = (
    ("apt-get", "apt-get install obs-studio obs-plugins xvfb libgl1-mesa-dri"),
    ("dnf", "dnf install obs-studio xorg-x11-server-Xvfb mesa-dri-drivers"),
    ("pacman", "pacman -S obs-studio xorg-server-xvfb mesa"),
    ("zypper", "zypper install obs-studio xorg-x11-server-Xvfb Mesa-dri"),
    ("brew", "brew install --cask obs"),
    ("winget", "winget install OBSProject.OBSStudio"),
)


def run_command(
    command: Sequence[str],
    what: str,
    todo: str,
    *,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    timeout: float | None = None,
    text: str = "",
) -> str:
    """Runs a program to its end and returns what it printed.

    Args:
        command: program and arguments; no shell is involved.
        what: sentence of the error, e.g. ``the packages cannot be installed``.
        todo: what the user can do then.
        cwd: working folder.
        environ: variables added to the environment.
        timeout: seconds; None: no limit.
        text: given to the program's standard input.

    Raises:
        CommandError: the program is missing, fails or takes too long.
    """
    try:
        done = subprocess.run(
            list(command),
            cwd=cwd,
            env={**os.environ, **(environ or {})},
            input=text.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(what, f"`{command[0]}` took longer than {timeout} s", todo) from error
    except OSError as error:
        raise CommandError(what, f"`{command[0]}` cannot be run: {error}", todo) from error
    output = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        tail = "\n".join(output.strip().splitlines()[-_TAIL_LINES:])
        raise CommandError(
            what, f"`{' '.join(command[:4])} ...` ended with code {done.returncode}:\n{tail}", todo
        )
    return output


def ends_with_parent(command: Sequence[str], signal_name: str) -> list[str]:
    """The command, made to get a signal when this process dies, even when it is killed (Linux's setpriv).

    Args:
        command: program and arguments; its process number stays that of the started process.
        signal_name: e.g. ``INT``.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return [setpriv, "--pdeathsig", signal_name, "--", *command] if setpriv else list(command)


@dataclasses.dataclass(frozen=True)
class PackageManager:
    """Debian's and Ubuntu's apt, with the words before it that give the right to use it."""

    prefix: tuple[str, ...]

    @classmethod
    def find(cls) -> PackageManager | None:
        """Apt where this user may use it: as root, or by a sudo that does not ask or can ask here."""
        if sys.platform != "linux" or shutil.which("apt-get") is None:
            return None
        if os.geteuid() == 0:
            return cls(())
        if shutil.which("sudo") is None:
            return None
        silent = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
        if silent:
            return cls(("sudo", "-n"))
        if sys.stdin.isatty() and subprocess.run(["sudo", "-v"], check=False).returncode == 0:
            return cls(("sudo", "-n"))
        return None

    def install(self, packages: Sequence[str], progress: Progress) -> None:
        """Installs packages; a former installation that was interrupted is completed first.

        Raises:
            CommandError: apt fails.
        """
        progress.say(f"installing by apt: {' '.join(packages)}")
        todo = f"type: {_sudo()}apt-get update && {_sudo()}apt-get install {' '.join(packages)}"
        what = f"apt cannot install {' '.join(packages)}"
        options = ["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=5"]
        install = ["apt-get", *options, "install", "-y", "--no-install-recommends", *packages]
        try:
            self._run(install, what, todo)
        except CommandError as error:
            if "dpkg --configure -a" in error.why:
                self._run(["dpkg", "--configure", "-a"], what, todo)
            # A fresh machine has no package lists, or old ones.
            self._run(["apt-get", *options, "update"], "apt cannot fetch its package lists", todo)
            self._run(install, what, todo)

    def _run(self, command: Sequence[str], what: str, todo: str) -> None:
        # env, since sudo drops the variables of this process.
        quiet = ("env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=a")
        run_command([*self.prefix, *quiet, *command], what, todo, timeout=1800)


def require_packages(packages: Sequence[str], what: str, progress: Progress) -> None:
    """Installs system packages, or says the one command to type.

    Raises:
        InstallerError: this user or system has no apt to use; ``todo`` holds the command.
    """
    manager = PackageManager.find()
    if manager is None:
        why = "it needs the administrator's rights" if shutil.which("apt-get") else "this system has no apt"
        raise InstallerError(what, f"{why}, so the installer cannot install it", f"type: {obs_command()}")
    manager.install(packages, progress)


def obs_command() -> str:
    """The command that installs OBS and what the headless run needs on this system."""
    for program, command in _PACKAGE_MANAGERS:
        if program == "apt-get" and shutil.which(program):
            # A fresh machine has no package lists.
            return f"{_sudo()}apt-get update && {_sudo()}{command}"
        if shutil.which(program):
            return command if program in ("brew", "winget") else _sudo() + command
    return "install OBS Studio 28 or later from obsproject.com"


def all_at_once(python: str) -> str:
    """What to do for all that this system may lack, so that an administrator is asked once.

    Args:
        python: of the worker, e.g. ``3.11``. By apt its package for virtual environments comes, too.
    """
    if shutil.which("apt-get") is None:
        return f"install Python {python} with its modules venv and ensurepip"
    return f"type: {obs_command()} python{python}-venv"


def _sudo() -> str:
    return "" if hasattr(os, "geteuid") and os.geteuid() == 0 else "sudo "
