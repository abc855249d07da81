"""One command at a time in one project folder: two would write over each other's figures and environments."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from installer.errors import InstallerError
from installer.layout import PROJECT


def lock_path(project: Path = PROJECT) -> Path:
    """The lock's file: outside the project, whose folders a command may remove; one for each user."""
    user = str(os.getuid()) if hasattr(os, "getuid") else ""
    name = hashlib.sha256(f"{user}:{project}".encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"doppel-{name}.lock"


@contextlib.contextmanager
def exclusive(project: Path = PROJECT) -> Iterator[None]:
    """Holds the project's lock; the system gives it back when the process ends, however it ends.

    Raises:
        InstallerError: another command holds it, or its file cannot be made.
    """
    path = lock_path(project)
    try:
        opened = path.open("a")
    except OSError as error:
        raise InstallerError(
            f"{path} cannot be written", str(error.strerror), "remove that file, or make its folder writable"
        ) from error
    with opened as file:
        try:
            _lock(file.fileno())
        except OSError:
            raise InstallerError(
                "another command of the installer is at work in this folder",
                f"two at once in {project} would disturb each other",
                "wait until it has ended (or end its OBS), then run this command again",
            ) from None
        yield


def _lock(fd: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
