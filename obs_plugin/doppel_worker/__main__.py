"""``python -m doppel_worker``: the process that swaps faces, a child of OBS. It is not to be run by hand.

Standard input and output carry the control protocol (shared/doppel_ipc/README.md); everything else is told
in the ``hello`` message. ``--backend module:factory`` replaces what swaps faces (see ``backend.py``); tests
use it.

The process ends when OBS closes standard input, whatever it is doing; on Linux the kernel ends it with OBS,
too.
"""

from __future__ import annotations

import sys

from doppel_worker import parent, priority, rights, streams

DEFAULT_BACKEND = "doppel_worker.swap_backend:load"


def main() -> None:
    """Runs until OBS is gone; the exit codes are in ``process.py``."""
    parent.end_with_parent()
    read_fd, write_fd = streams.claim()
    streams.limit_threads()
    priority.give_way()
    kept = rights.give_up()
    backend = DEFAULT_BACKEND
    if sys.argv[1:2] == ["--backend"] and len(sys.argv) == 3:
        backend = sys.argv[2]
    elif len(sys.argv) > 1:
        sys.exit(f"usage: {sys.argv[0]} [--backend module:factory]; OBS starts this by itself")
    from doppel_worker.process import run

    run(read_fd, write_fd, backend, kept)


if __name__ == "__main__":
    main()
