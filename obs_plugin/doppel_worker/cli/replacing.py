"""An output file that appears complete or not at all, and leaves nothing beside itself for long."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from doppel_models.plain_file import is_plain

from doppel_worker.cli.video_file import reason
from doppel_worker.errors import MediaError

_STEM_CHARS = 40
"""Of the output's name in the temporary one, which must not be too long where the output's is not."""


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A temporary path beside ``target`` that takes its place if the block succeeds, and else is removed.

    What a run that was killed has left there is removed first.

    Raises:
        MediaError: the folder does not exist or cannot be written.
    """
    try:
        _tidy(target)
        handle, temporary = _begin(target)
    except OSError as error:
        raise MediaError(f"{target} cannot be written: {reason(error)}") from error
    try:
        yield temporary
        # mkstemp makes files that only their owner can read; the result shall be like any other file.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        if sys.platform == "win32":  # there no open file is renamed, nor removed by others
            handle = _closed(handle)
        temporary.replace(target)
    except OSError as error:
        raise MediaError(f"{target} cannot be written: {reason(error)}") from error
    finally:
        if sys.platform == "win32":
            handle = _closed(handle)
        temporary.unlink(missing_ok=True)
        _closed(handle)


def _prefix(target: Path) -> str:
    return f".{target.stem[:_STEM_CHARS]}-doppel-"


def _begin(target: Path) -> tuple[int, Path]:
    """A new file that is held until its descriptor is closed, however the process ends."""
    while True:
        handle, name = tempfile.mkstemp(prefix=_prefix(target), suffix=target.suffix, dir=target.parent)
        try:
            tidied = _hold(handle, wait=True) and not os.fstat(handle).st_nlink
        except BaseException:  # also Ctrl-C: nobody else knows of the file yet; it is raised again
            os.close(handle)
            Path(name).unlink(missing_ok=True)
            raise
        if not tidied:
            return handle, Path(name)
        os.close(handle)  # another run tidied it away before it was held


def _tidy(target: Path) -> None:
    """Removes what earlier runs for this output have left, unless somebody holds it."""
    # As mkstemp names files.
    ours = re.compile(re.escape(_prefix(target)) + "[a-z0-9_]{8}" + re.escape(target.suffix))
    for path in target.parent.iterdir():
        if not ours.fullmatch(path.name) or not is_plain(path):
            continue
        # Another user's, say: it is no reason not to begin.
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_RDWR)
            try:
                if _hold(handle, wait=False) and sys.platform != "win32":
                    path.unlink()
            finally:
                os.close(handle)
            if sys.platform == "win32":  # where that fails while somebody has it open
                path.unlink()


def _hold(handle: int, *, wait: bool) -> bool:
    """Whether the file is ours alone now; False where another one holds it, or the system knows no locks."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        # One who tidies up holds it for a moment only.
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _closed(handle: int) -> int:
    """Closes a descriptor, once; returns one that is closed."""
    if handle >= 0:
        os.close(handle)
    return -1
