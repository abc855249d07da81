"""Builds the native library (``shared/native``) for this machine."""

from __future__ import annotations

import sys
from pathlib import Path

from installer.environment import Environment
from installer.layout import MADE, PROJECT
from installer.progress import Progress
from installer.system import run_command

BUILD_SCRIPT = PROJECT / "shared" / "native" / "build.py"
FOLDER = MADE / "native"


def library_name(platform: str = sys.platform) -> str:
    """The file name of the gate's library."""
    if platform == "win32":
        return "doppel_gate.dll"
    return "libdoppel_gate.dylib" if platform == "darwin" else "libdoppel_gate.so"


def build(environment: Environment, progress: Progress) -> Path:
    """Builds the library where it is not up to date and returns its path.

    Raises:
        CommandError: no compiler works; the message holds what it said.
    """
    library = FOLDER / library_name()
    command = [str(environment.python), str(BUILD_SCRIPT), "--out", str(FOLDER)]
    todo = "install a C compiler (e.g. apt-get install gcc libc6-dev) and run the same command again"
    run_command(command, "the native library cannot be built", todo, timeout=600)
    progress.say(f"native library {library}")
    return library
