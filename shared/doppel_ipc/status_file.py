"""The status file: what one OBS's filters and worker do, written anew each second (docs/report.md).

It lies in the log folder, one for each OBS that runs (``status-PID.json``), and goes with it; ``doppel
status`` reads it. The environment variable ``DOPPEL_STATS_FILE`` names a copy that stays.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import time
from pathlib import Path
from typing import Any, Mapping, Sequence

from doppel_ipc.paths import STATS_ENV

VERSION = 1
STALE_NS = 5_000_000_000
"""A file that is older was left by an OBS that hangs or was killed."""
_FORGOTTEN_S = 60.0
_PATTERN = "status-*.json"


@dataclasses.dataclass(frozen=True)
class Found:
    """One status file that was read."""

    path: Path
    age_ns: int
    data: Mapping[str, Any]

    @property
    def fresh(self) -> bool:
        """Its OBS is at work."""
        return 0 <= self.age_ns < STALE_NS


def named_path(environ: Mapping[str, str] | None = None) -> Path | None:
    """The copy that the environment names, if it does."""
    named = (os.environ if environ is None else environ).get(STATS_ENV)
    return Path(named) if named else None


def own_path(folder: Path, pid: int) -> Path:
    """Where the OBS of a process number keeps its status."""
    return folder / f"status-{pid}.json"


def write(path: Path, data: Mapping[str, object]) -> None:
    """Replaces the file, whole or not at all; makes its folder.

    Raises:
        OSError: it cannot be written.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(data), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def sweep(folder: Path) -> None:
    """Removes what OBSs left that ended without a chance to do it. A living one writes its own again."""
    with contextlib.suppress(OSError):  # the folder may not be read
        for path in [*folder.glob(_PATTERN), *folder.glob(f"{_PATTERN}.tmp")]:
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _FORGOTTEN_S:
                    path.unlink()


def find(folder: Path) -> Sequence[Found]:
    """The status of each OBS that is at work, in an order that stays; else the newest of the stale ones."""
    read = [found for path in sorted(folder.glob(_PATTERN)) for found in _read(path)]
    return [one for one in read if one.fresh] or sorted(read, key=lambda one: one.age_ns)[:1]


def _read(path: Path) -> Sequence[Found]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        updated_ns = int(data["updated_ns"])
        known = data["version"] == VERSION
    except (OSError, ValueError, KeyError, TypeError):
        return ()  # gone meanwhile, or not one of ours
    # The clock is the system's: the same for every process, but it begins anew with each start of the system.
    return (Found(path, time.monotonic_ns() - updated_ns, data),) if known else ()
