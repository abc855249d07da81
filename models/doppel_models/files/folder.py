"""A folder of files named by their hashes: which are there, and one process at a time that writes to it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import filelock

from doppel_models.atomic import TEMPORARY
from doppel_models.errors import StoreError
from doppel_models.files.disk import write_problem
from doppel_models.sentences import sentence

LOCK_SECONDS = 120.0
"""How long one process waits for another that writes to the folder."""
_FILE = re.compile(r"([0-9a-f]{64})\.(onnx|json)")


def hashes(folder: Path) -> tuple[str, ...]:
    """The hashes of all models of which there is a file or a record, in order.

    Raises:
        StoreError: the folder cannot be read.
    """
    try:
        names = [_FILE.fullmatch(entry.name) for entry in folder.iterdir()]
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise StoreError(f"{folder} cannot be read: {error.strerror}") from error
    return tuple(sorted({found[1] for found in names if found}))


def tidy(folder: Path) -> None:
    """Delete what an interruption has left; called by the only process that may write."""
    for entry in folder.glob(f"{TEMPORARY}*"):
        with contextlib.suppress(OSError):
            entry.unlink()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The folder, made where it is missing, for this process alone.

    Raises:
        StoreError: another process has it for too long, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / ".lock", timeout=LOCK_SECONDS):
            yield
    except filelock.Timeout as error:
        raise StoreError(
            sentence(
                "model.store-busy",
                "another program has been writing to {folder} for too long",
                folder=folder,
            )
        ) from error
    except OSError as error:
        raise StoreError(write_problem(folder, error)) from error
