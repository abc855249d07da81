"""The kernels against the CPU's compositor: at most 1 of 255 apart, for every pixel format.

They run as a C++ compiler makes them, and on a GPU where there is one.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from doppel_ipc.pixel_format import PixelFormat
from doppel_models.tensor import DeviceTensor, TensorFormat
from doppel_worker.compositor import ColorShift, Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.errors import FrameError
from doppel_worker.frame import FrameView
from doppel_worker.gpu.compositor_cuda import CudaCompositor
from doppel_worker.gpu.device import Device
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import reference_compositor as reference
from tests.support.compositor_frames import (
    ALL_FORMATS,
    apart,
    frames,
    frames_with_rect,
    noise,
    picture_and_mask,
    planes_apart,
    similarity,
)
from tests.support.gpu import copied, devices, why_no_gpu

FORMATS = {
    "unit": TensorFormat(),
    "arcface": TensorFormat(channels="bgr", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    "imagenet": TensorFormat(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
    "dfm": TensorFormat(layout="nhwc", channels="bgr"),
    "half": TensorFormat(layout="nhwc", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), dtype="float16"),
}
SIZES = (70, 70)
"""The largest frames that are drawn, width and height."""
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
def matrices(draw: st.DrawFn, frame: FrameView, dsize: tuple[int, int]) -> np.ndarray:
    """Tiny and huge faces, turned, inside the frame, cut by its edge, and outside."""
    return similarity(
        2 ** draw(st.floats(-5, 3)),
        draw(st.floats(-math.pi, math.pi)),
        (draw(st.floats(-20, frame.width + 20)), draw(st.floats(-20, frame.height + 20))),
        (dsize[0] / 2, dsize[1] / 2),
    )


many = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(frames_with_rect(most=SIZES))
@many
def test_read(compositor: CudaCompositor, case: tuple[FrameView, Rect]) -> None:
    frame, rect = case
    assert apart(compositor.read(frame, rect), cpu.read(frame, rect)) <= 1
    compositor.finish(frame)


@given(st.data(), frames(most=SIZES))
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


@given(frames_with_rect(most=SIZES), st.integers(0, 2**16))
@many
def test_paste(compositor: CudaCompositor, case: tuple[FrameView, Rect], seed: int) -> None:
    frame, rect = case
    rgb, mask = picture_and_mask(rect, seed)
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
@given(data=st.data(), frame=frames(8, SIZES), seed=st.integers(0, 2**16))
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


@given(frames_with_rect(20, SIZES), st.integers(0, 2**16))
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
