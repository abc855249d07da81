"""Plain-text progress on standard error, and how long each step took."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TextIO


class Progress:
    """Says what happens, one line at a time; standard output stays free for results.

    Args:
        stream: where to write; None: standard error.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._begin = time.monotonic()
        self.seconds: dict[str, float] = {}
        """Seconds of each finished step, by its key."""

    def say(self, text: str) -> None:
        """One line, with the seconds since the start before it."""
        elapsed = time.monotonic() - self._begin
        with contextlib.suppress(BrokenPipeError):
            print(f"[{elapsed:6.1f} s] {text}", file=self._stream, flush=True)

    @contextlib.contextmanager
    def step(self, key: str, text: str) -> Iterator[None]:
        """Announces a step and notes its duration under ``key``, also when it fails."""
        self.say(f"{text} ...")
        begin = time.monotonic()
        try:
            yield
        finally:
            self.seconds[key] = round(self.seconds.get(key, 0.0) + time.monotonic() - begin, 2)

    @property
    def total(self) -> float:
        """Seconds since the start."""
        return round(time.monotonic() - self._begin, 2)
