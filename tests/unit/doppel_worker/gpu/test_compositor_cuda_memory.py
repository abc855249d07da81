"""What the device's compositor sends, keeps and locks of memory, and what it does when the device fails."""

from __future__ import annotations

import dataclasses
import mmap
import threading

import numpy as np
import pytest
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_models.tensor import TensorFormat
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.errors import DeviceError
from doppel_worker.frame import ColorInfo, FrameView
from doppel_worker.frame_memory import memory_of
from doppel_worker.gpu.compositor_cuda import CudaCompositor
from doppel_worker.slot_frame import planes_of

from tests.support import reference_compositor as reference
from tests.support.compositor_frames import noise, planes_apart, similarity
from tests.support.kernel_device import KernelDevice
from tests.support.stream_device import StreamDevice

cpu = CpuCompositor()


def test_only_what_is_needed_goes_up_and_only_what_changed_comes_down() -> None:
    device = KernelDevice()
    compositor = CudaCompositor(device)
    frame = reference.make_frame(PixelFormat.I420, 1920, 1080)
    matrix = similarity(128 / 400, 0.0, (900, 500), (64, 64))
    tensor = compositor.sample_tensor(frame, matrix, (128, 128), TensorFormat())
    window = device.uploaded
    assert window < 1.5 * (430 * 430)  # of 4:2:0, a face of 400 pixels and its margin
    mask = np.full((128, 128), 255, np.uint8)
    compositor.paste_tensor(frame, matrix, tensor, TensorFormat(), mask)
    assert device.uploaded == window + mask.size
    compositor.finish(frame)
    assert device.downloaded <= 1.5 * (404 * 404)


def test_nothing_is_allocated_once_it_runs() -> None:
    device = KernelDevice()
    compositor = CudaCompositor(device)
    counts = []
    for number in range(4):
        frame = dataclasses.replace(reference.make_frame(PixelFormat.NV12, 640, 360), frame_id=number)
        for _ in range(3):
            tensor = compositor.sample_tensor(
                frame, similarity(0.4, 0.1, (300, 200), (64, 64)), (128, 128), TensorFormat()
            )
            compositor.paste_tensor(
                frame, similarity(0.4, 0.1, (300, 200), (64, 64)), tensor, TensorFormat(), noise(1, 128, 128)
            )
            compositor.blur(frame, Rect(0, 0, 100, 90), noise(2, 90, 100))
            # Faces move: their rectangles are of another size in every frame.
            compositor.read(frame, Rect(0, 0, 100 + 2 * number, 90))
        compositor.finish(frame)
        counts.append(device.allocations)
    assert counts[0] == counts[-1]


@pytest.mark.parametrize("can_register", [True, False])
def test_memory_that_cannot_be_page_locked_is_copied_once_more_and_said_so(can_register: bool) -> None:
    device = KernelDevice(can_register=can_register)
    compositor = CudaCompositor(device)
    layout = FrameLayout.of(PixelFormat.UYVY, 64, 48)
    with mmap.mmap(-1, 2 * layout.size) as segment:
        view = memoryview(segment)
        frame = FrameView(
            layout, planes_of(view[layout.size :], layout), ColorInfo.bt709_limited(), False, 7, 7
        )
        frame.planes[0][:] = noise(3, *frame.planes[0].shape)
        memory = memory_of(frame)
        assert memory is not None
        assert memory.size == 2 * layout.size
        want = reference.copy_frame(frame)
        rgb, mask = noise(4, 20, 30, 3), noise(5, 20, 30)
        cpu.paste(want, Rect(2, 3, 32, 23), rgb, mask)
        compositor.paste(frame, Rect(2, 3, 32, 23), rgb, mask)
        compositor.finish(frame)
        assert planes_apart(frame, want) <= 1
        assert bool(device.registered) == can_register
        assert ("page-locked" in compositor.note) == (not can_register)
        compositor.release(memory)
        assert not device.registered
        del frame
        view.release()


def test_a_failed_device_is_told_and_the_frame_is_covered_all_the_same() -> None:
    device = KernelDevice()
    compositor = CudaCompositor(device)
    frame = reference.make_frame(PixelFormat.I420, 320, 160)
    want = reference.copy_frame(frame)
    cpu.cover(want)
    device.broken = True
    with pytest.raises(DeviceError):
        compositor.sample(frame, similarity(1, 0, (50, 50), (8, 8)), (16, 16))
    compositor.cover(frame)
    assert planes_apart(frame, want) == 0


def test_what_a_failed_frame_has_left_on_its_way_does_not_get_into_the_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A download that is still to come lies in page-locked memory, which the next frame fills."""
    device = StreamDevice()
    compositor = CudaCompositor(device)
    first, second = (
        dataclasses.replace(reference.make_frame(PixelFormat.I420, 320, 160), frame_id=number)
        for number in (1, 2)
    )
    want = reference.copy_frame(second)
    may_go_on = threading.Event()

    def fails() -> None:
        raise DeviceError("no memory on the GPU")

    device.put(lambda: assert_set(may_go_on))
    with monkeypatch.context() as patch:
        patch.setattr(compositor.device, "synchronize", fails)
        with pytest.raises(DeviceError):
            compositor.read(first, Rect(0, 0, 128, 128))
    later = threading.Timer(0.2, may_go_on.set)
    later.start()
    rgb, mask = noise(4, 64, 64, 3), noise(5, 64, 64)
    compositor.paste(second, Rect(0, 0, 64, 64), rgb, mask)
    compositor.finish(second)
    cpu.paste(want, Rect(0, 0, 64, 64), rgb, mask)
    assert planes_apart(second, want) <= 1
    later.join()
    device.close()


def assert_set(event: threading.Event) -> None:
    assert event.wait(60)
