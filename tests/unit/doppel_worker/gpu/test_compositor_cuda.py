"""The kernels against the CPU's compositor: at most 1 of 255 apart, for every pixel format.

They run as a C++ compiler makes them, and on a GPU where there is one.
"""

from __future__ import annotations

import dataclasses
import math
import mmap

import numpy as np
import pytest
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_models.tensor import DeviceTensor, TensorFormat
from doppel_worker.compositor import ColorShift, Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.errors import DeviceError, FrameError
from doppel_worker.frame import ColorInfo, FrameView
from doppel_worker.frame_memory import memory_of
from doppel_worker.gpu.compositor_cuda import CudaCompositor
from doppel_worker.gpu.device import Device
from doppel_worker.slot_frame import planes_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import reference_compositor as reference
from tests.support.gpu import copied, devices, why_no_gpu
from tests.support.kernel_device import KernelDevice

ALL_FORMATS = list(PixelFormat)
FORMATS = {
    "unit": TensorFormat(),
    "arcface": TensorFormat(channels="bgr", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    "imagenet": TensorFormat(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
    "dfm": TensorFormat(layout="nhwc", channels="bgr"),
    "half": TensorFormat(layout="nhwc", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), dtype="float16"),
}
LAST = 4
"""Columns of a crop where OpenCV's chroma does not fill a vector: there it computes where a pixel lies
without fused multiplication, so that one byte in some 20,000, nearly halfway, is rounded the other way,
and a colour made of it may differ by 3."""
cpu = CpuCompositor()


@pytest.fixture(scope="module", params=devices(), ids=lambda make: make.__name__)
def device(request: pytest.FixtureRequest) -> Device:
    made: Device = request.param()
    return made


@pytest.fixture(scope="module")
def compositor(device: Device) -> CudaCompositor:
    return CudaCompositor(device)


@st.composite
def frames(draw: st.DrawFn, least: int = 1, most: int = 70) -> FrameView:
    return reference.make_frame(
        draw(st.sampled_from(ALL_FORMATS)),
        draw(st.integers(least, most)),
        draw(st.integers(least, most)),
        seed=draw(st.integers(0, 2**16)),
        padding=draw(st.sampled_from([0, 1, 3, 16])),
        flip=draw(st.booleans()),
        color=reference.COLORS[draw(st.sampled_from(sorted(reference.COLORS)))],
    )


@st.composite
def frames_with_rect(draw: st.DrawFn, least: int = 1) -> tuple[FrameView, Rect]:
    frame = draw(frames(least))
    x0, y0 = draw(st.integers(0, frame.width - least)), draw(st.integers(0, frame.height - least))
    return frame, Rect(
        x0, y0, draw(st.integers(x0 + least, frame.width)), draw(st.integers(y0 + least, frame.height))
    )


def similarity(scale: float, turn: float, at: tuple[float, float], to: tuple[float, float]) -> np.ndarray:
    """Frame -> crop: ``at`` of the frame lands on ``to`` of the crop."""
    c, s = scale * math.cos(turn), scale * math.sin(turn)
    matrix = np.array([[c, -s, 0], [s, c, 0]])
    matrix[:, 2] = np.array(to) - matrix[:, :2] @ np.array(at)
    return matrix.astype(np.float32)


@st.composite
def matrices(draw: st.DrawFn, frame: FrameView, dsize: tuple[int, int]) -> np.ndarray:
    """Tiny and huge faces, turned, inside the frame, cut by its edge, and outside."""
    return similarity(
        2 ** draw(st.floats(-5, 3)),
        draw(st.floats(-math.pi, math.pi)),
        (draw(st.floats(-20, frame.width + 20)), draw(st.floats(-20, frame.height + 20))),
        (dsize[0] / 2, dsize[1] / 2),
    )


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def apart(one: np.ndarray, other: np.ndarray) -> int:
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other).max(initial=0))


def planes_apart(one: FrameView, other: FrameView) -> int:
    return max(apart(a, b) for a, b in zip(one.planes, other.planes, strict=True))


many = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(frames_with_rect())
@many
def test_read(compositor: CudaCompositor, case: tuple[FrameView, Rect]) -> None:
    frame, rect = case
    assert apart(compositor.read(frame, rect), cpu.read(frame, rect)) <= 1
    compositor.finish(frame)


@given(st.data(), frames())
@many
def test_sample(compositor: CudaCompositor, data: st.DataObject, frame: FrameView) -> None:
    dsize = data.draw(st.sampled_from([(128, 16), (128, 31), (192, 24)]))
    matrix = data.draw(matrices(frame, dsize))
    there, here = compositor.sample(frame, matrix, dsize), cpu.sample(frame, matrix, dsize)
    compositor.finish(frame)
    assert apart(there[:, :-LAST], here[:, :-LAST]) <= 1
    assert apart(there[:, -LAST:], here[:, -LAST:]) <= 3


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("pixel_format", ALL_FORMATS, ids=lambda f: f.name)
def test_sample_tensor(
    compositor: CudaCompositor, device: Device, pixel_format: PixelFormat, name: str
) -> None:
    fmt = FORMATS[name]
    frame = reference.make_frame(pixel_format, 203, 151, padding=3, flip=name == "dfm")
    matrix = similarity(0.61, 0.4, (90, 70), (64, 32))
    tensor = compositor.sample_tensor(frame, matrix, (128, 64), fmt)
    assert isinstance(tensor, DeviceTensor)
    exact = np.asarray(cpu.sample_tensor(frame, matrix, (128, 64), fmt), np.float32)
    levels = 1.0 / 255 / min(fmt.std)
    assert tensor.shape == exact.shape
    assert np.abs(copied(device, tensor).astype(np.float32) - exact).max() <= levels * 1.01 + (
        1e-3 if fmt.dtype == "float16" else 0
    )
    compositor.finish(frame)


@given(frames_with_rect(), st.integers(0, 2**16))
@many
def test_paste(compositor: CudaCompositor, case: tuple[FrameView, Rect], seed: int) -> None:
    frame, rect = case
    rgb, mask = noise(seed, rect.height, rect.width, 3), noise(seed + 1, rect.height, rect.width)
    mask[noise(seed + 2, rect.height, rect.width) < 100] = 0
    want = reference.copy_frame(frame)
    cpu.paste(want, rect, rgb, mask)
    compositor.paste(frame, rect, rgb, mask)
    compositor.finish(frame)
    assert planes_apart(frame, want) <= 1


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("pixel_format", ALL_FORMATS, ids=lambda f: f.name)
def test_bytes_outside_the_rectangle_stay_identical(
    compositor: CudaCompositor, pixel_format: PixelFormat, flip: bool
) -> None:
    frame = reference.make_frame(pixel_format, 101, 75, padding=5, flip=flip)
    rect, full = Rect(11, 7, 90, 64), np.full((57, 79), 255, np.uint8)
    black, white = np.zeros((57, 79, 3), np.uint8), np.full((57, 79, 3), 255, np.uint8)
    # What two opposite pastes by the CPU leave alike is not the rectangle's alone.
    dark, light = reference.copy_frame(frame), reference.copy_frame(frame)
    cpu.paste(dark, rect, black, full)
    cpu.paste(light, rect, white, full)
    before = reference.copy_frame(frame)
    compositor.paste(frame, rect, noise(1, 57, 79, 3), full)
    compositor.blur(frame, rect, full)
    compositor.finish(frame)
    planes = zip(frame.planes, before.planes, dark.planes, light.planes, strict=True)
    for index, (after, was, one, other) in enumerate(planes):
        if pixel_format.is_yuv and (index > 0 or len(frame.planes) < 3 or pixel_format is PixelFormat.AYUV):
            # Neutral chroma is alike for black and white: there only what lies past the edges is held.
            rows = slice(0, 3 if flip else 2)
            assert (after[rows] == was[rows]).all()
            assert (after[-2:] == was[-2:]).all()
            continue
        assert (after[one == other] == was[one == other]).all()
        assert (after != was).mean() > 0.3


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data(), frame=frames(least=8), seed=st.integers(0, 2**16))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_paste_tensor(
    compositor: CudaCompositor, name: str, data: st.DataObject, frame: FrameView, seed: int
) -> None:
    fmt = FORMATS[name]
    size = data.draw(st.sampled_from([(24, 24), (32, 17)]))
    matrix = data.draw(matrices(frame, size))
    tensor, mask = fmt.encode(noise(seed, size[1], size[0], 3)), noise(seed + 1, size[1], size[0])
    tensor.reshape(-1)[:3] = np.nan, np.inf, -7
    shift = data.draw(st.sampled_from([ColorShift(), ColorShift((0.9, 1.1, 1.02), (4.5, -9.25, 0.5))]))
    want = reference.copy_frame(frame)
    expected = cpu.paste_tensor(want, matrix, tensor, fmt, mask, shift)
    assert compositor.paste_tensor(frame, matrix, tensor, fmt, mask, shift) == expected
    compositor.finish(frame)
    assert planes_apart(frame, want) <= 1


