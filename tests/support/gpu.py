"""Devices that the GPU compositor's tests run on: the C++ compilers here, and a GPU where there is one."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import numpy as np
from doppel_models.tensor import DeviceTensor
from doppel_worker.errors import DeviceError
from doppel_worker.gpu.cuda_device import CudaDevice, cuda_devices
from doppel_worker.gpu.device import Device
from doppel_worker.gpu.memory import host_view

from tests.support.kernel_device import KernelDevice


def by_gcc() -> Device:
    return KernelDevice("g++")


def by_clang() -> Device:
    return KernelDevice("clang++")


def on_gpu() -> Device:
    return CudaDevice(0)


def why_no_gpu() -> str:
    """Why the tests cannot run on a GPU here; empty: they can."""
    try:
        return "" if cuda_devices() else "this machine has no GPU"
    except DeviceError as error:
        return str(error)


def devices() -> list[Callable[[], Device]]:
    compiled = [make for make, name in ((by_gcc, "g++"), (by_clang, "clang++")) if shutil.which(name)]
    return [*compiled, *([] if why_no_gpu() else [on_gpu])]


def copied(device: Device, tensor: DeviceTensor) -> np.ndarray:
    """A tensor's values as an array."""
    array = np.empty(tensor.shape, tensor.dtype)
    pinned = device.allocate_pinned(array.nbytes)
    device.copy(pinned.address, array.nbytes, tensor.pointer, array.nbytes, array.nbytes, 1)
    device.synchronize()
    array.reshape(-1).view(np.uint8)[:] = host_view(pinned, 0, array.nbytes)
    return array
