"""Whose turn it is on a device: lanes are served in the order in which they asked, one frame each.

A ``threading.Lock`` may let one thread take it again and again while others wait; with several lanes on one
device that would starve all but one.
"""

from __future__ import annotations

import collections
import threading
from types import TracebackType


class Turns:
    """A lock that is handed on in order. A thread that has the turn may enter again."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._owner: int | None = None
        self._depth = 0
        self._waiting: collections.deque[tuple[int, threading.Event]] = collections.deque()

    @property
    def waiting(self) -> int:
        """Threads that wait for their turn."""
        return len(self._waiting)

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._guard:
            if self._owner in (None, me):
                self._owner, self._depth = me, self._depth + 1
                return
            called = threading.Event()
            self._waiting.append((me, called))
        called.wait()  # whoever leaves has made us the owner

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._guard:
            self._depth -= 1
            if self._depth:
                return
            if not self._waiting:
                self._owner = None
                return
            self._owner, called = self._waiting.popleft()
            self._depth = 1
            called.set()
