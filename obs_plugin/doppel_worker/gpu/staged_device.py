"""A device that says what its time goes to: for measurements."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Final

from doppel_worker.gpu.device import Device, DeviceMemory
from doppel_worker.gpu.forwarding import ForwardingDevice
from doppel_worker.gpu.structs import KERNELS, Struct

_STAGES: Final = {
    "sample.cu": "sample",
    "paste.cu": "paste",
    "mesh.cu": "draw",
    "live.cu": "draw",
    "area.cu": "hide",
    "sharpen.cu": "sharpen",
}
_COLORS = "shrink_picture"


class StagedDevice(ForwardingDevice):
    """One that says what its time goes to.

    While :attr:`staged` is true each call waits for its end, so that its time can be told from the next; the
    sum is then longer than what a frame takes otherwise, where copies, kernels and the host overlap.
    """

    def __init__(self, device: Device, clock: Callable[[], int] = time.perf_counter_ns) -> None:
        """``clock``: nanoseconds."""
        super().__init__(device)
        self._clock = clock
        self._on_device: list[tuple[int, int]] = []
        self.staged = False
        self.spent_ms: dict[str, float] = {}
        """Milliseconds by stage: upload, sample, infer, colors, draw, sharpen, paste, hide, download."""

    def allocate(self, size: int) -> DeviceMemory:
        """See ``Device``."""
        memory = super().allocate(size)
        self._on_device.append((memory.address, memory.address + memory.size))
        return memory

    def copy(self, to: int, to_pitch: int, frm: int, frm_pitch: int, row_bytes: int, rows: int) -> None:
        """See ``Device``."""
        up = any(first <= to < last for first, last in self._on_device)
        with self.stage("upload" if up else "download"):
            super().copy(to, to_pitch, frm, frm_pitch, row_bytes, rows)

    def launch(self, kernel: str, width: int, height: int, params: Struct) -> None:
        """See ``Device``."""
        with self.stage("colors" if kernel == _COLORS else _STAGES[KERNELS[kernel][0]]):
            super().launch(kernel, width, height, params)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of what the block puts on the device to a stage, if stages are wanted."""
        if not self.staged:
            yield
            return
        start = self._clock()
        yield
        self.synchronize()
        self.spent_ms[name] = self.spent_ms.get(name, 0.0) + (self._clock() - start) / 1e6
