"""What OBS and the worker share: settings, pixel formats, shared memory, control messages.

Standard library only, Python 3.8 syntax: this runs inside OBS too. README.md beside this file is the wire
specification.
"""

from __future__ import annotations

from doppel_ipc.errors import (
    ChannelClosed,
    FormatError,
    IpcError,
    NativeError,
    ProtocolError,
    ProtocolFault,
    SegmentError,
    SettingError,
)
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict

__all__ = [
    "ChannelClosed",
    "FilterSettings",
    "FormatError",
    "FrameLayout",
    "IpcError",
    "NativeError",
    "PixelFormat",
    "ProtocolError",
    "ProtocolFault",
    "SegmentError",
    "SettingError",
    "Verdict",
]
