"""The errors of ``doppel_obs``.

Hierarchy::

    PluginError
    ├── LanguageError      a table of texts cannot be read
    ├── LibobsError        libobs is not found, or lacks a function that Doppel needs
    ├── LookError          a saved look cannot be read or written
    ├── RegistrationError  the gate or OBS refused the filter
    └── WorkerStartError   no worker can be started, or listened to
"""

from __future__ import annotations

from doppel_obs.phrases import Phrase


class PluginError(Exception):
    """Base of every error that this package raises."""


class LanguageError(PluginError):
    """A table of texts cannot be read."""


class LibobsError(PluginError):
    """libobs is not found in this process, or lacks a function that Doppel needs."""


class LookError(PluginError):
    """A saved look cannot be read or written; the text says why."""


class RegistrationError(PluginError):
    """The gate or OBS refused the filter."""


class WorkerStartError(PluginError):
    """No worker can be started, or nobody can listen to it.

    Args:
        what: a whole sentence for the user.
        why: what the system says, in English.
    """

    def __init__(self, what: Phrase, why: str) -> None:
        super().__init__(why)
        self.what = what
