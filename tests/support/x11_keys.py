"""Keys of an X server held down, by its XTEST extension: what no websocket request can do."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
from collections.abc import Iterator

import pytest


@contextlib.contextmanager
def hold_key(display: str, name: str) -> Iterator[None]:
    """The key ``name`` (X's name for it, such as ``F9``) is down while the block runs."""
    paths = [ctypes.util.find_library(library) for library in ("X11", "Xtst")]
    if None in paths:
        pytest.skip("needs libX11 and libXtst (apt-get install libxtst6)")
    x11, xtst = (ctypes.CDLL(path) for path in paths)
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XStringToKeysym.restype = ctypes.c_ulong
    x11.XKeysymToKeycode.argtypes = (ctypes.c_void_p, ctypes.c_ulong)
    x11.XKeysymToKeycode.restype = ctypes.c_ubyte
    x11.XFlush.argtypes = x11.XCloseDisplay.argtypes = (ctypes.c_void_p,)
    xtst.XTestFakeKeyEvent.argtypes = (ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_ulong)
    connection = x11.XOpenDisplay(display.encode())
    assert connection, f"no X server {display}"
    code = x11.XKeysymToKeycode(connection, x11.XStringToKeysym(name.encode()))
    try:
        assert code, f"the X server has no key {name}"
        xtst.XTestFakeKeyEvent(connection, code, 1, 0)
        x11.XFlush(connection)
        yield
    finally:
        xtst.XTestFakeKeyEvent(connection, code, 0, 0)
        x11.XFlush(connection)
        x11.XCloseDisplay(connection)
