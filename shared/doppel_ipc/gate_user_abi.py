"""What the gate does for keys and remote controls: ``native/gate_hotkeys.h`` and ``gate_answer.h``.

As :mod:`doppel_ipc.gate_abi`: used inside OBS only, compared with the C compiler's structures by a test.
"""

from __future__ import annotations

import ctypes

from doppel_ipc.native import Entry

HOTKEYS = ("swap", "next", "previous", "original")
"""The fields of :class:`Wishes`, in the order of ``enum doppel_hotkey``."""


class HotkeyLibObs(ctypes.Structure):
    """``struct doppel_hotkey_libobs``: addresses of libobs's functions."""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
        ("obs_hotkey_register_source", ctypes.c_void_p),
        ("obs_hotkey_unregister", ctypes.c_void_p),
        ("obs_hotkey_save", ctypes.c_void_p),
        ("obs_hotkey_load", ctypes.c_void_p),
        ("obs_data_array_release", ctypes.c_void_p),
        ("obs_source_get_ref", ctypes.c_void_p),
        ("obs_source_release", ctypes.c_void_p),
        ("obs_source_get_name", ctypes.c_void_p),
    ]


class AnswerLibObs(ctypes.Structure):
    """``struct doppel_answer_libobs``: addresses of libobs's functions."""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
        ("obs_data_create_from_json", ctypes.c_void_p),
        ("obs_data_apply", ctypes.c_void_p),
        ("obs_data_set_int", ctypes.c_void_p),
        ("obs_data_release", ctypes.c_void_p),
    ]


class Wishes(ctypes.Structure):
    """``struct doppel_wishes``: what a filter's hotkeys were pressed for."""

    _fields_ = [
        ("swap", ctypes.c_uint32),
        ("next", ctypes.c_uint32),
        ("previous", ctypes.c_uint32),
        ("original", ctypes.c_uint32),
    ]


_P, _S, _I32, _U64 = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_uint64

USER_FUNCTIONS: dict[str, Entry] = {
    "doppel_gate_answer": ((_P, _P, _P), None, None),
    "doppel_gate_follow_hotkeys": ((_U64, ctypes.POINTER(Wishes)), _I32, None),
    "doppel_gate_install_answer": ((ctypes.POINTER(AnswerLibObs),), _I32, None),
    "doppel_gate_install_hotkeys": ((ctypes.POINTER(HotkeyLibObs), ctypes.POINTER(_S)), _I32, None),
    "doppel_gate_set_answer": ((_S,), _I32, None),
}
