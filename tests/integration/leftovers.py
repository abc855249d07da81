"""What an OBS must not leave behind: errors in its log, leaks, names in the shared memory."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil

from installer.obs_result import ObsResult
from tests.integration.waiting import wait_for

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - Linux's


def bad_lines(log: str) -> list[str]:
    """Lines of OBS's log that tell of an error of ours: errors and warnings, and Python's tracebacks."""
    return [
        line
        for line in log.splitlines()
        if ("[doppel]" in line and line.startswith(("error", "warning")))
        or "Traceback" in line
        or ("doppel" in line and "Error" in line)
    ]


def assert_clean(result: ObsResult) -> None:
    """OBS ended as it does without the script."""
    assert result.exit_code == 0, result.log[-3000:]
    assert result.memory_leaks == 0, f"{result.memory_leaks} leaks; {result.log[-3000:]}"
    bad = bad_lines(result.log)
    assert not bad, bad


def shared_memory() -> set[str]:
    """Names of what lies in the system's shared memory."""
    return {path.name for path in SHARED_MEMORY.iterdir()} if SHARED_MEMORY.is_dir() else set()


def wait_nothing_left(before: set[str]) -> None:
    """Returns when the system's shared memory holds nothing that it did not hold before, but for what other
    programs of this machine use now."""
    wait_for(
        lambda: not (more := shared_memory() - before) or not more - _in_use(),
        20,
        f"left in shared memory: {shared_memory() - before}",
    )


def _in_use() -> set[str]:
    """Names in the shared memory that some process has mapped or open."""
    found = set[str]()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            maps = [Path(item.path) for item in process.memory_maps()]
            files = [Path(item.path) for item in process.open_files()]
            found.update(path.name for path in (*maps, *files) if path.parent == SHARED_MEMORY)
    return found
