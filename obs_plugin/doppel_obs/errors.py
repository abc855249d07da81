"""The errors of ``doppel_obs``.

Hierarchy::

    PluginError
    ├── LanguageError      a table of texts cannot be read
    ├── LibobsError        libobs is not found, or lacks a function that Doppel needs
    ├── LookError          a saved look cannot be read or written
    └── RegistrationError  the gate or OBS refused the filter
"""

from __future__ import annotations


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
