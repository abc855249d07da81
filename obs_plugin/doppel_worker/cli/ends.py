"""How a command ends when it is asked to: as by Ctrl-C, so that nothing half done stays behind."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

ASKING = ("SIGTERM", "SIGHUP")
"""Sent when the system shuts down, and when the terminal is closed."""


@contextlib.contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """Within it the signals of :data:`ASKING` raise KeyboardInterrupt; but not one that nohup has ignored."""
    changed = {}
    if threading.current_thread() is threading.main_thread():
        for name in ASKING:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                changed[number] = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, before in changed.items():
            signal.signal(number, before)
