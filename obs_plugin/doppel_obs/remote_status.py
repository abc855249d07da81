"""Live status for remote controls: obs-websocket's vendor request ``GetStatus`` of the vendor ``doppel``.

obs-websocket calls back on threads of its own, even while the script is reloaded, and a callback into Python
that is gone would end OBS. So the callback is the gate's, in C, which is never unloaded; it answers with the
text that was given to it last. Nothing is ever written into a filter's settings.

How a vendor registers is obs-websocket 5's own way (its ``obs-websocket-api.h``), by libobs's procedures.
"""

from __future__ import annotations

import ctypes
import json
from typing import Callable, Iterable, Mapping

from doppel_ipc import gate_abi, gate_user_abi
from doppel_ipc.messages import Status

from doppel_obs.instances import FilterInstance
from doppel_obs.libobs import Libobs
from doppel_obs.phrases import Phrase

VENDOR, REQUEST = "doppel", "GetStatus"
VERSION = 1
"""Of the answer's form; grows when a key changes its meaning."""
REFRESH_NS = 200_000_000
STATE_PREFIX = "status."
"""Of the keys of a filter's state in the language tables; the rest is the state's name."""
_MS = 1e-6
STOPPED = json.dumps({"version": VERSION, "running": False, "filters": []})
"""The answer while no script is loaded."""


class _Calldata(ctypes.Structure):
    """``struct calldata`` of libobs: the parameters of a procedure, in and out."""

    _fields_ = [
        ("stack", ctypes.c_void_p),
        ("size", ctypes.c_size_t),
        ("capacity", ctypes.c_size_t),
        ("fixed", ctypes.c_bool),
    ]


class _Callback(ctypes.Structure):
    """``struct obs_websocket_request_callback``; copied by obs-websocket."""

    _fields_ = [("callback", ctypes.c_void_p), ("private_data", ctypes.c_void_p)]


def register_vendor(libobs: Libobs, gate: ctypes.CDLL) -> bool:
    """Makes the request known to obs-websocket; to be done once in OBS's life.

    Returns:
        False: OBS has no obs-websocket, or it does not take the request. Nothing else depends on it.
    """
    table = gate_user_abi.AnswerLibObs(size=ctypes.sizeof(gate_user_abi.AnswerLibObs))
    libobs.fill(table)
    if gate.doppel_gate_install_answer(ctypes.byref(table)) != 0:
        return False
    handler = _call(libobs, libobs.obs_get_proc_handler(), "obs_websocket_api_get_ph", {}, "ph")
    if not handler:
        return False
    vendor = _call(libobs, handler, "vendor_register", {"name": _text(VENDOR)}, "vendor")
    if not vendor:
        return False
    address = ctypes.cast(gate.doppel_gate_answer, ctypes.c_void_p).value
    callback = _Callback(address, None)
    inputs = {
        "vendor": _pointer(vendor),
        "type": _text(REQUEST),
        "callback": _pointer(ctypes.addressof(callback)),
    }
    return _call(libobs, handler, "vendor_request_register", inputs, "success") != 0


def _text(value: str) -> bytes:
    return value.encode() + b"\0"


def _pointer(value: int) -> bytes:
    return bytes(ctypes.c_void_p(value))


def _call(
    libobs: Libobs, handler: int | None, procedure: str, inputs: Mapping[str, bytes], result: str
) -> int:
    """Calls a procedure of libobs.

    Returns:
        The pointer that it calls ``result``, or the bool ``success``; 0: no such procedure, or no result.
    """
    data = _Calldata()
    try:
        for name, value in inputs.items():
            libobs.calldata_set_data(ctypes.byref(data), name.encode(), value, len(value))
        if not libobs.proc_handler_call(handler, procedure.encode(), ctypes.byref(data)):
            return 0
        found = ctypes.c_void_p()
        size = 1 if result == "success" else ctypes.sizeof(found)  # a bool
        got = libobs.calldata_get_data(ctypes.byref(data), result.encode(), ctypes.byref(found), size)
        return (found.value or 0) if got else 0
    finally:
        if data.stack:
            libobs.bfree(data.stack)


class RemoteStatus:
    """Gives the gate what it answers to remote controls. One thread only.

    Args:
        gate: the native library.
        say: turns a phrase into what the user reads.
    """

    def __init__(self, gate: ctypes.CDLL, say: Callable[[Phrase], str]) -> None:
        self._gate = gate
        self._say = say
        self._given_ns: int | None = None

    def look(
        self,
        now_ns: int,
        worker: Status | None,
        personas: Mapping[str, str],
        filters: Iterable[FilterInstance],
        *,
        panic: bool,
    ) -> None:
        """A new answer, where the last one is old enough.

        Args:
            now_ns: the time.
            worker: what it says of itself; None while none is ready.
            personas: identifier -> name, in the order of the face list.
            filters: all that live.
            panic: the panic hotkey covers everything.
        """
        if self._given_ns is not None and now_ns - self._given_ns < REFRESH_NS:
            return
        self._given_ns = now_ns
        # OBS's data knows no null: what is not known is empty or 0.
        answer = {
            "version": VERSION,
            "running": True,
            "panic": panic,
            "worker": {
                "ready": worker is not None,
                "device": worker.device if worker is not None else "",
                "provider": worker.provider if worker is not None else "",
                "memory_mb": round(worker.memory_mb) if worker is not None else 0,
            },
            "personas": [{"id": key, "name": name} for key, name in personas.items()],
            "filters": [found for item in filters if (found := self._filter(item)) is not None],
        }
        self._gate.doppel_gate_set_answer(json.dumps(answer).encode())

    def end(self) -> None:
        """The script ends: the gate covers every picture, and says that nobody works."""
        self._gate.doppel_gate_set_answer(STOPPED.encode())

    def _filter(self, item: FilterInstance) -> dict[str, object] | None:
        """One filter's part of the answer; None before its first look."""
        state, status, lane = item.line.state(), item.status, item.lane_status
        if item.stats is None or state is None:
            return None
        return {
            "source": item.stats.source,
            "filter": item.stats.name,
            "state": state.key[len(STATE_PREFIX) :] if state.key.startswith(STATE_PREFIX) else state.key,
            "text": self._say(state),
            "persona": item.settings.persona,
            "persona_shown": lane.persona if lane is not None else "",
            "provider": lane.provider if lane is not None else "",
            "fps": round(lane.fps, 1) if lane is not None else 0.0,
            "ms_p50": round(lane.turnaround_ms_p50, 1) if lane is not None else 0.0,
            "ms_p95": round(lane.turnaround_ms_p95, 1) if lane is not None else 0.0,
            "delay_frames": status.delay_frames,
            "delay_ms": round(status.delay_frames * status.frame_interval_ns * _MS, 1),
            "width": status.geometry.width,
            "height": status.geometry.height,
            "frames": gate_abi.frame_counts(status),
        }
