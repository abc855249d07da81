"""libobs by ctypes: one table, name -> (argument types, result type).

Only ``ctypes.CDLL`` is used, because it lets go of Python's lock (GIL) during the call. ``obspython`` keeps
it, and a thread that waits for one of libobs's locks with the GIL in hand freezes OBS as soon as the lock's
holder wants Python. Handles (sources, data, properties) are plain addresses: ``int``, or ``None`` for NULL.

Signatures are those of libobs 28 to 32 (obs.h, obs-data.h, obs-properties.h, util/base.h).
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import (
    c_bool,
    c_char_p,
    c_double,
    c_int,
    c_int32,
    c_int64,
    c_longlong,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from typing import Any, Callable, Iterator

from doppel_ipc import gate_sync_abi

from doppel_obs.errors import LibobsError

Handle = int
"""Address of an object of libobs."""

SIGNAL_CALLBACK = ctypes.CFUNCTYPE(None, c_void_p, c_void_p)
ENUM_CALLBACK = ctypes.CFUNCTYPE(None, c_void_p, c_void_p, c_void_p)
"""obs_source_enum_proc_t(parent, child, data)."""
CLICKED_CALLBACK = ctypes.CFUNCTYPE(c_bool, c_void_p, c_void_p, c_void_p)
"""obs_property_clicked_t(properties, property, data)."""
MODIFIED_CALLBACK = ctypes.CFUNCTYPE(c_bool, c_void_p, c_void_p, c_void_p, c_void_p)
"""obs_property_modified2_t(data, properties, property, settings)."""

OUTPUT_AUDIO = 1 << 1
"""OBS_SOURCE_AUDIO in a source's output flags."""
TEXT_DEFAULT, TEXT_INFO = 0, 3
COMBO_EDITABLE, COMBO_LIST, COMBO_FORMAT_STRING, PATH_FILE = 1, 2, 3, 0
GROUP_NORMAL, EDITABLE_FILES = 1, 1
LOG_ERROR, LOG_WARNING, LOG_INFO = 100, 200, 300
SOURCE_INFO_BYTES = 400
"""Size of struct obs_source_info that every OBS from 28 to 32 accepts."""

