"""Registers the filter's types with OBS, once per process, whatever happens to the script.

libobs keeps what it is given until the process ends: the description of the filter type, its callbacks, the
property page's buttons. All of the first kind is the gate's, in C, never unloaded. What Python hands out
(:class:`Holder`) lies in ``sys.modules``, because OBS reloads a script's module, or imports it from
Python's cache when the script is removed and added again or the scene collection changes.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import traceback
import types
from pathlib import Path
from typing import Any, Callable, Optional, cast

from doppel_ipc import gate_abi, gate_sync_abi, gate_user_abi, native
from doppel_ipc.settings import FIELDS, FilterSettings, Value

from doppel_obs.errors import LibobsError, RegistrationError
from doppel_obs.language import Language
from doppel_obs.libobs import LOG_ERROR, SOURCE_INFO_BYTES, Handle, Libobs, find_libobs
from doppel_obs.phrases import phrase
from doppel_obs.sync_type import register_sync

FILTER_ID = "doppel_face_swap"
_HOLDER = "_doppel_holder"

PropertiesFactory = Callable[[int], Optional[Handle]]
"""Filter id -> obs_properties_t, whose ownership goes to OBS."""


class Holder(types.ModuleType):
    """The process's one copy of what libobs and the gate may still call. Lives in ``sys.modules``.

    Args:
        libobs: libobs's functions.
        gate: the native library with the gate's functions declared.
        library_path: where ``gate`` was loaded from.
    """

    def __init__(self, libobs: Libobs, gate: ctypes.CDLL, library_path: Path) -> None:
        super().__init__(_HOLDER)
        self.libobs = libobs
        self.gate = gate
        self.library_path = library_path
        self.properties_factory: PropertiesFactory | None = None
        """The script that is loaded now; None between two."""
        self.page_callbacks: Any = None
        """The property page's thunks, once there was a page."""
        self.remote_status: bool | None = None
        """obs-websocket takes requests for the status; None: it has not been asked yet."""
        self.panic = False
        """Every filter covers because the hotkey was pressed; it outlives a reload of the script."""
        self.control_seat = threading.Lock()
        """Held by the one control thread that may call the gate, from its first call to its last."""
        self.kept: list[Any] = []
        """Thunks that libobs may call as long as the process lives."""
        self.properties_thunk = self.keep(gate_abi.PropertiesCallback(self._properties))

    def keep(self, thunk: Any) -> Any:
        """Keeps a ctypes callback alive for ever, even through Python's own end."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thunk))
        self.kept.append(thunk)
        return thunk

    def guarded(self, default: Any, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function`` with its exceptions written to OBS's log, and ``default`` returned instead.

        No exception may reach libobs.
        """

        def call(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except Exception:  # noqa: BLE001 - the last frame before C; it is logged
                self.libobs.log(LOG_ERROR, traceback.format_exc())
                return default

        return call

    def _properties(self, filter_id: int) -> int | None:
        factory = self.properties_factory
        page: Handle | None = None if factory is None else self.guarded(None, factory)(filter_id)
        return page


def register(library_path: Path, language: Language) -> Holder:
    """Loads the gate and registers the filter's type; later calls return what the first one made.

    Args:
        library_path: the native library; ignored where one is loaded already, since it is never unloaded.
        language: in which the filter's type is called.

    Raises:
        LibobsError: this is not OBS, or it is too old.
        NativeError: the native library is missing or of another version.
        RegistrationError: the gate or OBS refuses.
    """
    known = sys.modules.get(_HOLDER)
    if known is not None:
        # Not isinstance: after a reload of this module the class is another one.
        return cast(Holder, known)
    libobs = Libobs(find_libobs())
    gate = native.load(
        library_path, gate_abi.GATE_FUNCTIONS, gate_user_abi.USER_FUNCTIONS, gate_sync_abi.SYNC_FUNCTIONS
    )
    holder = Holder(libobs, gate, library_path)
    info, already = _install(libobs, gate, language)
    if not already:
        libobs.obs_register_source_s(info, SOURCE_INFO_BYTES)
    if not libobs.obs_source_get_display_name(FILTER_ID.encode()):
        raise RegistrationError(f"OBS refused the filter type {FILTER_ID}; OBS's log says why")
    sys.modules[_HOLDER] = holder
    try:
        register_sync(libobs, gate, language.say(phrase("filter.other-name")))
    except (LibobsError, RegistrationError) as error:
        # The webcams' type is registered, and needs its control loop in any case.
        libobs.log(LOG_ERROR, str(error))
    return holder


def enable_properties(holder: Holder, factory: PropertiesFactory) -> None:
    """From now on the property page is the script's."""
    holder.properties_factory = factory
    holder.gate.doppel_gate_set_properties_callback(ctypes.cast(holder.properties_thunk, ctypes.c_void_p))


def disable_properties(holder: Holder) -> None:
    """From now on the page is the gate's own; waits until no call is inside the script."""
    holder.gate.doppel_gate_set_properties_callback(None)
    holder.properties_factory = None


def _install(libobs: Libobs, gate: ctypes.CDLL, language: Language) -> tuple[int, bool]:
    table = gate_abi.LibObs(size=ctypes.sizeof(gate_abi.LibObs))
    libobs.fill(table)
    defaults = _defaults()
    already = ctypes.c_int32(0)
    info = gate.doppel_gate_install(
        ctypes.byref(table),
        FILTER_ID.encode(),
        language.say(phrase("filter.name")).encode(),
        language.say(phrase("filter.orphan")).encode(),
        defaults,
        len(defaults),
        ctypes.byref(already),
    )
    if not info:
        raise RegistrationError("the native library refused the table of libobs's functions")
    return int(info), bool(already.value)


def _defaults() -> ctypes.Array[gate_abi.Default]:
    kinds = {
        bool: gate_abi.DefaultKind.BOOL,
        int: gate_abi.DefaultKind.INT,
        float: gate_abi.DefaultKind.DOUBLE,
        str: gate_abi.DefaultKind.STRING,
    }
    entries = []
    for key in FIELDS:
        value: Value = getattr(FilterSettings(), key)
        text = value.encode() if isinstance(value, str) else None
        number = 0.0 if isinstance(value, str) else float(value)
        kind = kinds[type(value)]
        entries.append(gate_abi.Default(key.encode(), int(kind), 0, number, text))
    return (gate_abi.Default * len(entries))(*entries)
