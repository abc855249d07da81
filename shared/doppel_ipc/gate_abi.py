"""The gate's structures and functions: ``native/gate.h`` for ctypes. Used inside OBS only.

A test compares every size and offset with the C compiler's. Load the library with
``native.load(path, GATE_FUNCTIONS)``; the functions answer as gate.h says (-1: the filter is gone), because
a filter that goes away between two calls is no error.
"""

from __future__ import annotations

import ctypes
import enum

from doppel_ipc.native import Entry, Geometry

GONE = -1
"""Any function: no filter has that id any more."""
ATTACH_CANNOT_MAP = -2
ATTACH_MISMATCH = -3
"""The source changed again: look at the status and try anew."""

SAMPLES_KEPT = 256
"""Samples that the gate keeps for :c:func:`doppel_gate_drain`."""


class LatePolicy(enum.IntEnum):
    """``enum doppel_late_policy``; the names are ``FilterSettings.late_policy``'s in capitals."""

    HOLD = 0
    COVER = 1
    ORIGINAL = 2


class LaneState(enum.IntEnum):
    """``enum doppel_lane_state``."""

    NONE = 0
    """Wants a segment for the status's geometry, once its width is not 0."""
    ACTIVE = 1
    """Frames go to the worker."""
    STALE = 2
    """The geometry changed: wants a new segment."""


class Outcome(enum.IntEnum):
    """``enum doppel_outcome``: how one ``filter_video`` call ended."""

    SWAPPED = 1
    BLURRED = 2
    NO_FACE = 3
    ORIGINAL = 4
    HELD = 5
    COVERED = 6
    DROPPED = 7


class DefaultKind(enum.IntEnum):
    """``enum doppel_default_kind``."""

    BOOL = 0
    INT = 1
    DOUBLE = 2
    STRING = 3


class LibObs(ctypes.Structure):
    """``struct doppel_libobs``: addresses of libobs's functions, in gate.h's order."""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
        ("obs_filter_get_parent", ctypes.c_void_p),
        ("obs_source_release_frame", ctypes.c_void_p),
        ("obs_source_set_video_frame", ctypes.c_void_p),
        ("obs_source_get_output_flags", ctypes.c_void_p),
        ("obs_source_get_deinterlace_mode", ctypes.c_void_p),
        ("obs_source_get_signal_handler", ctypes.c_void_p),
        ("signal_handler_connect", ctypes.c_void_p),
        ("signal_handler_disconnect", ctypes.c_void_p),
        ("obs_source_get_weak_source", ctypes.c_void_p),
        ("obs_weak_source_get_source", ctypes.c_void_p),
        ("obs_weak_source_release", ctypes.c_void_p),
        ("obs_data_set_default_string", ctypes.c_void_p),
        ("obs_data_set_default_int", ctypes.c_void_p),
        ("obs_data_set_default_double", ctypes.c_void_p),
        ("obs_data_set_default_bool", ctypes.c_void_p),
        ("obs_properties_create", ctypes.c_void_p),
        ("obs_properties_add_text", ctypes.c_void_p),
        ("obs_get_video_frame_time", ctypes.c_void_p),
        ("obs_source_enabled", ctypes.c_void_p),
        ("obs_source_enum_filters", ctypes.c_void_p),
        ("obs_source_media_get_state", ctypes.c_void_p),
        ("obs_filter_get_target", ctypes.c_void_p),
        ("obs_source_video_render", ctypes.c_void_p),
        ("obs_source_default_render", ctypes.c_void_p),
    ]