_P, _S = c_void_p, c_char_p
_TABLE: dict[str, tuple[tuple[Any, ...], Any]] = {
    # What the gate calls; Python only takes the addresses.
    "obs_filter_get_parent": ((_P,), _P),
    "obs_filter_get_target": ((_P,), _P),
    "obs_source_video_render": ((_P,), None),
    "obs_source_default_render": ((_P,), None),
    "obs_source_release_frame": ((_P, _P), None),
    "obs_source_set_video_frame": ((_P, _P), None),
    "obs_source_get_output_flags": ((_P,), c_uint32),
    "obs_source_get_deinterlace_mode": ((_P,), c_int32),
    "obs_source_get_signal_handler": ((_P,), _P),
    "signal_handler_connect": ((_P, _S, SIGNAL_CALLBACK, _P), None),
    "signal_handler_disconnect": ((_P, _S, SIGNAL_CALLBACK, _P), None),
    "obs_source_get_weak_source": ((_P,), _P),
    "obs_weak_source_get_source": ((_P,), _P),
    "obs_weak_source_release": ((_P,), None),
    "obs_data_set_default_string": ((_P, _S, _S), None),
    "obs_data_set_default_int": ((_P, _S, c_longlong), None),
    "obs_data_set_default_double": ((_P, _S, c_double), None),
    "obs_data_set_default_bool": ((_P, _S, c_bool), None),
    "obs_get_video_frame_time": ((), c_uint64),
    "obs_source_enabled": ((_P,), c_bool),
    "obs_source_enum_filters": ((_P, ENUM_CALLBACK, _P), None),
    "obs_source_media_get_state": ((_P,), c_int32),
    # What the gate calls for hotkeys and for remote controls
    "obs_hotkey_register_source": ((_P, _S, _S, _P, _P), c_size_t),
    "obs_hotkey_unregister": ((c_size_t,), None),
    "obs_hotkey_save": ((c_size_t,), _P),
    "obs_hotkey_load": ((c_size_t, _P), None),
    "obs_data_array_release": ((_P,), None),
    "obs_source_get_ref": ((_P,), _P),
    "obs_data_set_int": ((_P, _S, c_longlong), None),
    # Procedures of other modules
    "obs_get_proc_handler": ((), _P),
    "proc_handler_call": ((_P, _S, _P), c_bool),
    "calldata_set_data": ((_P, _S, _P, c_size_t), None),
    "calldata_get_data": ((_P, _S, _P, c_size_t), c_bool),
    "bfree": ((_P,), None),
    # Registration
    "obs_get_version": ((), c_uint32),
    "obs_register_source_s": ((_P, c_size_t), None),
    "obs_source_get_display_name": ((_S,), _S),
    # Sources
    "obs_source_release": ((_P,), None),
    "obs_source_get_name": ((_P,), _S),
    "obs_source_get_settings": ((_P,), _P),
    "obs_source_get_private_settings": ((_P,), _P),
    "obs_source_update": ((_P, _P), None),
    "obs_source_update_properties": ((_P,), None),
    "obs_source_get_sync_offset": ((_P,), c_int64),
    "obs_source_set_sync_offset": ((_P, c_int64), None),
    "obs_get_source_by_name": ((_S,), _P),
    "obs_get_output_source": ((c_uint32,), _P),
    # Settings
    "obs_data_create": ((), _P),
    "obs_data_create_from_json": ((_S,), _P),
    "obs_data_release": ((_P,), None),
    "obs_data_apply": ((_P, _P), None),
    "obs_data_get_json": ((_P,), _S),
    "obs_data_erase": ((_P, _S), None),
    "obs_data_set_string": ((_P, _S, _S), None),
    "obs_data_get_string": ((_P, _S), _S),
    "obs_data_get_bool": ((_P, _S), c_bool),
    "obs_data_set_bool": ((_P, _S, c_bool), None),
    "obs_get_locale": ((), _S),
    # Property page
    "obs_property_name": ((_P,), _S),
    "obs_property_set_description": ((_P, _S), None),
    "obs_property_int_set_suffix": ((_P, _S), None),
    "obs_property_float_set_suffix": ((_P, _S), None),
    "obs_properties_add_editable_list": ((_P, _S, _S, c_int, _S, _S), _P),
    "obs_properties_create": ((), _P),
    "obs_properties_get": ((_P, _S), _P),
    "obs_properties_add_text": ((_P, _S, _S, c_int), _P),
    "obs_properties_add_bool": ((_P, _S, _S), _P),
    "obs_properties_add_int_slider": ((_P, _S, _S, c_int, c_int, c_int), _P),
    "obs_properties_add_float_slider": ((_P, _S, _S, c_double, c_double, c_double), _P),
    "obs_properties_add_path": ((_P, _S, _S, c_int, _S, _S), _P),
    "obs_properties_add_list": ((_P, _S, _S, c_int, c_int), _P),
    "obs_properties_add_button2": ((_P, _S, _S, CLICKED_CALLBACK, _P), _P),
    "obs_properties_add_group": ((_P, _S, _S, c_int, _P), _P),
    "obs_property_list_add_string": ((_P, _S, _S), c_size_t),
    "obs_property_set_visible": ((_P, c_bool), None),
    "obs_property_set_long_description": ((_P, _S), None),
    "obs_property_set_modified_callback2": ((_P, MODIFIED_CALLBACK, _P), None),
    # Health and log
    "obs_get_total_frames": ((), c_uint32),
    "obs_get_lagged_frames": ((), c_uint32),
    "blog": ((c_int, _S), None),
}

# What the gate's sync filter calls; Python only takes the addresses.
_GRAPHICS: dict[str, tuple[tuple[Any, ...], Any]] = dict.fromkeys(gate_sync_abi.FUNCTIONS, ((), None))

_AUDIO_CHANNELS = range(1, 7)
"""Output channels that OBS gives to desktop audio (1, 2) and microphones (3 to 6)."""


