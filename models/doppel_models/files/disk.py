"""Room on the disk, and what to say when it is used up."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

SPARE_BYTES = 64 << 20
"""What must stay free for everything else on the disk."""


def lack_of_room(folder: Path, size: int) -> str | None:
    """What to say where ``size`` more bytes do not fit on the disk of a folder; None where they do."""
    free = shutil.disk_usage(folder).free
    if free >= size + SPARE_BYTES:
        return None
    return f"the disk of {folder} is too full: {size >> 20} MB are needed, {free >> 20} MB are free"


def write_problem(folder: Path, error: OSError) -> str:
    """What to say when writing to a folder has failed."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {folder} is full; free some room and run the command again"
    return f"the model cannot be written to {folder}: {error.strerror or error}"
