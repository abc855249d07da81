"""A device of the GPU compositor that runs its kernels on the processor, as a C++ compiler makes them.

Its memory is this process's, filled with a pattern so that nothing can rely on zeros; page-locking can be
refused, as some systems do. It checks every copy and launch against the memory it handed out.
"""

from __future__ import annotations

import ctypes
import functools
import re
import shutil
import subprocess
import tempfile
import weakref
from pathlib import Path
from typing import Literal

import numpy as np
from doppel_worker.errors import DeviceError, DeviceLostError
from doppel_worker.gpu.device import BLOCK, DeviceMemory, HostMemory, Marker
from doppel_worker.gpu.kernel_source import kernel_source
from doppel_worker.gpu.structs import KERNELS, Struct

_SHIM = Path(__file__).parent / "kernel_shim.h"
_FLAGS = ("-std=c++17", "-O2", "-fPIC", "-shared", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror")
_UNSET = 0xA5
_GUARD = 4096
"""Bytes on each side of a block that no kernel may write."""
COMPILERS = ("g++", "clang++")


def available_compilers() -> list[str]:
    return [name for name in COMPILERS if shutil.which(name)]


@functools.cache
def kernel_library(compiler: str) -> ctypes.CDLL:
    """The kernels as a shared library, with a launcher and a size for each."""
    folder = Path(tempfile.mkdtemp(prefix="doppel-kernels-"))
    sources = []
    for name in sorted({file for file, _ in KERNELS.values()}):
        text = kernel_source(name)
        found = re.findall(r"__global__ void (\w+)\(const (\w+) p\)", text)
        assert {kernel for kernel, _ in found} == {k for k, (file, _) in KERNELS.items() if file == name}
        launchers = "\n".join(f"LAUNCHER({kernel}, {params})" for kernel, params in found)
        source = folder / f"{name}.cpp"
        source.write_text(f'#include "{_SHIM}"\n{text}\n{launchers}\n')
        sources.append(str(source))
    library = folder / "kernels.so"
    done = subprocess.run(
        [compiler, *_FLAGS, "-o", str(library), *sources],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(library))


class _Block:
    """Memory of the device, for as long as somebody holds it."""

    def __init__(self, content: np.ndarray) -> None:
        self.bytes = content
        self.address = int(content.ctypes.data)


class _AllDone:
    """A marker of a device on which all is done at once."""

    def __init__(self, device: KernelDevice) -> None:
        self._device = device

    def set(self) -> None:
        pass

    def wait(self) -> None:
        self._device.synchronize()


class KernelDevice:
    """Satisfies ``doppel_worker.gpu.device.Device``."""

    name = "kernels on the processor"
    kind: Literal["cpu"] = "cpu"
    number = 0
    stream = 0

    def __init__(self, compiler: str = "", *, can_register: bool = True) -> None:
        self._library = kernel_library(compiler or available_compilers()[0])
        self._can_register = can_register
        self.registered: dict[int, int] = {}
        self.allocations = 0
        self.uploaded = self.downloaded = 0
        """Bytes that went to the device and came from it."""
        self._device_blocks: weakref.WeakSet[_Block] = weakref.WeakSet()
        self._guards: list[tuple[weakref.ref[np.ndarray], int]] = []
        self._waiting = False
        self.broken = False
        self.lost = False

    def allocate(self, size: int) -> DeviceMemory:
        block = _Block(self._block(size))
        self._device_blocks.add(block)
        return DeviceMemory(block.address, size, block)

    def allocate_pinned(self, size: int) -> HostMemory:
        block = self._block(size)
        return HostMemory(block.ctypes.data, size, block)

    def register(self, address: int, size: int) -> bool:
        if not self._can_register:
            return False
        assert address not in self.registered
        self.registered[address] = size
        return True

    def unregister(self, address: int) -> None:
        assert not self._waiting, "copies may be under way"
        del self.registered[address]

    def copy(self, to: int, to_pitch: int, frm: int, frm_pitch: int, row_bytes: int, rows: int) -> None:
        self._check()
        span = (rows - 1) * to_pitch + row_bytes, (rows - 1) * frm_pitch + row_bytes
        up, down = self._on_device(to, span[0]), self._on_device(frm, span[1])
        assert up != down, "a copy goes to the device or comes from it"
        for row in range(rows):
            ctypes.memmove(to + row * to_pitch, frm + row * frm_pitch, row_bytes)
        if up:
            self.uploaded += row_bytes * rows
        else:
            self.downloaded += row_bytes * rows
        self._waiting = True

    def launch(self, kernel: str, width: int, height: int, params: Struct) -> None:
        self._check()
        assert params.dtype == KERNELS[kernel][1]
        across, down = -(-width // BLOCK[0]), -(-height // BLOCK[1])
        run = getattr(self._library, f"launch_{kernel}")
        run(across, down, *BLOCK, ctypes.c_void_p(params.ctypes.data))
        self._waiting = True

    def marker(self) -> Marker:
        return _AllDone(self)

    def synchronize(self) -> None:
        self._check()
        self._waiting = False
        for reference, size in self._guards:
            if (whole := reference()) is not None:
                outside = np.concatenate([whole[:_GUARD], whole[_GUARD + size :]])
                assert (outside == _UNSET).all(), "a kernel wrote outside of its memory"

    def used_memory(self) -> int:
        return sum(block.bytes.size for block in self._device_blocks)

    def size_of(self, kernel: str) -> int:
        """The C++ compiler's idea of a parameter's size."""
        return int(getattr(self._library, f"size_of_{kernel}")())

    def _check(self) -> None:
        if self.lost:
            raise DeviceLostError("the GPU failed: an illegal memory access was encountered; run doctor")
        if self.broken:
            raise DeviceError("no memory on the GPU: the test took it")

    def _block(self, size: int) -> np.ndarray:
        self.allocations += 1
        whole = np.full(size + 2 * _GUARD, _UNSET, np.uint8)
        self._guards.append((weakref.ref(whole), size))
        return whole[_GUARD : _GUARD + size]

    def _on_device(self, address: int, span: int) -> bool:
        return any(
            block.address <= address and address + span <= block.address + block.bytes.size
            for block in self._device_blocks
        )
