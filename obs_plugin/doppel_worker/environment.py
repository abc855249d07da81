"""What the environment says. Imports nothing that takes time: the worker asks before it loads anything."""

from __future__ import annotations

import os
from typing import Final

DEVICE_VARIABLE: Final = "DOPPEL_DEVICE"
"""The device that the setting ``auto`` means, for example ``cuda:1``."""

GRAPHS_VARIABLE: Final = "DOPPEL_CUDA_GRAPHS"
"""``1``: model files' networks are recorded on NVIDIA GPUs and played back (docs/gpu.md)."""


def device_of_auto() -> str:
    """What the setting ``auto`` means in this process."""
    return os.environ.get(DEVICE_VARIABLE, "auto")


def records_networks() -> bool:
    """Whether networks shall be recorded where they can be."""
    return os.environ.get(GRAPHS_VARIABLE, "") == "1"
