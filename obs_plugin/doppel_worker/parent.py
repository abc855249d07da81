"""The worker's end where OBS ends without a word. Imports nothing heavy: it runs before everything else."""

from __future__ import annotations

import ctypes
import signal
import sys
from typing import Any, Final

_PR_SET_PDEATHSIG: Final = 1


def end_with_parent(libc: Any = None, platform: str = sys.platform) -> None:
    """Has the kernel kill this process as soon as the thread that started it ends (Linux, prctl(2)).

    The end of standard input says so on every system, but somebody must be there to read it: a worker that
    is stopped never does, and one that gets no processor does late. OBS's last thread must end before the
    pipe does, too. SIGKILL, which is how OBS ends its workers in any case: a stopped process takes no other.

    OBS starts its workers from its control thread, which kills them before it ends itself. Where OBS is gone
    before this call, or the system refuses it, standard input is left to tell.

    Args:
        libc: the C library; None: this process's own.
        platform: as ``sys.platform``; nothing is done but on Linux.
    """
    if platform == "linux":
        system = ctypes.CDLL(None) if libc is None else libc
        system.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
