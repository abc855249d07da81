"""What the compositor needs of a GPU. Small on purpose: what stands behind it is hard to test without one.

Convention: everything is put on one stream, in order; nothing waits but :meth:`Device.synchronize`.
Rectangles of bytes are copied with a line size on either side.
"""

from __future__ import annotations

import dataclasses
from typing import Final, Literal, Protocol

from doppel_worker.gpu.structs import Struct

BLOCK: Final = (32, 8)
"""Threads of a block, across and down."""


@dataclasses.dataclass(frozen=True, slots=True)
class HostMemory:
    """Memory of this process that the device copies from and to directly (page-locked)."""

    address: int
    size: int
    owner: object = dataclasses.field(repr=False, compare=False)
    """Keeps it alive."""


@dataclasses.dataclass(frozen=True, slots=True)
class DeviceMemory:
    """Memory on the device."""

    address: int
    size: int
    owner: object = dataclasses.field(repr=False, compare=False)
    """Keeps it alive."""


class Marker(Protocol):
    """A place in a device's stream, used again and again."""

    def set(self) -> None:
        """The place is here: after all that has been put on the stream so far."""

    def wait(self) -> None:
        """Wait until the stream has come to where it was set; what came later is not waited for."""


class Device(Protocol):
    """One GPU and one stream on it. One thread at a time, but for a marker's wait.

    Every method raises :class:`doppel_worker.errors.DeviceError` when the device fails.
    """

    @property
    def name(self) -> str:
        """For example ``NVIDIA GeForce RTX 4090``."""

    @property
    def kind(self) -> Literal["cuda", "cpu"]:
        """As ONNX Runtime names the memory."""

    @property
    def number(self) -> int:
        """Among the devices of its kind."""

    @property
    def stream(self) -> int:
        """The stream's handle; networks run on it too."""

    def allocate(self, size: int) -> DeviceMemory:
        """``size`` bytes, not cleared, aligned to 256."""

    def allocate_pinned(self, size: int) -> HostMemory:
        """``size`` bytes of page-locked memory of this process."""

    def register(self, address: int, size: int) -> bool:
        """Page-lock memory that exists, so that copies run straight from it; False: not possible."""

    def unregister(self, address: int) -> None:
        """Take a :meth:`register` back, before the memory is unmapped."""

    def copy(self, to: int, to_pitch: int, frm: int, frm_pitch: int, row_bytes: int, rows: int) -> None:
        """Copy a rectangle of bytes, from the device or to it; the addresses tell which."""

    def launch(self, kernel: str, width: int, height: int, params: Struct) -> None:
        """Run a kernel of ``structs.KERNELS`` with a thread for each of ``width`` x ``height`` places."""

    def marker(self) -> Marker:
        """A new marker, which is set nowhere."""

    def synchronize(self) -> None:
        """Wait until everything has been done."""

    def used_memory(self) -> int:
        """Bytes of the device's memory that are in use, by whomever."""
