"""Whole frames by the mesh engine, on the device and on the CPU: the same pictures."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from doppel_ipc.pixel_format import PixelFormat
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_models.engines.base import CropRequest
from doppel_models.engines.mesh.engine import MeshEngine
from doppel_models.engines.mesh.on_device import DeviceMeshEngine
from doppel_models.tensor import DeviceTensor
from doppel_models.types import ByteArray, FloatArray
from doppel_worker.assets import PersonaKey, PersonaLoader
from doppel_worker.compositor import Compositor, Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.frame import FrameView
from doppel_worker.gpu.compositor_cuda import CudaCompositor
from doppel_worker.pipeline import FacePipeline
from doppel_worker.report import Report

from tests.support import reference_compositor as reference
from tests.support.faces import room
from tests.support.kernel_device import KernelDevice
from tests.support.networks import detector, landmarker
from tests.support.personas import portrait_persona
from tests.support.portrait import astronaut, paste_head

ONE = ((300.0, 170.0, 150.0),)
TWO = ((190.0, 170.0, 130.0), (450.0, 180.0, 110.0))
LARGE = ((480.0, 400.0, 640.0),)


class Counted(CudaCompositor):
    """Counts faces that never leave the device.

    What the tracker looks at is the CPU's, to the byte: landmarks that lie a hundredth of a pixel elsewhere
    would show at the mesh's edges.
    """

    def __init__(self, device: KernelDevice) -> None:
        super().__init__(device)
        self.pasted = 0

    def paste_drawn(
        self, frame: FrameView, request: CropRequest, rgb: DeviceTensor, mask: DeviceTensor | ByteArray
    ) -> None:
        self.pasted += 1
        super().paste_drawn(frame, request, rgb, mask)

    def sample(self, frame: FrameView, matrix: FloatArray, dsize: tuple[int, int]) -> ByteArray:
        self._settle(frame)
        return CpuCompositor().sample(frame, matrix, dsize)


Heads = tuple[tuple[float, float, float], ...]


@functools.cache
def filmed(heads: Heads, pixel_format: PixelFormat, number: int) -> FrameView:
    width, height = (960, 800) if heads is LARGE else (640, 360)
    canvas = room(width, height)
    for x, y, size in heads:
        paste_head(canvas, astronaut(), center=(x + 0.7 * number, y), height=size)
    frame = reference.make_frame(pixel_format, width, height)
    CpuCompositor().paste(frame, Rect(0, 0, width, height), canvas, np.full((height, width), 255, np.uint8))
    return FrameView(frame.layout, frame.planes, frame.color, frame.flip, number, number * 33_000_000)


def frame_of(heads: Heads, pixel_format: PixelFormat, number: int) -> FrameView:
    """A frame of the test's own."""
    return reference.copy_frame(filmed(heads, pixel_format, number))


def run(
    compositor: Compositor,
    heads: tuple[tuple[float, float, float], ...],
    pixel_format: PixelFormat,
    **wanted: Any,
) -> tuple[list[FrameView], list[Report]]:
    on_device = isinstance(compositor, CudaCompositor)
    engine = (
        DeviceMeshEngine(portrait_persona(), compositor.mesh) if on_device else MeshEngine(portrait_persona())
    )
    chosen = FilterSettings(persona="portrait").replace(**wanted)
    loader = PersonaLoader(lambda _key: engine)  # type: ignore[arg-type, return-value]
    loader.wait(PersonaKey.of(chosen))
    pipeline = FacePipeline(compositor, detector(), landmarker(), loader)
    lane = pipeline.new_lane(chosen)
    frames = [frame_of(heads, pixel_format, number) for number in range(1, 6)]
    reports = [pipeline.process(frame, lane) for frame in frames]
    loader.close()
    return frames, reports


def assert_alike(
    one: list[FrameView],
    other: list[FrameView],
    heads: Heads,
    pixel_format: PixelFormat,
    two_apart: float = 0.002,
    most: int = 3,
) -> None:
    """``two_apart``: of the samples that the swap changed, the most that may differ by 2 to ``most``."""
    for a, b, number in zip(one, other, range(1, 6), strict=True):
        before = frame_of(heads, pixel_format, number)
        apart = [np.abs(x.astype(int) - y) for x, y in zip(a.planes, b.planes, strict=True)]
        changed = sum(int((x != y).sum()) for x, y in zip(a.planes, before.planes, strict=True))
        assert changed > 3000
        assert max(int(d.max()) for d in apart) <= most
        assert sum(int((d > 1).sum()) for d in apart) <= two_apart * changed


