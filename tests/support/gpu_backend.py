"""The product's backend on a device whose kernels run on the processor, as fixtures (see ``conftest``)."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from doppel_ipc.verdict import Verdict
from doppel_models.session import SessionConfig
from doppel_worker import open_device
from doppel_worker.backend import BackendConfig, LaneProcessor
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.devices import CPU, Choice, DeviceInfo
from doppel_worker.frame import FrameView
from doppel_worker.gpu.compositor_cuda import CudaCompositor
from doppel_worker.open_device import OpenDevice
from doppel_worker.swap_backend import SwapBackend, load

from tests.support.faces import room
from tests.support.frames import i420_frame
from tests.support.kernel_device import KernelDevice
from tests.support.portrait import astronaut, paste_head

GPU = DeviceInfo("cuda:0", "stand-in", 1024, "CPUExecutionProvider")


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> KernelDevice:
    """``auto`` is a device whose kernels run on the processor; its networks do so too."""
    device = KernelDevice()
    compositor = CudaCompositor(device)

    def opened(wanted: str, _fallback: Callable[[str], None]) -> OpenDevice:
        if wanted == CPU or device.broken:  # what is broken fails its own test
            return OpenDevice(Choice(DeviceInfo(CPU, CPU, None, "")).device, CpuCompositor(), SessionConfig())
        return OpenDevice(GPU, compositor, SessionConfig())

    monkeypatch.setattr(open_device, "open_device", opened)
    return device


@pytest.fixture
def gpu_backend(gpu: KernelDevice, tmp_path: Path) -> tuple[SwapBackend, list[tuple[str, str]]]:
    told: list[tuple[str, str]] = []
    return load(BackendConfig(tmp_path, lambda code, text: told.append((code, text)))), told


def frame(number: int) -> FrameView:
    canvas = room(320, 240)
    paste_head(canvas, astronaut(), center=(150.0, 115.0), height=120.0)
    return i420_frame(canvas, number)


def until_swapped(lane: LaneProcessor) -> None:
    deadline, number = time.monotonic() + 60, 0
    while lane.process(frame(number := number + 1)).verdict is not Verdict.SWAPPED:
        assert time.monotonic() < deadline
