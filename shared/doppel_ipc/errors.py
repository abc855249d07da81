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

import enum


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


class ProtocolFault(enum.Enum):
    """What is wrong with bytes or messages; each fault is found as exactly one of these."""

    OVERSIZED = "a message is longer than the limit"
    EMPTY = "a message has no bytes"
    TRUNCATED = "the stream ended inside a message"
    NOT_UTF8 = "a message is not UTF-8"
    NOT_JSON = "a message is not JSON"
    NOT_OBJECT = "a message is not a JSON object"
    UNKNOWN_TYPE = "a message has no type, or one that this side does not receive"
    VERSION = "the peer speaks another version"
    MISSING_FIELD = "a field is missing"
    UNKNOWN_FIELD = "a field is not known"
    BAD_FIELD = "a field's value has the wrong type or range"
    OUT_OF_ORDER = "a message came where it may not"


class ProtocolError(IpcError):
    """Bytes or messages break the protocol.

    Attributes:
        fault: which rule was broken.
    """

    def __init__(self, fault: ProtocolFault, detail: str) -> None:
        super().__init__(f"{fault.value}: {detail}")
        self.fault = fault


class ChannelClosed(IpcError):  # noqa: N818 - an event of the channel, not a mistake
    """The peer closed its end of the channel."""
