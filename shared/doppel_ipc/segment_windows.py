"""Windows: shared memory of the paging file, reached by a random name. Used by :mod:`doppel_ipc.segment`.

``CreateFileMapping`` commits all its pages at once (SEC_COMMIT is its default), so that no later write can
fail, and the memory goes away with the last handle and view; there is no file.
"""

from __future__ import annotations

import mmap
import secrets
import sys
from typing import Any

from doppel_ipc.errors import SegmentError

_PAGE_READWRITE = 0x04
_INVALID_HANDLE = -1
_ERROR_ALREADY_EXISTS = 183


def create(size: int, kernel32: Any = None) -> tuple[str, int]:
    """Makes a mapping; returns its name and its handle.

    Args:
        size: bytes.
        kernel32: the system's library; None: the real one.

    Raises:
        SegmentError: the system gives no memory, or the name is taken.
    """
    system = _kernel32() if kernel32 is None else kernel32
    name = f"Local\\doppel-{secrets.token_hex(16)}"
    high, low = size >> 32, size & 0xFFFFFFFF
    handle = system.CreateFileMappingW(_INVALID_HANDLE, None, _PAGE_READWRITE, high, low, name)
    code = system.GetLastError()
    if not handle:
        size_text = f"{size >> 20} MiB of shared memory"
        raise SegmentError(f"Windows gives no {size_text} (error {code}); free some memory")
    if code == _ERROR_ALREADY_EXISTS:
        system.CloseHandle(handle)
        raise SegmentError("another program already uses the random name of the shared memory")
    return name, int(handle)


def close(handle: int, kernel32: Any = None) -> None:
    """Gives up a handle of :func:`create`."""
    system = _kernel32() if kernel32 is None else kernel32
    system.CloseHandle(handle)


def open_memory(name: str, size: int, make_mapping: Any = mmap.mmap) -> mmap.mmap:
    """Maps the memory of that name.

    A name that is gone gives new, zeroed memory: the check of the segment's header refuses it.

    Raises:
        SegmentError: the system refuses.
    """
    try:
        mapping: mmap.mmap = make_mapping(-1, size, tagname=name)
    except OSError as error:
        raise SegmentError(f"the segment {name} cannot be mapped: {error}") from error
    except TypeError:  # mmap knows tags on Windows alone
        raise SegmentError(f"segments with a tag do not exist on {sys.platform}") from None
    return mapping


class _Kernel32:
    """The system's library. Python may call it too between two of our calls, so errors are kept by ctypes."""

    def __init__(self) -> None:
        import ctypes

        library = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]  # on Windows
        self.CreateFileMappingW = library.CreateFileMappingW
        self.CreateFileMappingW.restype = ctypes.c_void_p
        self.CreateFileMappingW.argtypes = [
            ctypes.c_void_p,
            ctypes.c_void_p,
            ctypes.c_uint32,
            ctypes.c_uint32,
            ctypes.c_uint32,
            ctypes.c_wchar_p,
        ]
        self.CloseHandle = library.CloseHandle
        self.CloseHandle.argtypes = [ctypes.c_void_p]
        self.GetLastError = ctypes.get_last_error  # type: ignore[attr-defined,unused-ignore]  # on Windows


def _kernel32() -> Any:
    return _Kernel32()
