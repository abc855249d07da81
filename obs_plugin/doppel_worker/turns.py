"""Whose turn it is on a device: lanes are served in the order in which they asked.

A ``threading.Lock`` may let one thread take it again and again while others wait; with several lanes on one
device that would starve all but one.
"""

from __future__ import annotations

import collections
import contextlib
import threading
from collections.abc import Iterator
from types import TracebackType


class Turns:
    """A lock that is handed on in order. A thread that has the turn may enter again."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._owner: int | None = None
        self._depth = 0
        self._waiting: collections.deque[tuple[int, int, threading.Event]] = collections.deque()
        """Thread, how deep it will be in, and what calls it."""

    @property
    def waiting(self) -> int:
        """Threads that wait for their turn."""
        return len(self._waiting)

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._guard:
            if self._owner == me:
                self._depth += 1
                return
        self._take(me, 1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._guard:
            self._depth -= 1
            if not self._depth:
                self._hand_on()

    @contextlib.contextmanager
    def released(self) -> Iterator[None]:
        """Whoever has the turn gives it up for this block, however deep it is in, and then waits for it anew.

        Nothing happens to who does not have it.
        """
        me = threading.get_ident()
        with self._guard:
            depth = self._depth if self._owner == me else 0
            if depth:
                self._hand_on()
        try:
            yield
        finally:
            if depth:
                self._take(me, depth)

    def _take(self, me: int, depth: int) -> None:
        with self._guard:
            if self._owner is None:
                self._owner, self._depth = me, depth
                return
            called = threading.Event()
            self._waiting.append((me, depth, called))
        called.wait()  # whoever leaves has made us the owner

    def _hand_on(self) -> None:
        if not self._waiting:
            self._owner, self._depth = None, 0
            return
        self._owner, self._depth, called = self._waiting.popleft()
        called.set()