@given(frames_with_rect(least=20), st.integers(0, 2**16))
@many
def test_blur(compositor: CudaCompositor, case: tuple[FrameView, Rect], seed: int) -> None:
    frame, rect = case
    mask, want = noise(seed, rect.height, rect.width), reference.copy_frame(frame)
    cpu.blur(want, rect, mask)
    compositor.blur(frame, rect, mask)
    compositor.finish(frame)
    assert planes_apart(frame, want) <= 1


@pytest.mark.parametrize("size", [(320, 160), (321, 183), (66, 47), (9, 7)])
@pytest.mark.parametrize("pixel_format", ALL_FORMATS, ids=lambda f: f.name)
def test_cover(compositor: CudaCompositor, pixel_format: PixelFormat, size: tuple[int, int]) -> None:
    frame = reference.make_frame(pixel_format, *size, padding=2)
    want = reference.copy_frame(frame)
    cpu.cover(want)
    compositor.cover(frame)
    assert planes_apart(frame, want) <= 1


def test_what_is_read_after_a_paste_is_the_pasted(compositor: CudaCompositor) -> None:
    frame = reference.make_frame(PixelFormat.NV12, 96, 64)
    want = reference.copy_frame(frame)
    rects = [Rect(10, 8, 50, 40), Rect(31, 21, 90, 60), Rect(0, 0, 33, 64)]
    for number, rect in enumerate(rects):
        rgb, mask = noise(number, rect.height, rect.width, 3), noise(9 + number, rect.height, rect.width)
        cpu.paste(want, rect, rgb, mask)
        compositor.paste(frame, rect, rgb, mask)
    assert apart(compositor.read(frame, Rect(0, 0, 96, 64)), cpu.read(want, Rect(0, 0, 96, 64))) <= 4
    compositor.finish(frame)
    assert planes_apart(frame, want) <= 3  # three blends over one another, each 1 apart at most


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


def test_what_the_cpu_refuses_is_refused(compositor: CudaCompositor) -> None:
    frame = reference.make_frame(PixelFormat.I420, 64, 48)
    with pytest.raises(FrameError, match="not inside the frame"):
        compositor.read(frame, Rect(-1, 0, 5, 5))
    with pytest.raises(FrameError, match="does not fit"):
        compositor.paste(frame, Rect(0, 0, 10, 10), noise(0, 9, 10, 3), noise(0, 10, 10))
    with pytest.raises(FrameError, match="does not fit"):
        compositor.blur(frame, Rect(0, 0, 30, 30), noise(0, 10, 10))
    with pytest.raises(FrameError, match="no crop"):
        compositor.sample(frame, np.zeros((2, 3), np.float32), (8, 8))
    with pytest.raises(FrameError, match="does not fit"):
        compositor.paste_tensor(
            frame, similarity(1, 0, (5, 5), (5, 5)), np.zeros((1, 3, 8, 8), np.float32), TensorFormat(),
            noise(0, 9, 8),
        )  # fmt: skip


@pytest.mark.skipif(bool(why_no_gpu()), reason=f"no GPU: {why_no_gpu()}")
def test_a_gpu_of_this_machine_runs_the_tests_above() -> None:
    assert "on_gpu" in [make.__name__ for make in devices()]
