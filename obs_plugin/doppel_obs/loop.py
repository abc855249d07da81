"""The control thread: one at a time in the whole process, whatever happens to the script.

The gate allows one control thread. A script that is reloaded starts a second one, and the first may be stuck
in a call of libobs just then. So a thread takes the process's seat before it does anything, clears up after
itself, and only then gives the seat away; the UI thread waits for it for a limited time, a new thread as
long as it takes. Meanwhile the gate goes on by itself.
"""

from __future__ import annotations

import threading
import time
import traceback
from typing import Callable

STOP_SECONDS = 10.0
"""Longest time for which the UI thread waits."""
MOST_ERRORS = 100
_SAME_ERROR_NS = 60_000_000_000
_WAIT_SECONDS = 0.05
_PATIENCE_NS = 1_000_000_000


class ControlLoop:
    """A thread that looks again and again. Started once, stopped once.

    Args:
        seat: the process's one seat, ``Holder.control_seat``.
        look: one look.
        clear_up: the last thing the thread does; not called where it never had the seat.
        log: takes the text of an error for OBS's log.
        seconds: between two looks.
    """

    def __init__(
        self,
        seat: threading.Lock,
        look: Callable[[], None],
        clear_up: Callable[[], None],
        log: Callable[[str], None],
        seconds: float,
    ) -> None:
        self._seat = seat
        self._look = look
        self._clear_up = clear_up
        self._log = log
        self._seconds = seconds
        self._errors: dict[str, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="doppel-control", daemon=True)

    @property
    def stopping(self) -> bool:
        """True once the thread is to end: a look that is under way is cut short."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self, timeout: float = STOP_SECONDS) -> bool:
        """Asks the thread to end and waits; False when it takes longer than ``timeout`` seconds.

        Such a thread clears up and gives the seat away as soon as it comes back from where it is stuck.
        """
        self._stopping.set()
        self._thread.join(timeout)
        if self._thread.is_alive():
            self._log(f"the control loop has not ended after {timeout:g} s; it clears up when it can")
            return False
        return True

    def guard(self, function: Callable[[], None]) -> None:
        """Runs it; an exception is logged (the same one once a minute), and the loop goes on."""
        try:
            function()
        except Exception as error:  # noqa: BLE001 - one filter's trouble must not end the others' protection
            now_ns = time.monotonic_ns()
            kind = repr(error)
            if now_ns - self._errors.get(kind, -_SAME_ERROR_NS) >= _SAME_ERROR_NS:
                if len(self._errors) >= MOST_ERRORS:
                    self._errors.clear()
                self._errors[kind] = now_ns
                self._log(traceback.format_exc())

    def _run(self) -> None:
        if not self._take_seat():
            return
        try:
            while not self._stopping.wait(self._seconds):
                self.guard(self._look)
            self.guard(self._clear_up)
        finally:
            self._seat.release()

    def _take_seat(self) -> bool:
        since_ns, said = time.monotonic_ns(), False
        while not self._seat.acquire(timeout=_WAIT_SECONDS):
            if self._stopping.is_set():
                return False
            if not said and time.monotonic_ns() - since_ns > _PATIENCE_NS:
                said = True
                self._log("the control loop waits for the one before it, which has not ended yet")
        return True
