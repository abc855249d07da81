"""The user's own OBS on every platform: its folders, its collections, whether it runs, its Python.

Linux was tried with a real OBS; the Windows and macOS parts are pure functions of an environment and a
file tree, tested with made-up ones, and have not been run on those systems.
"""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from installer.obs_config import ObsVersion, global_settings_name, ini_value, last_version

PYTHON_SECTION = "Python"
PYTHON_KEY = "Path64bit"
_NEVER_STARTED = ObsVersion(0, 0)


@dataclasses.dataclass(frozen=True)
class UserObs:
    """One OBS configuration of the user."""

    root: Path
    """The folder ``obs-studio`` that holds ``basic/`` and OBS's settings."""
    kind: str
    """``native``, ``flatpak`` or ``snap``."""

    @property
    def collections(self) -> list[Path]:
        """The scene collections' files."""
        return sorted((self.root / "basic" / "scenes").glob("*.json"))

    @property
    def collection_copies(self) -> list[Path]:
        """The copies that OBS keeps of the scene collections' last state but one."""
        return sorted((self.root / "basic" / "scenes").glob("*.json.bak"))

    @property
    def version(self) -> ObsVersion | None:
        """The OBS that last used this configuration; None where none did."""
        return last_version(self.root)

    @property
    def global_settings(self) -> Path:
        """The file that holds ``[Python]``."""
        return self.root / global_settings_name(self.version or _NEVER_STARTED)

    @property
    def python_path(self) -> str | None:
        """The folder of Python that OBS is set to use (Windows and macOS)."""
        return ini_value(_text(self.global_settings), PYTHON_SECTION, PYTHON_KEY)


def user_configurations(environ: Mapping[str, str], platform: str = sys.platform) -> list[UserObs]:
    """The configurations of OBS that exist for this user, the native one first."""
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or Path.home())
    if platform == "win32":
        base = Path(environ["APPDATA"]) if environ.get("APPDATA") else home / "AppData" / "Roaming"
        places = [("native", base / "obs-studio")]
    elif platform == "darwin":
        places = [("native", home / "Library" / "Application Support" / "obs-studio")]
    else:
        base = Path(environ["XDG_CONFIG_HOME"]) if environ.get("XDG_CONFIG_HOME") else home / ".config"
        places = [
            ("native", base / "obs-studio"),
            ("flatpak", home / ".var" / "app" / "com.obsproject.Studio" / "config" / "obs-studio"),
            ("snap", home / "snap" / "obs-studio" / "current" / ".config" / "obs-studio"),
        ]
    return [UserObs(root, kind) for kind, root in places if root.is_dir()]


def newest_python_minor(version: ObsVersion) -> int:
    """The newest Python 3.x that OBS's builds for Windows and macOS load (PY_MINOR_VERSION_MAX)."""
    if version < ObsVersion(29, 1):
        return 10
    return 11 if version < ObsVersion(30, 1) else 12


def python_minor_in(folder: Path, platform: str = sys.platform) -> int | None:
    """The minor version of the Python 3 that OBS would load from a folder; None: there is none.

    OBS wants the folder of ``python3XX.dll`` on Windows, and of ``Python.framework`` on macOS.
    """
    if platform == "win32":
        minors = [
            int(m[1])
            for path in folder.glob("python3*.dll")
            if (m := re.fullmatch(r"python3(\d+)\.dll", path.name))
        ]
    else:
        versions = (folder / "Python.framework" / "Versions").glob("3.*")
        minors = [int(m[1]) for path in versions if (m := re.fullmatch(r"3\.(\d+)", path.name))]
    return max(minors, default=None)


def choose_python_folder(
    folders: Iterable[Path], version: ObsVersion, platform: str = sys.platform
) -> Path | None:
    """The folder with the newest Python that this OBS can load; None where no folder has one."""
    limit = newest_python_minor(version)
    usable = [
        (minor, folder)
        for folder in folders
        if (minor := python_minor_in(folder, platform)) is not None and 8 <= minor <= limit
    ]
    return max(usable, default=(0, None))[1]


def python_folders(environ: Mapping[str, str], platform: str = sys.platform) -> list[Path]:
    """Folders where Python is usually installed on Windows and macOS."""
    if platform == "win32":
        roots = [
            Path(environ[key]) for key in ("LOCALAPPDATA", "PROGRAMFILES", "SYSTEMDRIVE") if environ.get(key)
        ]
        found = [p for root in roots for p in (root / "Programs" / "Python").glob("Python3*")]
        return found + [p for root in roots for p in Path(f"{root}{os.sep}").glob("Python3*")]
    places = ["/Library/Frameworks", "/opt/homebrew/Frameworks", "/usr/local/Frameworks"]
    return [path for place in places if (path := Path(place)).is_dir()]


def obs_runs(configuration: UserObs, platform: str = sys.platform) -> bool:
    """True where an OBS runs that uses this configuration (on Windows and macOS: any OBS)."""
    if platform == "win32":
        listed = _output(["tasklist", "/FI", "IMAGENAME eq obs64.exe", "/NH"])
        return "obs64.exe" in listed.lower()
    if platform == "darwin":
        return bool(_output(["pgrep", "-x", "OBS"]).strip())
    return any(_configuration_of(pid) == configuration.root.parent for pid in _linux_processes("obs"))


def _linux_processes(name: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "comm").read_text(encoding="utf-8").strip() == name:
                    found.append(int(entry.name))
            except OSError:
                continue  # it ended meanwhile
    return found


def _configuration_of(pid: int) -> Path | None:
    """The configuration home of a process of this user; None where it cannot be read."""
    try:
        raw = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return None
    environ = dict(item.split("=", 1) for item in raw.decode("utf-8", "replace").split("\0") if "=" in item)
    return Path(
        environ["XDG_CONFIG_HOME"]
        if environ.get("XDG_CONFIG_HOME")
        else environ.get("HOME", "/") + "/.config"
    )


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
