"""The worker's standard streams. Imports nothing heavy: it runs before everything else."""

from __future__ import annotations

import os
import sys

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def claim() -> tuple[int, int]:
    """Takes the control pipe's two ends away from descriptors 0 and 1.

    From now on whatever any library prints goes to standard error, and whoever reads standard input finds it
    empty, so that neither can disturb the protocol.

    Returns:
        Descriptors to read from OBS and to write to it; child processes do not inherit them.
    """
    read_fd, write_fd = os.dup(0), os.dup(1)
    if sys.platform == "win32":
        import msvcrt

        for fd in (read_fd, write_fd):
            msvcrt.setmode(fd, os.O_BINARY)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return read_fd, write_fd


def limit_threads(environ: dict[str, str] | os._Environ[str] = os.environ) -> None:
    """Keeps numeric libraries from starting a thread per core, beside OBS; what the user has set stays."""
    for name in THREAD_VARIABLES:
        environ.setdefault(name, "1")
    # Threads that wait must not burn the cores that OBS renders on.
    environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
