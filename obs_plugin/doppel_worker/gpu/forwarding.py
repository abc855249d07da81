"""A device by another one: for what changes a few of its methods."""

from __future__ import annotations

from typing import Literal

from doppel_worker.gpu.device import Device, DeviceMemory, HostMemory, Marker
from doppel_worker.gpu.structs import Struct


class ForwardingDevice:
    """Satisfies :class:`~doppel_worker.gpu.device.Device`: all is done by the device that it is given."""

    def __init__(self, device: Device) -> None:
        self._device = device

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
        return self._device.allocate(size)

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
        self._device.copy(to, to_pitch, frm, frm_pitch, row_bytes, rows)

    def launch(self, kernel: str, width: int, height: int, params: Struct) -> None:
        """See ``Device``."""
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
