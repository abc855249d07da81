"""OBS and the gate, as far as the control plane asks them: one source, its filters, and what was called."""

from __future__ import annotations

import ctypes
import json
import threading
from typing import Any

from doppel_ipc import gate_abi, native
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_obs.registration import Holder

PARENT, WEAK = 77, 78


class FakeGate:
    """The gate's functions; the ring's are those of the real library.

    Args:
        ring: the native library.
    """

    def __init__(self, ring: ctypes.CDLL) -> None:
        self._ring = ring
        self.filters: list[int] = []
        self.attach_result = 0
        self.attached: list[int] = []
        self.detached = 0
        self.panics: list[int] = []
        self.answers: list[dict[str, Any]] = []
        """To remote controls."""
        self.status = gate_abi.Status(geometry_serial=1)
        self.status.geometry = native.Geometry.of(FrameLayout.of(PixelFormat.NV12, 64, 48, (64, 64)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ring, name)

    def doppel_gate_list(self, ids: Any, most: int) -> int:
        for index, filter_id in enumerate(self.filters[:most]):
            ids[index] = filter_id
        return len(self.filters)

    def doppel_gate_get_source(self, filter_id: int) -> int | None:
        return 100 + filter_id if filter_id in self.filters else None

    def doppel_gate_get_status(self, filter_id: int, status: Any) -> int:
        if filter_id not in self.filters:
            return gate_abi.GONE
        ctypes.memmove(status, ctypes.byref(self.status), ctypes.sizeof(self.status))
        return 0

    def doppel_gate_attach(
        self, _id: int, _handle: int, _size: int, _slots: int, _geo: int, lane: int
    ) -> int:
        self.attached.append(lane)
        return self.attach_result

    def doppel_gate_detach(self, _id: int) -> int:
        self.detached += 1
        return 0

    def doppel_gate_drain(self, _id: int, _samples: Any, _most: int) -> int:
        return 0

    def doppel_gate_collect(self, _id: int) -> int:
        return 0

    def doppel_gate_follow_hotkeys(self, _id: int, _wishes: Any) -> int:
        return 0

    def doppel_gate_set_answer(self, text: bytes) -> int:
        self.answers.append(json.loads(text))
        return 0

    def doppel_gate_set_policy(self, _id: int, policy: Any) -> int:
        self.panics.append(policy._obj.panic)
        return 0


class FakeObs:
    """libobs; every function that is not here does nothing and returns 0."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.references: dict[int, int] = {PARENT: 0, WEAK: 0}
        self.json = b"{}"
        self.failing = ""
        """Name of a function that raises."""

    def __getattr__(self, name: str) -> Any:
        def nothing(*_: object) -> int:
            if name == self.failing:
                raise OSError(name)
            return 0

        return nothing

    def log(self, _level: int, text: str) -> None:
        self.lines.append(text)

    def version(self) -> tuple[int, int, int]:
        return 29, 0, 2

    def obs_data_get_json(self, _data: int) -> bytes:
        return self.json

    def weak_parent(self, _filter: int) -> int:
        self.references[WEAK] += 1
        return WEAK

    def obs_weak_source_release(self, weak: int) -> None:
        self.references[weak] -= 1

    def obs_weak_source_get_source(self, _weak: int) -> int:
        self.references[PARENT] += 1
        return PARENT

    def obs_source_release(self, source: int) -> None:
        if source in self.references:
            self.references[source] -= 1

    def name_of(self, _source: int) -> str:
        if self.failing == "name_of":
            raise OSError("name_of")
        return "Camera"


class FakeHolder:
    """What :class:`doppel_obs.registration.Holder` holds."""

    def __init__(self, ring: ctypes.CDLL) -> None:
        self.libobs = FakeObs()
        self.gate = FakeGate(ring)
        self.panic = False
        self.control_seat = threading.Lock()

    def as_holder(self) -> Holder:
        """For the type checker."""
        holder: Any = self
        return holder
