"""Where Doppel's parts lie: the one JSON file that the installer writes and the script in OBS reads.

Inside OBS ``sys.executable`` is OBS, and OBS may run with a configuration folder of its own, so nothing
there can be guessed. The script looks for the file in this order (:func:`find_config`):

1. the path in the environment variable ``DOPPEL_CONFIG``;
2. ``<project>/.doppel/config.json``, the project being the folder that holds ``obs_plugin/`` and ``shared/``;
3. the user's own, see :func:`user_config_path`.

The file is one JSON object; every value is an absolute path. Keys that a reader does not know are ignored,
so that a newer installer may add some::

    {"version": 1, "project": "/home/me/doppel", "python": "/home/me/doppel/.venv/bin/python",
     "native_library": "/home/me/doppel/.doppel/native/libdoppel_gate.so",
     "log_dir": "/home/me/.local/state/doppel", "persona_dir": "/home/me/.local/share/doppel/personas"}
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Mapping

from doppel_ipc.errors import ConfigError

CONFIG_VERSION = 1
CONFIG_ENV = "DOPPEL_CONFIG"
"""Environment variable that names the configuration file."""
STATS_ENV = "DOPPEL_STATS_FILE"
"""Environment variable that names the statistics file; see docs/report.md."""
CONFIG_NAME = "config.json"
PROJECT_FOLDER = ".doppel"
"""Folder in the project that holds everything the installer makes, the virtual environment excepted."""


@dataclasses.dataclass(frozen=True)
class InstallConfig:
    """What the installer tells the script: absolute paths.

    The paths need not exist when the file is read: the reader of each says what is missing.
    """

    project: Path
    """Folder that holds ``obs_plugin/``, ``shared/`` and ``models/``."""
    python: Path
    """The worker's interpreter, usually inside ``.venv``."""
    native_library: Path
    """The gate for this platform."""
    log_dir: Path
    """Folder of the worker's rotating log."""
    persona_dir: Path
    """The user's persona folder; the worker's default where the same user runs ``doppel persona``."""

    def to_json(self) -> str:
        """The file's text."""
        values = {field.name: str(getattr(self, field.name)) for field in dataclasses.fields(self)}
        return json.dumps({"version": CONFIG_VERSION, **values}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, origin: str = "the configuration") -> InstallConfig:
        """Reads the file's text; ``origin`` names it in error messages.

        Raises:
            ConfigError: not JSON, another version, or a key that is missing or no absolute path.
        """
        repair = "run `python3 -m installer run` or `install` again"
        try:
            data = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"{origin} is not JSON ({error}); {repair}") from error
        if not isinstance(data, dict):
            raise ConfigError(f"{origin} is not a JSON object; {repair}")
        if data.get("version") != CONFIG_VERSION:
            raise ConfigError(f"{origin} has version {data.get('version')!r} != {CONFIG_VERSION}; {repair}")
        values = {}
        for field in dataclasses.fields(cls):
            value = data.get(field.name)
            if not isinstance(value, str) or not Path(value).is_absolute():
                raise ConfigError(f"{origin}: {field.name!r} is {value!r}, not an absolute path; {repair}")
            values[field.name] = Path(value)
        return cls(**values)


def find_config(project: Path, environ: Mapping[str, str] | None = None) -> Path:
    """The configuration file that counts for this project; it exists.

    Raises:
        ConfigError: there is none; the message names the places and what to do.
    """
    env = os.environ if environ is None else environ
    named = env.get(CONFIG_ENV)
    places = [Path(named)] if named else [project_config_path(project), user_config_path(env)]
    for place in places:
        if place.is_file():
            return place
    listed = " or ".join(str(place) for place in places)
    raise ConfigError(f"no configuration at {listed}; run `python3 -m installer install` in {project}")


def load_config(project: Path, environ: Mapping[str, str] | None = None) -> InstallConfig:
    """Finds and reads the configuration; see :func:`find_config`.

    Raises:
        ConfigError: there is none, or it cannot be read or trusted.
    """
    path = find_config(project, environ)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    return InstallConfig.from_json(text, origin=str(path))


def project_config_path(project: Path) -> Path:
    """``<project>/.doppel/config.json``."""
    return project / PROJECT_FOLDER / CONFIG_NAME


def user_config_path(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """The user's configuration file, for a project folder that cannot be written."""
    env = os.environ if environ is None else environ
    home = Path(env.get("HOME") or env.get("USERPROFILE") or Path.home())
    if platform == "win32":
        base = Path(env["LOCALAPPDATA"]) if env.get("LOCALAPPDATA") else home / "AppData" / "Local"
    elif platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(env["XDG_CONFIG_HOME"]) if env.get("XDG_CONFIG_HOME") else home / ".config"
    return base / "doppel" / CONFIG_NAME