class Default(ctypes.Structure):
    """``struct doppel_default``."""

    _fields_ = [
        ("key", ctypes.c_char_p),
        ("kind", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
        ("number", ctypes.c_double),
        ("text", ctypes.c_char_p),
    ]


class Policy(ctypes.Structure):
    """``struct doppel_policy``."""

    _fields_ = [
        ("paused", ctypes.c_uint32),
        ("panic", ctypes.c_uint32),
        ("late_policy", ctypes.c_uint32),
        ("use_slate", ctypes.c_uint32),
        ("hold_ns", ctypes.c_uint64),
        ("delay_frames", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
    ]


class Status(ctypes.Structure):
    """``struct doppel_gate_status``."""

    _fields_ = [
        ("lane_state", ctypes.c_uint32),
        ("unsupported_format", ctypes.c_uint32),
        ("lane_serial", ctypes.c_uint64),
        ("geometry_serial", ctypes.c_uint64),
        ("geometry", Geometry),
        ("settings_serial", ctypes.c_uint64),
        ("oldest_busy_ns", ctypes.c_uint64),
        ("frame_interval_ns", ctypes.c_uint64),
        ("last_frame_ns", ctypes.c_uint64),
        ("first_frame_ns", ctypes.c_uint64),
        ("first_swapped_ns", ctypes.c_uint64),
        ("delay_frames", ctypes.c_uint32),
        ("showing", ctypes.c_uint32),
        ("frames_in", ctypes.c_uint64),
        ("swapped", ctypes.c_uint64),
        ("blurred", ctypes.c_uint64),
        ("no_face", ctypes.c_uint64),
        ("original", ctypes.c_uint64),
        ("held", ctypes.c_uint64),
        ("covered", ctypes.c_uint64),
        ("dropped", ctypes.c_uint64),
        ("submitted", ctypes.c_uint64),
        ("given_back", ctypes.c_uint64),
        ("renders_blocked", ctypes.c_uint64),
        ("reuploads", ctypes.c_uint64),
        ("flushes", ctypes.c_uint64),
        ("judged_again", ctypes.c_uint64),
        ("rgb_answers", ctypes.c_uint64),
        ("filters_after", ctypes.c_uint64),
        ("readback_frames", ctypes.c_uint32),
        ("passes_on", ctypes.c_uint32),
    ]


OUTCOMES = ("swapped", "held", "covered", "blurred", "no_face", "original", "dropped")
"""What can become of a frame; each ends as exactly one."""


def frame_counts(status: Status) -> dict[str, int]:
    """How many frames came ("in") and how they ended (:data:`OUTCOMES`)."""
    return {"in": status.frames_in, **{name: getattr(status, name) for name in OUTCOMES}}


class Sample(ctypes.Structure):
    """``struct doppel_sample``."""

    _fields_ = [
        ("frame_id", ctypes.c_uint64),
        ("shown_id", ctypes.c_uint64),
        ("outcome", ctypes.c_uint32),
        ("total_ns", ctypes.c_uint32),
        ("copy_ns", ctypes.c_uint32),
        ("delay_ns", ctypes.c_uint32),
        ("turnaround_ns", ctypes.c_uint32),
        ("wait_ns", ctypes.c_uint32),
    ]


PropertiesCallback = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint64)
"""``callback(filter id) -> obs_properties_t *``."""

_P, _I32, _U32, _U64 = ctypes.c_void_p, ctypes.c_int32, ctypes.c_uint32, ctypes.c_uint64

GATE_FUNCTIONS: dict[str, Entry] = {
    "doppel_gate_attach": ((_U64, ctypes.c_int64, _U64, _U32, _U64, _U64), _I32, None),
    "doppel_gate_collect": ((_U64,), _I32, None),
    "doppel_gate_detach": ((_U64,), _I32, None),
    "doppel_gate_drain": ((_U64, ctypes.POINTER(Sample), _I32), _I32, None),
    "doppel_gate_get_source": ((_U64,), _P, None),
    "doppel_gate_get_status": ((_U64, ctypes.POINTER(Status)), _I32, None),
    "doppel_gate_install": (
        (
            ctypes.POINTER(LibObs),
            ctypes.c_char_p,
            ctypes.c_char_p,
            ctypes.c_char_p,
            ctypes.POINTER(Default),
            _U32,
            ctypes.POINTER(_I32),
        ),
        _P,
        None,
    ),
    "doppel_gate_list": ((ctypes.POINTER(_U64), _I32), _I32, None),
    # A plain pointer, so that None clears it.
    "doppel_gate_set_properties_callback": ((_P,), None, None),
    "doppel_gate_set_policy": ((_U64, ctypes.POINTER(Policy)), _I32, None),
}
