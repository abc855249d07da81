"""A persona's folder, which appears complete or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path


def put(target: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder, in place of the one of that name.

    Args:
        target: the folder; the one that it lies in exists.
        files: all that it shall hold, by their names.

    Raises:
        OSError: it cannot be written; what was there before is there still.
    """
    with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent) as temporary:
        new = Path(temporary) / target.name
        new.mkdir()
        for name, data in files.items():
            (new / name).write_bytes(data)
        if not target.exists():
            new.replace(target)
            return
        # Out of the way and back in one step each: one of the two is always there.
        old = Path(temporary) / "old"
        target.replace(old)
        try:
            new.replace(target)
        except OSError:
            old.replace(target)
            raise
