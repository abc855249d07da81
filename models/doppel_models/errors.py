"""The errors of ``doppel_models``.

::

ModelsError
├── WeightsError      a network's file is missing, damaged or not the one that was shipped
├── SessionError      ONNX Runtime cannot build or run a network
├── PictureError      a picture has the wrong shape or type
└── PersonaError      a persona cannot be made or used: the message says why and what to do
"""

from __future__ import annotations


class ModelsError(Exception):
    """Base of every error that this package raises."""


class WeightsError(ModelsError):
    """A network's file is missing, damaged or not the one that was shipped."""


class SessionError(ModelsError):
    """ONNX Runtime cannot build or run a network."""


class PictureError(ModelsError, ValueError):
    """A picture has the wrong shape or type."""


class PersonaError(ModelsError):
    """A persona cannot be made or used; the message says why and what to do."""