@pytest.mark.parametrize("heads", [ONE, TWO, LARGE], ids=["one", "two", "large"])
@pytest.mark.parametrize("pixel_format", [PixelFormat.NV12, PixelFormat.BGRA])
def test_the_device_gives_the_cpus_frames(heads: Heads, pixel_format: PixelFormat) -> None:
    device = Counted(KernelDevice())
    by_device, reports = run(device, heads, pixel_format, faces="all")
    by_cpu, expected = run(CpuCompositor(), heads, pixel_format, faces="all")
    assert [r.verdict for r in reports] == [r.verdict for r in expected] == [Verdict.SWAPPED] * 5
    assert device.pasted == 5 * len(heads)
    assert_alike(by_device, by_cpu, heads, pixel_format)


def test_a_sharpened_face_is_the_cpus() -> None:
    device = Counted(KernelDevice())
    by_device, _ = run(device, ONE, PixelFormat.NV12, sharpness=0.6)
    by_cpu, _ = run(CpuCompositor(), ONE, PixelFormat.NV12, sharpness=0.6)
    plain, _ = run(CpuCompositor(), ONE, PixelFormat.NV12)
    assert device.pasted == 5
    # Sharpening raises a difference of 1 as it raises all detail.
    assert_alike(by_device, by_cpu, ONE, PixelFormat.NV12, two_apart=0.03, most=6)
    apart = np.abs(by_cpu[-1].planes[0].astype(int) - plain[-1].planes[0])
    assert apart.max() > 10


@pytest.mark.parametrize("heads", [ONE, LARGE], ids=["one", "large"])
@pytest.mark.parametrize("policy", ["blur", "original"])
def test_a_turning_head_fades_as_on_the_cpu(heads: Heads, policy: str) -> None:
    wanted: dict[str, Any] = {"yaw_fade_start": 0.0, "yaw_fade_end": 60.0, "side_face_policy": policy}
    by_device, reports = run(Counted(KernelDevice()), heads, PixelFormat.I420, **wanted)
    by_cpu, expected = run(CpuCompositor(), heads, PixelFormat.I420, **wanted)
    assert [r.verdict for r in reports] == [r.verdict for r in expected]
    assert_alike(by_device, by_cpu, heads, PixelFormat.I420)


def test_a_blur_that_the_cpu_does_between_leaves_the_drawn_face_alone() -> None:
    """A tiny region is blurred here: the frame comes down and goes up again, the face waits on the device."""
    device = KernelDevice()
    compositor = CudaCompositor(device)
    frame = frame_of(ONE, PixelFormat.I420, 1)
    rgb, mask = np.full((40, 60, 3), 200, np.uint8), np.full((40, 60), 255, np.uint8)
    request = CropRequest(np.float32([[1, 0, -20], [0, 1, -30]]), (60, 40), (20, 30, 80, 70))
    compositor.live_crop(frame, request)
    above, over = compositor.ops.upload(rgb), compositor.ops.upload(mask)
    compositor.blur(frame, Rect(100, 100, 108, 108), np.full((8, 8), 255, np.uint8))
    # Whatever needs room now must not get the face's.
    compositor.blur(frame, Rect(100, 120, 300, 300), np.full((180, 200), 255, np.uint8))
    compositor.paste_drawn(frame, request, above, over)
    compositor.finish(frame)
    expected = frame_of(ONE, PixelFormat.I420, 1)
    cpu = CpuCompositor()
    cpu.blur(expected, Rect(100, 100, 108, 108), np.full((8, 8), 255, np.uint8))
    cpu.blur(expected, Rect(100, 120, 300, 300), np.full((180, 200), 255, np.uint8))
    cpu.paste(expected, Rect(20, 30, 80, 70), rgb, mask)
    for one, other in zip(frame.planes, expected.planes, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1


def test_nothing_is_allocated_once_the_first_frames_have_passed() -> None:
    device = KernelDevice()
    compositor = CudaCompositor(device)
    engine = DeviceMeshEngine(portrait_persona(), compositor.mesh)
    loader = PersonaLoader(lambda _key: engine)  # type: ignore[arg-type, return-value]
    settings = FilterSettings(persona="portrait")
    loader.wait(PersonaKey.of(settings))
    pipeline = FacePipeline(compositor, detector(), landmarker(), loader)
    lane = pipeline.new_lane(settings)
    counts = []
    for number in range(1, 11):
        pipeline.process(frame_of(ONE, PixelFormat.I420, number % 5), lane)
        counts.append(device.allocations)
    loader.close()
    assert counts[4:] == [counts[4]] * 6
