"""A seat's view of a device that it shares with another: who waits for the device lets the other work.

All seats use one stream, in order, so what one has put on the device is never overtaken by what another puts
there later. What each needs between two waits (scratch, frames, page-locked memory) is its own.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from doppel_models.recording import RecordingGate

from doppel_worker.gpu.device import Device
from doppel_worker.gpu.forwarding import ForwardingDevice
from doppel_worker.gpu.structs import Struct
from doppel_worker.turns import Turns


class SharedDevice(ForwardingDevice):
    """One that waits for its own work only.

    :meth:`synchronize` waits for what this view has put on the device, and for nothing that came later.
    """

    def __init__(self, device: Device, turns: Turns | None = None, gate: RecordingGate | None = None) -> None:
        """See a device.

        Args:
            device: the one that is shared.
            turns: whose turn it is on it (default: nobody else is there).
            gate: of the networks on it: while one is recorded, nobody may wait for the device beside it.
        """
        super().__init__(device)
        self.turns, self._gate = turns or Turns(), gate or RecordingGate()
        self._marker = device.marker()
        self._busy = False
        self._sharing_thread: int | None = None

    def beside(self) -> SharedDevice:
        """Another view of the same device."""
        return SharedDevice(self._device, self.turns, self._gate)

    @contextlib.contextmanager
    def sharing(self) -> Iterator[None]:
        """Within this block whoever waits for the device gives its turn up meanwhile.

        Only where nothing that lanes have in common is half changed: an engine's own memory, say.
        """
        before, self._sharing_thread = self._sharing_thread, threading.get_ident()
        try:
            yield
        finally:
            self._sharing_thread = before

    @contextlib.contextmanager
    def meanwhile(self) -> Iterator[None]:
        """Around a wait for the device: within :meth:`sharing` others have their turn meanwhile."""
        if self._sharing_thread != threading.get_ident():
            yield
            return
        released = self.turns.released()
        # Counted before the turn goes: whoever has it then may begin to record. And no longer counted when it
        # is asked for again: whoever records has it.
        with contextlib.ExitStack() as stack, self._gate.waiting():
            stack.enter_context(released)
            yield

    def copy(self, to: int, to_pitch: int, frm: int, frm_pitch: int, row_bytes: int, rows: int) -> None:
        """See ``Device``."""
        self._busy = True
        super().copy(to, to_pitch, frm, frm_pitch, row_bytes, rows)

    def launch(self, kernel: str, width: int, height: int, params: Struct) -> None:
        """See ``Device``."""
        self._busy = True
        super().launch(kernel, width, height, params)

    def synchronize(self) -> None:
        """Wait until all has been done that was put on the device by this view before."""
        if not self._busy:
            return
        self._marker.set()
        with self.meanwhile():
            self._marker.wait()
        self._busy = False
