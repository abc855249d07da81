"""Windows: no privileges, and no report of a crash, which would hold pictures of faces.

OBS is often run as an administrator. The worker then has that token too; what is removed from it cannot be
had again by this process or what it starts (AdjustTokenPrivileges, SE_PRIVILEGE_REMOVED). One privilege
stays that every user has: to pass through folders on the way to a file.
"""

from __future__ import annotations

import struct
from typing import Any, Final

_SILENT: Final = 0x0001 | 0x0002 | 0x8000
"""SEM_FAILCRITICALERRORS, SEM_NOGPFAULTERRORBOX (no error reporting), SEM_NOOPENFILEERRORBOX."""
_TOKEN_QUERY, _TOKEN_ADJUST_PRIVILEGES = 0x0008, 0x0020
_TOKEN_PRIVILEGES: Final = 3
_REMOVED: Final = 0x0004
_CHANGE_NOTIFY: Final = 23
_ENTRY: Final = struct.Struct("<IiI")
"""LUID_AND_ATTRIBUTES: the identifier's two halves, and what is to become of it."""
_COUNT: Final = struct.Struct("<I")


def give_up(system: Any = None) -> tuple[str, ...]:
    """Does all of it; returns what could not be done.

    Args:
        system: the system's functions; None: the real ones.
    """
    windows = _System() if system is None else system
    windows.SetErrorMode(_SILENT)
    token = windows.open_own_token(_TOKEN_QUERY | _TOKEN_ADJUST_PRIVILEGES)
    if token is None:
        return (f"the privileges cannot be given up: error {windows.last_error()}",)
    try:
        held = windows.token_information(token, _TOKEN_PRIVILEGES)
        if held is None:
            return (f"the privileges cannot be listed: error {windows.last_error()}",)
        if not windows.adjust(token, without_privileges(held)):
            return (f"the privileges cannot be given up: error {windows.last_error()}",)
        return ()
    finally:
        windows.CloseHandle(token)


def without_privileges(held: bytes) -> bytes:
    """A TOKEN_PRIVILEGES that removes what another one holds, but for what every user has."""
    (count,) = _COUNT.unpack_from(held)
    entries = [_ENTRY.unpack_from(held, _COUNT.size + number * _ENTRY.size) for number in range(count)]
    removed = [(low, high, _REMOVED) for low, high, _ in entries if (low, high) != (_CHANGE_NOTIFY, 0)]
    return _COUNT.pack(len(removed)) + b"".join(_ENTRY.pack(*entry) for entry in removed)


class _System:
    """The functions of kernel32 and advapi32 that are used here."""

    def __init__(self) -> None:
        import ctypes

        self._ctypes = ctypes
        kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]  # on Windows
        self._advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]  # on Windows
        self.SetErrorMode = kernel32.SetErrorMode
        self.CloseHandle = kernel32.CloseHandle
        self.CloseHandle.argtypes = [ctypes.c_void_p]
        self._own_process = kernel32.GetCurrentProcess
        self._own_process.restype = ctypes.c_void_p
        self._open = self._advapi32.OpenProcessToken
        self._open.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p]
        self._information = self._advapi32.GetTokenInformation
        self._information.argtypes = [
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_uint32,
            ctypes.c_void_p,
        ]
        self._adjust = self._advapi32.AdjustTokenPrivileges
        self._adjust.argtypes = [
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_uint32,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]

    def last_error(self) -> int:
        """Of the call before."""
        return int(self._ctypes.get_last_error())  # type: ignore[attr-defined,unused-ignore]  # on Windows

    def open_own_token(self, access: int) -> int | None:
        """This process's token; None: refused."""
        token = self._ctypes.c_void_p()
        opened = self._open(self._own_process(), access, self._ctypes.byref(token))
        return token.value if opened else None

    def token_information(self, token: int, kind: int) -> bytes | None:
        """What the token says; None: refused."""
        room = self._ctypes.create_string_buffer(4096)
        size = self._ctypes.c_uint32()
        given = self._information(token, kind, room, len(room), self._ctypes.byref(size))
        return room.raw[: size.value] if given else None

    def adjust(self, token: int, privileges: bytes) -> bool:
        """Changes the token as a TOKEN_PRIVILEGES says."""
        room = self._ctypes.create_string_buffer(privileges, len(privileges))
        return bool(self._adjust(token, 0, room, 0, None, None))
