"""Linux: no new privileges, no network, first to be killed where memory ends.

The filter of system calls knows one rule: ``socket`` makes local sockets and netlink ones (which only ask
the kernel), and nothing else; ``io_uring``, through which a socket could be made past it, cannot be set up.
It is classic BPF (linux/filter.h, linux/seccomp.h), the same for both processors but for the numbers of
three calls, and costs some nanoseconds a call. ``SPEC_ALLOW`` keeps kernels before 5.16 from slowing the
process down for it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import subprocess
from pathlib import Path
from typing import Any, Final

OOM_SCORE: Final = 500
"""Of 1000, added to the share of memory that it uses: before OBS, which has 0."""

_PR_SET_NO_NEW_PRIVS: Final = 38
_SECCOMP_SET_MODE_FILTER: Final = 1
_TSYNC, _SPEC_ALLOW = 1, 4
_AF_UNIX, _AF_NETLINK = 1, 16
_IO_URING_SETUP: Final = 425
_X32: Final = 0x40000000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16  # struct seccomp_data, little-endian
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | errno.EACCES

_PROCESSORS: dict[str, tuple[int, int, int]] = {
    "x86_64": (0xC000003E, 41, 317),
    "aarch64": (0xC00000B7, 198, 277),
}
"""AUDIT_ARCH, and the numbers of socket and seccomp."""
_NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
_NVIDIA_MEMORY = Path("/dev/nvidia-uvm")


def give_up(libc: Any = None, oom: Path = Path("/proc/self/oom_score_adj")) -> tuple[str, ...]:
    """Does all of it; returns what could not be done.

    Args:
        libc: the C library; None: this process's own.
        oom: the kernel's file for the score.
    """
    system = ctypes.CDLL(None, use_errno=True) if libc is None else libc
    wake_nvidia()
    problems = []
    try:
        if int(oom.read_text("ascii")) < OOM_SCORE:
            oom.write_text(str(OOM_SCORE), "ascii")
    except (OSError, ValueError) as error:
        problems.append(f"the score for when memory ends cannot be raised: {error}")
    if system.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        problems.append(f"no_new_privs cannot be set: {_why()}")
    elif (refused := _leave_network(system)) is not None:
        problems.append(f"the network cannot be given up: {refused}")
    return tuple(problems)


def socket_filter(processor: str) -> bytes | None:
    """The filter, an array of ``struct sock_filter``; None for a processor that we do not know."""
    if processor not in _PROCESSORS:
        return None
    arch, socket, _ = _PROCESSORS[processor]
    allow, refuse = 10, 9
    program = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 0, refuse - 2, arch),  # a call in another system's way, such as 32-bit code
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, refuse - 4, 0, _X32),
        (_EQUAL, refuse - 5, 0, _IO_URING_SETUP),
        (_EQUAL, 0, allow - 6, socket),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_EQUAL, allow - 8, 0, _AF_UNIX),
        (_EQUAL, allow - 9, 0, _AF_NETLINK),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("<HBBI", *step) for step in program)


def wake_nvidia(driver: Path = _NVIDIA_DRIVER, device: Path = _NVIDIA_MEMORY) -> None:
    """Has the driver's own helper make its device file, where nothing has used CUDA since the start.

    CUDA would start that helper by itself, but it works by gaining rights, which is over afterwards.
    """
    if not driver.exists() or device.exists():
        return
    try:
        subprocess.run(
            ["nvidia-modprobe", "-u", "-c", "0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return  # CUDA says what is wrong with it, and the device list shows that


def _leave_network(system: Any) -> str | None:
    """None, or why not."""
    processor = platform.machine()
    steps = socket_filter(processor)
    if steps is None:
        return f"no filter for the processor {processor}"
    room = ctypes.create_string_buffer(steps, len(steps))
    program = struct.pack("=HxxxxxxQ", len(steps) // 8, ctypes.addressof(room))
    number = _PROCESSORS[processor][2]
    done = system.syscall(
        ctypes.c_long(number),
        ctypes.c_long(_SECCOMP_SET_MODE_FILTER),
        ctypes.c_long(_TSYNC | _SPEC_ALLOW),
        ctypes.create_string_buffer(program, len(program)),
    )
    return None if done == 0 else _why()


def _why() -> str:
    return os.strerror(ctypes.get_errno())
