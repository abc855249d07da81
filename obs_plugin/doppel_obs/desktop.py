"""The user's desktop, from inside OBS: files opened, text copied. Without Qt, which scripts do not have.

Nothing here waits for what it starts for longer than a moment; call it from a thread that may wait that long.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Sequence

SECONDS = 3.0
"""Longest time that a clipboard program may take. ``xclip`` stays in the background by itself."""
_CLIPBOARDS = (
    ("wl-copy",),
    ("xclip", "-selection", "clipboard"),
    ("xsel", "--clipboard", "--input"),
)


def open_path(path: Path) -> bool:
    """Opens a file or folder with the program that the user has for it; False: there is none."""
    if sys.platform == "win32":
        try:
            os.startfile(str(path))  # noqa: S606 - that is what opens a file on Windows
        except OSError:
            return False
        return True
    opener = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if opener is None:
        return False
    try:
        subprocess.Popen(
            [opener, str(path)], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        return False
    return True


def copy_text(text: str) -> bool:
    """Puts text on the clipboard; False: there is no program that can."""
    for command in _clipboards():
        program = shutil.which(command[0])
        if program is None:
            continue
        # Windows's clip takes UTF-16; the others what the system speaks.
        data = text.encode("utf-16-le" if sys.platform == "win32" else "utf-8", "replace")
        try:
            done = subprocess.run(
                [program, *command[1:]], input=data, timeout=SECONDS, check=False,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return True
    return False


def _clipboards() -> Sequence[Sequence[str]]:
    if sys.platform == "win32":
        return (("clip",),)
    if sys.platform == "darwin":
        return (("pbcopy",),)
    wayland: list[Sequence[str]] = [_CLIPBOARDS[0]] if os.environ.get("WAYLAND_DISPLAY") else []
    return wayland + list(_CLIPBOARDS[1:])
