"""The errors of ``doppel_models``.

::

ModelsError
├── WeightsError      a network's file is missing, damaged or not the one that was shipped
├── SessionError      ONNX Runtime cannot build or run a network
├── PictureError      a picture has the wrong shape or type
├── EngineError       a model cannot be used as an engine: the message says why and what to do
├── PersonaError      a persona cannot be made or used: the message says why and what to do
└── ModelFileError    a user's model file is refused: the message says what was found and what to do
    ├── AmbiguousModelError   it can be one of several kinds; the user must say which
    ├── StoreError            the folder of models cannot be read or written, or lacks a model
    └── DownloadError         a model cannot be fetched
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


class EngineError(ModelsError):
    """A model cannot be used as an engine, or not with this persona; the message says why and what to do."""


class PersonaError(ModelsError):
    """A persona cannot be made or used; the message says why and what to do."""


class ModelFileError(ModelsError):
    """A user's model file is refused; the message says what was found and what to do."""


class AmbiguousModelError(ModelFileError):
    """A file's contents fit several kinds of model; the user must say which it is."""

    def __init__(self, message: str, choices: tuple[str, ...]) -> None:
        """Keep the choices, so that they can be asked for.

        Args:
            message: what was found.
            choices: the keys of what it can be (``ModelDescription.key``).
        """
        super().__init__(message)
        self.choices = choices


class StoreError(ModelFileError):
    """The folder of models cannot be read or written, or does not hold what was asked for."""


class DownloadError(ModelFileError):
    """A model cannot be fetched; the message says why, and whether what has come is kept."""
