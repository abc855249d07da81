"""The errors of ``doppel_ipc``.

Hierarchy::

    IpcError
    ├── SettingError      a setting's key or value is not valid
    ├── ConfigError       the installer's configuration is missing or cannot be trusted
    ├── FormatError       a pixel format or geometry that cannot be carried
    ├── SegmentError      shared memory cannot be made, mapped or trusted
    ├── NativeError       the native library is missing, too old or refuses
    ├── ProtocolError     bytes or messages of the peer break the protocol
    └── ChannelClosed     the peer is gone
"""

from __future__ import annotations


class IpcError(Exception):
    """Base of every error that this package raises."""


class SettingError(IpcError, ValueError):
    """A setting's key is unknown or its value has the wrong type or range."""


class ConfigError(IpcError):
    """The installer's configuration file is missing, unreadable or of another version."""


class FormatError(IpcError, ValueError):
    """A pixel format or a frame geometry that Doppel cannot carry."""


class SegmentError(IpcError):
    """A shared-memory segment cannot be made, mapped or trusted."""


class NativeError(IpcError):
    """The native library is missing, of another version, or refused a call."""


class ProtocolError(IpcError):
    """The peer sent bytes or messages that break the protocol."""


class ChannelClosed(IpcError):  # noqa: N818 - an event of the channel, not a mistake
    """The peer closed its end of the channel."""
