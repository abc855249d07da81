"""Closes a window as a user does, by the X server's own message (WM_DELETE_WINDOW), or moves it.

SIGINT will not do for counting exits: OBS 29 closes its window inside the signal handler, and where Qt is
just handing out events the program ends in signal 11 (seen once in 36 exits, the stack all Qt's).
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_uint, c_ulong, c_void_p

_CLIENT_MESSAGE = 33


class _ClientMessage(ctypes.Structure):
    _fields_ = [
        ("type", c_int),
        ("serial", c_ulong),
        ("send_event", c_int),
        ("display", c_void_p),
        ("window", c_ulong),
        ("message_type", c_ulong),
        ("format", c_int),
        ("data", c_long * 5),
    ]


class _Event(ctypes.Union):
    _fields_ = [("client", _ClientMessage), ("room", c_long * 24)]


def close_window(display: str, pid: int, title: str) -> bool:
    """Asks the process's top-level window whose title begins so to close; False if there is none."""
    with _found(display, pid, title) as (x11, connection, window):
        if window is None:
            return False
        event = _Event()
        event.client.type = _CLIENT_MESSAGE
        event.client.window = window
        event.client.message_type = x11.XInternAtom(connection, b"WM_PROTOCOLS", 0)
        event.client.format = 32
        event.client.data[0] = x11.XInternAtom(connection, b"WM_DELETE_WINDOW", 0)
        x11.XSendEvent(connection, window, 0, 0, byref(event))
        return True


def place_window(display: str, pid: int, title: str, place: tuple[int, int, int, int]) -> bool:
    """Moves and resizes such a window to x, y, width, height; False if there is none."""
    with _found(display, pid, title) as (x11, connection, window):
        if window is None:
            return False
        x11.XMoveResizeWindow(connection, window, *place)
        return True


@contextlib.contextmanager
def _found(display: str, pid: int, title: str) -> Iterator[tuple[ctypes.CDLL, int, int | None]]:
    """Xlib, a connection, and the process's top-level window whose title begins so."""
    x11 = _library()
    connection = x11.XOpenDisplay(display.encode())
    if not connection:
        raise OSError(f"no X display {display}")
    try:
        windows = _windows(x11, connection, x11.XDefaultRootWindow(connection))
        yield (
            x11,
            connection,
            next(
                (
                    w
                    for w in windows
                    if _pid(x11, connection, w) == pid and _name(x11, connection, w).startswith(title)
                ),
                None,
            ),
        )
    finally:
        x11.XCloseDisplay(connection)


def _windows(x11: ctypes.CDLL, connection: int, parent: int) -> Iterator[int]:
    root, above, children, count = c_ulong(), c_ulong(), POINTER(c_ulong)(), c_uint()
    with contextlib.ExitStack() as stack:
        if not x11.XQueryTree(connection, parent, byref(root), byref(above), byref(children), byref(count)):
            return
        if children:
            stack.callback(x11.XFree, children)
        yield from children[: count.value]


def _name(x11: ctypes.CDLL, connection: int, window: int) -> str:
    name = c_char_p()
    if not x11.XFetchName(connection, window, byref(name)) or name.value is None:
        return ""
    text = name.value.decode("utf-8", "replace")
    x11.XFree(name)
    return text


def _pid(x11: ctypes.CDLL, connection: int, window: int) -> int:
    """The window's _NET_WM_PID; 0 without one."""
    kind, form, count, left, value = c_ulong(), c_int(), c_ulong(), c_ulong(), POINTER(c_ulong)()
    atom = x11.XInternAtom(connection, b"_NET_WM_PID", 0)
    outputs = (byref(kind), byref(form), byref(count), byref(left), byref(value))
    x11.XGetWindowProperty(connection, window, atom, 0, 1, 0, 0, *outputs)
    if not value:
        return 0
    pid = value[0] if count.value else 0
    x11.XFree(value)
    return pid


def _library() -> ctypes.CDLL:
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = c_void_p
    x11.XOpenDisplay.argtypes = (c_char_p,)
    x11.XDefaultRootWindow.restype = c_ulong
    x11.XDefaultRootWindow.argtypes = (c_void_p,)
    x11.XInternAtom.restype = c_ulong
    x11.XInternAtom.argtypes = (c_void_p, c_char_p, c_int)
    x11.XQueryTree.argtypes = (
        c_void_p,
        c_ulong,
        POINTER(c_ulong),
        POINTER(c_ulong),
        POINTER(POINTER(c_ulong)),
        POINTER(c_uint),
    )
    x11.XGetWindowProperty.argtypes = (
        c_void_p,
        c_ulong,
        c_ulong,
        c_long,
        c_long,
        c_int,
        c_ulong,
        c_void_p,
        c_void_p,
        c_void_p,
        c_void_p,
        c_void_p,
    )
    x11.XFetchName.argtypes = (c_void_p, c_ulong, POINTER(c_char_p))
    x11.XSendEvent.argtypes = (c_void_p, c_ulong, c_int, c_long, c_void_p)
    x11.XMoveResizeWindow.argtypes = (c_void_p, c_ulong, c_int, c_int, c_uint, c_uint)
    x11.XFree.argtypes = (c_void_p,)
    x11.XCloseDisplay.argtypes = (c_void_p,)
    return x11
