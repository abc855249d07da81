"""Registers the second filter type, for sources that are no asynchronous video: ``native/gate_sync.h``."""

from __future__ import annotations

import ctypes

from doppel_ipc import gate_sync_abi

from doppel_obs.errors import RegistrationError
from doppel_obs.libobs import SOURCE_INFO_BYTES, Libobs

SYNC_FILTER_ID = "doppel_face_swap_sync"


def register_sync(libobs: Libobs, gate: ctypes.CDLL, name: str) -> None:
    """Registers it, after the first type; once per process.

    Args:
        libobs: libobs's functions.
        gate: the native library with the functions of ``gate_sync_abi`` declared.
        name: what OBS calls the filter.

    Raises:
        RegistrationError: the gate or OBS refuses.
    """
    graphics = gate_sync_abi.Graphics(size=ctypes.sizeof(gate_sync_abi.Graphics))
    libobs.fill(graphics)
    already = ctypes.c_int32(0)
    info = gate.doppel_gate_install_sync(
        ctypes.byref(graphics), SYNC_FILTER_ID.encode(), name.encode(), ctypes.byref(already)
    )
    if not info:
        raise RegistrationError("the native library refused the table of libobs's graphics functions")
    if not already.value:
        libobs.obs_register_source_s(info, SOURCE_INFO_BYTES)
    if not libobs.obs_source_get_display_name(SYNC_FILTER_ID.encode()):
        raise RegistrationError(f"OBS refused the filter type {SYNC_FILTER_ID}; OBS's log says why")
