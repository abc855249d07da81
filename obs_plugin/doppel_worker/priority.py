"""How the worker shares the processor with OBS. Imports nothing heavy: it runs before everything else."""

from __future__ import annotations

import contextlib
import os
import sys


def give_way() -> None:
    """Asks the kernel never to interrupt another program in order to wake this process.

    The gate wakes the worker from OBS's graphics thread. With the usual policy Linux may hand that very core
    to the worker at once, and the graphics thread then waits for milliseconds in the middle of a frame
    (measured: 3-5 ms at the 99th percentile of a frame that takes 0.36 ms). A *batch* process has the same
    share of the processor, but a wake of it interrupts nobody (sched(7), SCHED_BATCH). Threads that are
    started later inherit it; it needs no privilege.

    Windows and macOS have no such policy; nothing is changed there.
    """
    if sys.platform == "linux":
        # A sandbox may forbid the call; the worker is as good as before then.
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
