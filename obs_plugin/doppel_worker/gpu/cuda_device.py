"""CUDA by way of CuPy: the only module that imports it, and the only part that no test runs without a GPU.

Thin on purpose: each method is one or two calls of CuPy or of the CUDA runtime.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Literal

from doppel_models.sentences import sentence

from doppel_worker.errors import DeviceError, DeviceLostError
from doppel_worker.gpu.device import BLOCK, DeviceMemory, HostMemory, Marker
from doppel_worker.gpu.kernel_source import kernel_source
from doppel_worker.gpu.structs import KERNELS, Struct

_OPTIONS = ("-std=c++17",)
_MEMCPY_DEFAULT = 4
"""cudaMemcpyDefault: the addresses tell the direction."""
_NO_DEVICE, _OLD_DRIVER = 100, 35
"""cudaErrorNoDevice, cudaErrorInsufficientDriver."""
_LOST = frozenset((46, 214, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 999))
"""Of CUDA's runtime and driver alike: devices unavailable, ECC error, and those after which, by CUDA's own
documentation, all further work of a process gives the same error (illegal address, launch timed out, context
destroyed, ..., launch failed). 999, unknown, is what a driver gives that was reset or updated underneath."""


def cuda_devices() -> list[tuple[str, int]]:
    """Name and memory in bytes of every CUDA device.

    Raises:
        DeviceError: why none can be used, and what to do.
    """
    cupy = _import()
    with _failures("the GPUs cannot be listed"):
        found = []
        for number in range(cupy.cuda.runtime.getDeviceCount()):
            properties = cupy.cuda.runtime.getDeviceProperties(number)
            found.append((properties["name"].decode(errors="replace"), int(properties["totalGlobalMem"])))
    return found


class CudaDevice:
    """Satisfies :class:`doppel_worker.gpu.device.Device`."""

    kind: Literal["cuda", "cpu"] = "cuda"

    def __init__(self, number: int) -> None:
        """Open a device and compile the kernels for it.

        Raises:
            DeviceError: there is no such device, or CUDA or its compiler cannot be used.
        """
        self.number = number
        self._cupy = _import()
        names = [name for name, _ in cuda_devices()]
        if number >= len(names):
            there = ", ".join(names) or sentence("device.none", "no GPU")
            raise DeviceError(
                sentence(
                    "device.no-cuda",
                    "there is no cuda:{number}; there is {devices}",
                    number=number,
                    devices=there,
                )
            )
        self.name = names[number]
        with _failures(f"{self.name} cannot be opened"):
            self._cupy.cuda.Device(number).use()
            self._stream = self._cupy.cuda.Stream(non_blocking=True)
            modules = {
                file: self._cupy.RawModule(code=kernel_source(file), options=_OPTIONS)
                for file in {file for file, _ in KERNELS.values()}
            }
            self._kernels = {name: modules[file].get_function(name) for name, (file, _) in KERNELS.items()}

    @property
    def stream(self) -> int:
        """The stream's handle; networks run on it too."""
        return int(self._stream.ptr)

    def allocate(self, size: int) -> DeviceMemory:
        """``size`` bytes, not cleared."""
        with self._on_device(), _failures("no memory on the GPU"):
            memory = self._cupy.cuda.alloc(size)
        return DeviceMemory(int(memory.ptr), size, memory)

    def allocate_pinned(self, size: int) -> HostMemory:
        """``size`` bytes of page-locked memory of this process."""
        with self._on_device(), _failures("no page-locked memory"):
            memory = self._cupy.cuda.alloc_pinned_memory(size)
        return HostMemory(int(memory.ptr), size, memory)

    def register(self, address: int, size: int) -> bool:
        """Page-lock memory that exists; False where this cannot be done."""
        try:
            with self._on_device():
                self._cupy.cuda.runtime.hostRegister(address, size, 0)
        except self._cupy.cuda.runtime.CUDARuntimeError:
            return False
        return True

    def unregister(self, address: int) -> None:
        """Take a :meth:`register` back."""
        with self._on_device(), _failures("memory cannot be given back"):
            self._cupy.cuda.runtime.hostUnregister(address)

    def copy(self, to: int, to_pitch: int, frm: int, frm_pitch: int, row_bytes: int, rows: int) -> None:
        """Copy a rectangle of bytes."""
        with _failures("a copy to or from the GPU failed"):
            self._cupy.cuda.runtime.memcpy2DAsync(
                to, to_pitch, frm, frm_pitch, row_bytes, rows, _MEMCPY_DEFAULT, self._stream.ptr
            )

    def launch(self, kernel: str, width: int, height: int, params: Struct) -> None:
        """Run a kernel over ``width`` x ``height`` places."""
        grid = (-(-width // BLOCK[0]), -(-height // BLOCK[1]))
        with self._on_device(), _failures(f"the kernel {kernel} failed"):
            self._kernels[kernel](grid, BLOCK, (params,))

    def marker(self) -> Marker:
        """A new marker."""
        with self._on_device(), _failures("the GPU failed"):
            event = self._cupy.cuda.Event(disable_timing=True)
        return _EventMarker(event, self._stream)

    def synchronize(self) -> None:
        """Wait until everything has been done."""
        with _failures("the GPU failed"):
            self._stream.synchronize()

    def used_memory(self) -> int:
        """Bytes of the device's memory that are in use, by whomever."""
        with self._on_device(), _failures("the GPU's memory cannot be asked for"):
            free, total = self._cupy.cuda.runtime.memGetInfo()
        return int(total) - int(free)

    @contextlib.contextmanager
    def _on_device(self) -> Iterator[None]:
        """Each of the worker's threads has a current device and stream of its own."""
        with self._cupy.cuda.Device(self.number), self._stream:
            yield


class _EventMarker:
    """Satisfies :class:`doppel_worker.gpu.device.Marker` by a CUDA event; CuPy waits without the GIL."""

    def __init__(self, event: Any, stream: Any) -> None:
        self._event, self._stream = event, stream

    def set(self) -> None:
        """The place is here."""
        with _failures("the GPU failed"):
            self._event.record(self._stream)

    def wait(self) -> None:
        """Wait until the stream has come to where it was set."""
        with _failures("the GPU failed"):
            self._event.synchronize()


def _import() -> Any:
    try:
        import cupy
    except (ImportError, OSError) as error:
        raise DeviceError(
            sentence(
                "device.no-cupy",
                "CuPy cannot be loaded ({why}); install Doppel again with --device gpu, or run doctor",
                why=error,
            )
        ) from error
    return cupy


@contextlib.contextmanager
def _failures(what: str) -> Iterator[None]:
    """Errors of CuPy, CUDA and its compiler as a DeviceError that says what to do."""
    cupy = _import()
    expected = (RuntimeError, MemoryError, ImportError, OSError, cupy.cuda.compiler.CompileException)
    try:
        yield
    except expected as error:
        status = getattr(error, "status", None)
        if status == _OLD_DRIVER:
            why = sentence(
                "device.old-driver",
                "no NVIDIA driver for CUDA 13 was found; install driver 580 or newer, or run doctor",
            )
        elif status == _NO_DEVICE:
            why = sentence("device.no-gpu", "no NVIDIA GPU was found")
        else:
            why = sentence("device.run-doctor", "{why}; run doctor", why=error)
        kind = DeviceLostError if status in _LOST else DeviceError
        raise kind(sentence("device.what-why", "{what}: {why}", what=what, why=why)) from error
