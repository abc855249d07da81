"""Files that appear complete or not at all, whenever the program or the machine stops."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

TEMPORARY = ".new-"
"""What the names of unfinished files start with; one that is old was left by an interruption."""


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file so that readers find the old content, the new one or none, but never a part.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    handle, temporary = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            _write_through(file, data)
        Path(temporary).replace(path)
    except BaseException:  # also Ctrl-C: the half-written file must go; it is raised again
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_synced(path: Path, data: bytes) -> None:
    """Write a new file so that it lasts through a power cut; its name does by :func:`sync_folder`.

    Raises:
        OSError: it cannot be written.
    """
    with path.open("wb") as file:
        _write_through(file, data)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last through a power cut, where the system can do that for folders."""
    if os.name == "nt":
        return
    # Some network file systems refuse it; the files themselves are safe.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _write_through(file: BinaryIO, data: bytes) -> None:
    file.write(data)
    file.flush()
    os.fsync(file.fileno())
