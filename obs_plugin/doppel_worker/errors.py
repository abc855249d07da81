"""The errors of ``doppel_worker``.

::

WorkerError
├── FrameError        a frame whose description cannot be worked with
├── PersonaError      a persona cannot be used (missing, no consent, broken)
├── SlateError        the picture that is to cover the frame cannot be used
├── DeviceError       a GPU cannot be used, or failed
│   └── DeviceLostError   it failed for good: whatever is asked of it fails from now on
└── MediaError        a video file cannot be read or written
"""

from __future__ import annotations


class WorkerError(Exception):
    """Base of every error that this package raises."""


class FrameError(WorkerError):
    """A frame's pixel format, geometry or colour description cannot be worked with."""


class PersonaError(WorkerError):
    """A persona cannot be used: it is missing, has no consent record, or is broken."""


class SlateError(WorkerError):
    """The picture that the user chose as cover cannot be used."""


class DeviceError(WorkerError):
    """A GPU cannot be used, or failed; the message says why and what to do."""


class DeviceLostError(DeviceError):
    """A GPU failed for good: whatever this process asks of it fails from now on."""


class MediaError(WorkerError):
    """A video file cannot be read or written."""
