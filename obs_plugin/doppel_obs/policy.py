"""What one filter's gate does with frames that have no judged picture, handed over where it changes."""

from __future__ import annotations

import ctypes
import threading

from doppel_ipc import gate_abi
from doppel_ipc.settings import FilterSettings

from doppel_obs.registration import Holder

_MS = 1_000_000


class PolicyKeeper:
    """One filter's policy.

    Args:
        holder: the gate, and whether there is a panic.
        filter_id: the gate's id of the filter.
    """

    def __init__(self, holder: Holder, filter_id: int) -> None:
        self._holder = holder
        self._filter_id = filter_id
        self._policy = gate_abi.Policy()
        self._set = b""
        # The panic hotkey comes on a thread of its own; an older policy must not end the panic again.
        self._lock = threading.Lock()

    def update(self, settings: FilterSettings, delay_frames: int) -> None:
        """Follows the settings and the delay."""
        policy = gate_abi.Policy(
            paused=not settings.swap,
            late_policy=gate_abi.LatePolicy[settings.late_policy.upper()],
            use_slate=settings.cover == "slate",
            hold_ns=settings.hold_ms * _MS,
            delay_frames=delay_frames,
        )
        with self._lock:
            self._policy = policy
            self._hand_over()

    def follow_panic(self) -> None:
        """Covers at once, or ends that, as the holder says. Any thread."""
        with self._lock:
            self._hand_over()

    def _hand_over(self) -> None:
        self._policy.panic = self._holder.panic
        if bytes(self._policy) != self._set:
            self._holder.gate.doppel_gate_set_policy(self._filter_id, ctypes.byref(self._policy))
            self._set = bytes(self._policy)
