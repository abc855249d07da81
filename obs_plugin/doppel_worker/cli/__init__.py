"""The ``doppel`` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command; known errors are told in one line, exit code 1; Ctrl-C and SIGTERM end it with 130."""
    from doppel_worker.cli.ends import interrupted_by_signals
    from doppel_worker.cli.text import INTERRUPTED

    try:
        with interrupted_by_signals():
            _run()
    except KeyboardInterrupt:
        sys.stderr.write("doppel: stopped\n")
        sys.exit(INTERRUPTED)


def _run() -> None:
    from doppel_worker.streams import limit_threads

    # Before the numeric libraries are imported: they look only then.
    limit_threads()
    from doppel_ipc.errors import IpcError
    from doppel_models.errors import ModelsError

    from doppel_worker.cli.app import app
    from doppel_worker.errors import WorkerError

    try:
        app()
    except (IpcError, ModelsError, WorkerError) as error:
        sys.stderr.write(f"doppel: {error}\n")
        sys.exit(1)
    except OSError as error:
        # What the system refused is the user's to mend: a name and a reason, no stack.
        what = f"{error.filename}: " if error.filename is not None else ""
        sys.stderr.write(f"doppel: {what}{error.strerror or error}\n")
        sys.exit(1)
