"""What the worker gives up for good when it starts: rights that it never needs.

It reads model files, pictures and personas of strangers with decoders that are large. Should one of them be
made to do somebody's will, the process can do as little as the system allows without a privilege of ours
and without a risk for the swap:

=================================  ==================================  ==============================
..                                 how                                 where
=================================  ==================================  ==============================
no program gains rights by it      ``PR_SET_NO_NEW_PRIVS``             Linux
no privilege of an administrator   removed from its token              Windows
no network                         a system-call filter for sockets    Linux (x86-64, arm64)
no picture of a face in a dump     core size 0; no error reporting     Linux and macOS; Windows
bounded files                      at most 1,024 open, 4 GiB each      Linux and macOS
killed first where memory ends     ``oom_score_adj``                   Linux
=================================  ==================================  ==============================

There is no limit of address space: CUDA and ONNX Runtime reserve far more than they use. There is no
namespace of its own: from within one it could not reach the frames' memory in OBS (``/proc/<pid>/fd``). The
day a device is another machine, that device's worker is not to give up the network.

What cannot be given up is told, and the worker goes on. Imports nothing heavy: it runs before everything
else, while there is one thread, and what is started later inherits it.
"""

from __future__ import annotations

import sys
from typing import Any

from doppel_worker import rights_linux, rights_windows

MOST_FILES = 1024
"""Open at once; a session on the CPU has about 30, with CUDA about 100."""
LARGEST_FILE = 4 << 30
"""Bytes; a model has less than 2 GiB, a log 1 MiB."""


def give_up(platform: str = sys.platform) -> tuple[str, ...]:
    """Gives them up, for this process and whatever it starts; returns what could not be done, for the log."""
    if platform == "win32":
        return rights_windows.give_up()
    problems = limit_files(_resource())
    return problems + rights_linux.give_up() if platform == "linux" else problems


def limit_files(resource: Any) -> tuple[str, ...]:
    """Through the module ``resource``: no core dumps, and limits of files that no session reaches."""
    problems = []
    for name, most in (("RLIMIT_CORE", 0), ("RLIMIT_NOFILE", MOST_FILES), ("RLIMIT_FSIZE", LARGEST_FILE)):
        kind = getattr(resource, name)
        soft, hard = resource.getrlimit(kind)
        try:
            resource.setrlimit(
                kind,
                (_smaller(soft, most, resource.RLIM_INFINITY), _smaller(hard, most, resource.RLIM_INFINITY)),
            )
        except (OSError, ValueError) as error:
            problems.append(f"{name} cannot be set: {error}")
    return tuple(problems)


def _smaller(limit: int, most: int, infinity: int) -> int:
    return most if limit == infinity else min(limit, most)


def _resource() -> Any:
    import resource

    return resource
