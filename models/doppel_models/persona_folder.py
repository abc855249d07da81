"""A persona's folder, which appears complete or not at all, whenever the program or the machine stops."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from doppel_models.atomic import TEMPORARY, sync_folder, write_synced

_LEFT_S = 3600.0
"""What is unfinished for so long was left by an interruption; nothing is written for minutes."""


def put(target: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder, in place of the one of that name.

    Args:
        target: the folder; the one that it lies in exists.
        files: all that it shall hold, by their names.

    Raises:
        OSError: it cannot be written; what was there before is there still.
    """
    _tidy(target.parent)
    # What cannot be deleted, because another program reads it (Windows), does not undo what has been put.
    with tempfile.TemporaryDirectory(
        prefix=TEMPORARY, dir=target.parent, ignore_cleanup_errors=True
    ) as temporary:
        new = Path(temporary) / target.name
        new.mkdir()
        for name, data in files.items():
            write_synced(new / name, data)
        sync_folder(new)
        if target.exists():
            _exchange(target, new, Path(temporary) / "old")
        else:
            new.replace(target)
        sync_folder(target.parent)


def _exchange(target: Path, new: Path, old: Path) -> None:
    """Out of the way and back in one step each: one of the two is always there."""
    target.replace(old)
    try:
        new.replace(target)
    except OSError:
        old.replace(target)
        raise


def _tidy(folder: Path) -> None:
    """Delete what an interruption, or a file that was in use, has left: there are photos in it."""
    for entry in folder.glob(f"{TEMPORARY}*"):
        with contextlib.suppress(OSError):
            if time.time() - entry.lstat().st_mtime > _LEFT_S and not entry.is_symlink() and entry.is_dir():
                shutil.rmtree(entry)
