"""A device that says what its time goes to: for measurements."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Final, Literal

from doppel_worker.gpu.device import Device, DeviceMemory, HostMemory, Marker
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


class StagedDevice:
    """Satisfies :class:`~doppel_worker.gpu.device.Device` by another one.

    While :attr:`staged` is true each call waits for its end, so that its time can be told from the next; the
    sum is then longer than what a frame takes otherwise, where copies, kernels and the host overlap.
    """

    def __init__(self, device: Device, clock: Callable[[], int] = time.perf_counter_ns) -> None:
        """``clock``: nanoseconds."""
        self._device, self._clock = device, clock
        self._on_device: list[tuple[int, int]] = []
        self.staged = False
        self.spent_ms: dict[str, float] = {}
        """Milliseconds by stage: upload, sample, infer, colors, draw, sharpen, paste, hide, download."""

    @property
    def name(self) -> str:
        """See ``Device``."""
        return self._device.name

    @property
    def kind(self) -> Literal["cuda", "cpu"]:
        """See ``Device``."""
        return self._device.kind

    @property
    def number(self) -> int:
        """See ``Device``."""
        return self._device.number

    @property
    def stream(self) -> int:
        """See ``Device``."""
        return self._device.stream

    def allocate(self, size: int) -> DeviceMemory:
        """See ``Device``."""
        memory = self._device.allocate(size)
        self._on_device.append((memory.address, memory.address + memory.size))
        return memory

    def allocate_pinned(self, size: int) -> HostMemory:
        """See ``Device``."""
        return self._device.allocate_pinned(size)

    def register(self, address: int, size: int) -> bool:
        """See ``Device``."""
        return self._device.register(address, size)

    def unregister(self, address: int) -> None:
        """See ``Device``."""
        self._device.unregister(address)

    def copy(self, to: int, to_pitch: int, frm: int, frm_pitch: int, row_bytes: int, rows: int) -> None:
        """See ``Device``."""
        up = any(first <= to < last for first, last in self._on_device)
        with self.stage("upload" if up else "download"):
            self._device.copy(to, to_pitch, frm, frm_pitch, row_bytes, rows)

    def launch(self, kernel: str, width: int, height: int, params: Struct) -> None:
        """See ``Device``."""
        with self.stage("colors" if kernel == _COLORS else _STAGES[KERNELS[kernel][0]]):
            self._device.launch(kernel, width, height, params)

    def marker(self) -> Marker:
        """See ``Device``."""
        return self._device.marker()

    def synchronize(self) -> None:
        """See ``Device``."""
        self._device.synchronize()

    def used_memory(self) -> int:
        """See ``Device``."""
        return self._device.used_memory()

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of what the block puts on the device to a stage, if stages are wanted."""
        if not self.staged:
            yield
            return
        start = self._clock()
        yield
        self._device.synchronize()
        self.spent_ms[name] = self.spent_ms.get(name, 0.0) + (self._clock() - start) / 1e6
