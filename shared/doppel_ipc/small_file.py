"""Small text files that somebody else may have made: looks and records that came with a face.

They are read inside OBS, where a pipe must not be waited for and what has no end must not be read to it: a
link in somebody else's folder may lead to ``/dev/zero``, or to a file of the kernel's that says it is empty.
"""

from __future__ import annotations

import stat
from pathlib import Path


def read_small(path: Path, most: int) -> str:
    """The text of a plain file, or of the one that a link leads to.

    Args:
        path: of the file, in UTF-8.
        most: bytes.

    Raises:
        OSError: there is none, it is something else, or it is longer.
        ValueError: it is no text, or no file can have that name.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError("it is no plain file")
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError("it is too long")
    return data.decode("utf-8")