class Libobs:
    """The functions of libobs that Doppel uses, typed.

    Args:
        library: the loaded library, from :func:`find_libobs`.

    Raises:
        LibobsError: a function is missing.
    """

    def __init__(self, library: ctypes.CDLL) -> None:
        self._functions: dict[str, Any] = {}
        for name, (argtypes, restype) in {**_TABLE, **_GRAPHICS}.items():
            try:
                function = library[name]  # a new object on each access, so nobody else's types are changed
            except AttributeError as error:
                if name in _GRAPHICS:
                    continue  # then only the filter for other sources cannot be registered
                raise LibobsError(
                    f"this OBS has no function {name}: Doppel needs OBS Studio 28 or later"
                ) from error
            function.argtypes = argtypes
            function.restype = restype
            self._functions[name] = function
        self._keeping_gil = {
            name: ctypes.PYFUNCTYPE(c_void_p, c_void_p)(self.address(name))
            for name in ("obs_filter_get_parent", "obs_source_get_weak_source")
        }

    def __getattr__(self, name: str) -> Any:
        try:
            return self._functions[name]
        except KeyError:
            raise AttributeError(name) from None

    def weak_parent(self, filter_source: Handle) -> Handle | None:
        """A weak reference to the source that a filter is on; None while it is on none.

        libobs gives the parent without a reference. The two calls keep the GIL (neither waits for anything),
        so that nothing can come between them that takes as long as the end of a source does.
        """
        parent = self._keeping_gil["obs_filter_get_parent"](filter_source)
        if parent is None:
            return None
        weak: Handle | None = self._keeping_gil["obs_source_get_weak_source"](parent)
        return weak

    def address(self, name: str) -> int:
        """Address of a function, for the gate's table.

        Raises:
            LibobsError: the function is not in the table.
        """
        if name not in self._functions:
            raise LibobsError(f"{name} is not in the table of libobs functions")
        return ctypes.cast(self._functions[name], c_void_p).value or 0

    def fill(self, table: ctypes.Structure) -> None:
        """Writes the addresses of functions into a table of the gate's, field by field, by their names.

        Raises:
            LibobsError: a field names no function of ours.
        """
        for field in table._fields_:
            if field[1] is c_void_p:
                setattr(table, field[0], self.address(field[0]))

    def version(self) -> tuple[int, int, int]:
        """OBS's version: major, minor, patch."""
        number = int(self.obs_get_version())
        return number >> 24, number >> 16 & 0xFF, number & 0xFFFF

    def log(self, level: int, text: str) -> None:
        """Writes lines to OBS's log.

        The text is OBS's format string itself, so that no variadic argument is passed.
        """
        for line in text.splitlines():
            self.blog(level, f"[doppel] {line}".replace("%", "%%").encode("utf-8", "replace"))

    def name_of(self, source: Handle) -> str:
        """A source's name."""
        return text_of(self.obs_source_get_name(source))

    def audio_device_names(self) -> list[str]:
        """Names of OBS's global audio devices (desktop audio and microphones of the settings).

        ``obs_enum_sources`` would list every source, but calls back under libobs's list lock: with Python
        there, another script's ``obspython`` call could freeze OBS.
        """
        names = []
        for channel in _AUDIO_CHANNELS:
            source = self.obs_get_output_source(channel)
            if source is not None:
                names.append(self.name_of(source))
                self.obs_source_release(source)
        return names


def text_of(raw: bytes | None) -> str:
    """A C string as text; NULL is empty."""
    return (raw or b"").decode("utf-8", "replace")


def find_libobs(platform: str = sys.platform) -> ctypes.CDLL:
    """The libobs that runs in this process.

    Raises:
        LibobsError: it is not found: the script does not run inside OBS.
    """
    tried = []
    for name, load in _candidates(platform):
        try:
            library = load()
            library["obs_get_version"]
        except (OSError, AttributeError) as error:
            tried.append(f"{name}: {error}")
            continue
        return library
    raise LibobsError("libobs is not found in this process (" + "; ".join(tried) + ")")


def _candidates(platform: str) -> Iterator[tuple[str, Callable[[], ctypes.CDLL]]]:
    if platform == "win32":
        yield "obs.dll", _windows_libobs
        return
    # OBS has loaded libobs already, so the process itself knows its functions; the names are for builds that
    # load it privately.
    yield "this process", lambda: ctypes.CDLL(None)
    if platform == "darwin":
        path = "@executable_path/../Frameworks/libobs.framework/Versions/A/libobs"
        yield path, lambda: ctypes.CDLL(path)
    else:
        yield "libobs.so.30", lambda: ctypes.CDLL("libobs.so.30")
        yield "libobs.so.0", lambda: ctypes.CDLL("libobs.so.0")


def _windows_libobs() -> ctypes.CDLL:
    """The module that OBS has loaded, not a second copy found on PATH."""
    kernel32 = ctypes.CDLL("kernel32")
    kernel32.GetModuleHandleW.argtypes = (ctypes.c_wchar_p,)
    kernel32.GetModuleHandleW.restype = c_void_p
    handle = kernel32.GetModuleHandleW("obs.dll")
    if not handle:
        raise OSError("no module of this name is loaded")
    return ctypes.CDLL("obs.dll", handle=handle)
