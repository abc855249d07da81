"""Is it a plain file? A pipe would be waited for, a device read until memory ends, a link leads elsewhere."""

from __future__ import annotations

import stat
from pathlib import Path

from doppel_models.sentences import sentence


def plain_size(path: Path) -> int:
    """Bytes of a plain file, or of the one that a link leads to.

    Raises:
        OSError: there is none, or it is something else.
        ValueError: no file can have that name.
    """
    info = path.stat()
    if not stat.S_ISREG(info.st_mode):
        raise OSError(sentence("model.no-file", "it is no plain file"))
    return info.st_size


def is_plain(path: Path) -> bool:
    """Whether it is a plain file, and no link to one."""
    return path.is_file() and not path.is_symlink()
