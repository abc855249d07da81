"""Memory that is allocated once and used again for every frame."""

from __future__ import annotations

import ctypes

import numpy as np
from doppel_models.types import ByteArray

from doppel_worker.gpu.device import Device, DeviceMemory, HostMemory

_ALIGNMENT = 256
_FIRST_SIZE = 1 << 20


def host_view(memory: HostMemory, offset: int, size: int) -> ByteArray:
    """A writable view, (size,) uint8, of page-locked memory from byte ``offset`` on."""
    block = (ctypes.c_uint8 * size).from_address(memory.address + offset)
    return np.frombuffer(memoryview(block).cast("B"), np.uint8)


class DeviceScratch:
    """Device memory for one frame's intermediates, handed out in order and taken back all at once.

    It grows until the largest frame fits; what was outgrown is kept until :meth:`reset`, because the device
    may still be using it.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._block: DeviceMemory | None = None
        self._outgrown: list[DeviceMemory] = []
        self._used = 0

    def take(self, size: int) -> int:
        """The address of ``size`` bytes, valid until :meth:`reset`."""
        end = self._used + _aligned(size)
        if self._block is None or end > self._block.size:
            if self._block is not None:
                self._outgrown.append(self._block)
            self._block = self._device.allocate(max(_FIRST_SIZE, 2 * end))
            self._used, end = 0, _aligned(size)
        address = self._block.address + self._used
        self._used = end
        return address

    def reset(self) -> None:
        """Everything that was taken is free again. Only while the device is idle."""
        self._used = 0
        self._outgrown.clear()


class PinnedScratch:
    """The same of page-locked memory of this process: what arrays pass through on their way."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._block: HostMemory | None = None
        self._outgrown: list[HostMemory] = []
        self._used = 0

    def take(self, size: int) -> tuple[int, ByteArray]:
        """Address and view of ``size`` bytes, valid until :meth:`reset`."""
        end = self._used + _aligned(size)
        if self._block is None or end > self._block.size:
            if self._block is not None:
                self._outgrown.append(self._block)
            self._block = self._device.allocate_pinned(max(_FIRST_SIZE, 2 * end))
            self._used, end = 0, _aligned(size)
        offset, self._used = self._used, end
        return self._block.address + offset, host_view(self._block, offset, size)

    def reset(self) -> None:
        """Everything that was taken is free again. Only while the device is idle."""
        self._used = 0
        self._outgrown.clear()


def _aligned(size: int) -> int:
    return -(-max(size, 1) // _ALIGNMENT) * _ALIGNMENT
