"""The errors of ``doppel_obs``.

Hierarchy::

    PluginError
    ├── LibobsError        libobs is not found, or lacks a function that Doppel needs
    └── RegistrationError  the gate or OBS refused the filter
"""

from __future__ import annotations


class PluginError(Exception):
    """Base of every error that this package raises."""


class LibobsError(PluginError):
    """libobs is not found in this process, or lacks a function that Doppel needs."""


class RegistrationError(PluginError):
    """The gate or OBS refused the filter."""
