"""Which installation the ``doppel`` command belongs to."""

from __future__ import annotations

from pathlib import Path

from doppel_ipc.paths import InstallConfig, load_config

PROJECT = Path(__file__).resolve().parents[3]


def installation() -> InstallConfig:
    """What the installer has written down for this project, or for ``DOPPEL_CONFIG``.

    Raises:
        ConfigError: nothing is installed.
    """
    return load_config(PROJECT)
