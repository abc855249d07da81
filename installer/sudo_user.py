"""What root makes in a user's project by ``sudo`` is given to that user, who could not replace it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path


def give_back(folders: Iterable[Path], environ: Mapping[str, str] | None = None) -> list[str]:
    """Gives what root owns in a user's folders to the user who called ``sudo``; does nothing without it.

    Args:
        folders: with all that they hold; links are not followed. They need not exist. One that neither
            belongs to the user nor lies in a folder of theirs stays as it is.
        environ: has ``SUDO_UID`` and ``SUDO_GID``; None: this process's.

    Returns:
        What could not be given, one message for each folder.
    """
    env = os.environ if environ is None else environ
    user, group = env.get("SUDO_UID", ""), env.get("SUDO_GID", "")
    if sys.platform == "win32" or os.geteuid() != 0 or not (user.isdigit() and group.isdigit()):
        return []
    problems = (_give(folder.absolute(), int(user), int(group)) for folder in folders if folder.is_dir())
    return [problem for problem in problems if problem]


def _give(folder: Path, user: int, group: int) -> str:
    try:
        if user not in (folder.stat().st_uid, folder.parent.stat().st_uid):
            return ""
        for path in _everything(folder):
            with contextlib.suppress(FileNotFoundError):  # it has gone meanwhile
                if path.lstat().st_uid == 0:
                    os.chown(path, user, group, follow_symlinks=False)
    except OSError as error:
        return f"{folder} stays root's in part: {error}"
    return ""


def _everything(folder: Path) -> Iterable[Path]:
    yield folder
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))
