"""Runs the fuzzers of files: case after case, each with its limits of time and memory."""

from __future__ import annotations

import contextlib
import faulthandler
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from tests.fuzz.files import TARGETS
from tests.fuzz.mutation import Mutator

SECONDS = 10
"""A case that takes longer hangs."""
MEMORY = 4 << 30
"""Bytes of address space: a file that asks for more than that is a finding."""


class Hang(BaseException):
    """Not an Exception: nothing that reads files may take it for an error of the file."""


def run(name: str, cases: int, seed: int, keep: Path) -> str:
    """Runs so many cases of a target.

    Args:
        name: of the target.
        cases: how many.
        seed: of the random sequence; case n of a seed is always the same.
        keep: the case that is under way is kept in this file, so it is there after a crash.

    Returns:
        What happened, for people.

    Raises:
        Whatever a case raises that is no refusal in words.
    """
    target = TARGETS[name]
    _bound_memory()
    faulthandler.enable()
    taken = 0
    slowest = 0.0
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(cases):
            data = target.mutate(Mutator(f"{name} {seed} {number}"))
            keep.write_bytes(data)
            before = time.process_time()
            with _time_limit():
                taken += target.judge(data, Path(folder))
            slowest = max(slowest, time.process_time() - before)
    keep.unlink(missing_ok=True)
    return (
        f"{name}: {cases:,} cases of seed {seed}, {taken:,} taken, the others refused in words; the slowest"
        f" took {slowest:.2f} s of processor time; {time.monotonic() - begun:.0f} s"
    )


def again(name: str, case: Path) -> str:
    """Runs one kept case."""
    with tempfile.TemporaryDirectory() as folder:
        return f"taken: {TARGETS[name].judge(case.read_bytes(), Path(folder))}"


@contextlib.contextmanager
def _time_limit() -> Iterator[None]:
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise Hang(f"a case takes longer than {SECONDS} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of processor time: the machine may be busy
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _bound_memory() -> None:
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
