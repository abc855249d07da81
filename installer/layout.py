"""Where things lie: the project's folder, what the installer makes in it, the user's data."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
"""Folder that holds ``installer/``, ``obs_plugin/``, ``shared/`` and ``models/``."""
MADE = PROJECT / ".doppel"
"""Everything that the installer makes, ``.venv`` excepted."""
SCRIPT = PROJECT / "obs_plugin" / "doppel_filter.py"
"""The script that OBS loads."""
LOGS = MADE / "logs"


def user_data_dir(environ: dict[str, str] | None = None, platform: str = sys.platform) -> Path:
    """The user's data folder of Doppel: ``platformdirs.user_data_dir("doppel", appauthor=False)``."""
    env = dict(os.environ) if environ is None else environ
    home = Path(env.get("HOME") or env.get("USERPROFILE") or Path.home())
    if platform == "win32":
        return Path(env["LOCALAPPDATA"] if env.get("LOCALAPPDATA") else home / "AppData" / "Local") / "doppel"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "doppel"
    return Path(env["XDG_DATA_HOME"] if env.get("XDG_DATA_HOME") else home / ".local" / "share") / "doppel"


def user_cache_dir(environ: dict[str, str] | None = None) -> Path:
    """What can be made again, on Linux: ``platformdirs.user_cache_dir("doppel")``."""
    env = dict(os.environ) if environ is None else environ
    home = Path(env.get("HOME") or Path.home())
    return Path(env["XDG_CACHE_HOME"] if env.get("XDG_CACHE_HOME") else home / ".cache") / "doppel"
