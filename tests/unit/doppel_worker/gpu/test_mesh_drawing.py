"""The mesh engine's faces by the kernels, against those of the processor.

Both round to bytes, so they may be 1 apart, and one pixel in a thousand by 3: where a pixel lies on the line
between two triangles, and in the light of large crops, which the processor reduces by fewer samples.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from doppel_models.engines.base import LookSettings, SwapResult
from doppel_models.engines.mesh import regions
from doppel_models.engines.mesh.engine import MeshEngine
from doppel_models.engines.mesh.on_device import DeviceMeshEngine
from doppel_models.engines.mesh.persona import MeshPersona
from doppel_models.types import FloatArray
from doppel_worker.gpu.compositor_cuda import CudaCompositor
from doppel_worker.gpu.device import Device

from tests.support.frames import i420_frame
from tests.support.gpu import devices
from tests.support.kernel_device import KernelDevice
from tests.support.live_face import LiveFace, live_face, plain_persona, swap
from tests.support.personas import portrait_persona
from tests.support.turned_face import turned_face

FADING = LookSettings(yaw_fade_start=0.0, yaw_fade_end=179.0)
LOOKS = {
    "usual": LookSettings(),
    "weak": LookSettings(strength=0.6, edge_softness=1.0, proportions=0.4),
    "own colours": LookSettings(color_match="none", keep_eyes=False, keep_mouth=False),
    "fading": FADING,
}


class Pair:
    """One face through both engines."""

    def __init__(self, device: Device, persona: MeshPersona) -> None:
        self.device = device
        self.compositor = CudaCompositor(device)
        self.cpu, self.gpu = MeshEngine(persona), DeviceMeshEngine(persona, self.compositor.mesh)
        self.states = self.cpu.new_state(), self.gpu.new_state()
        self.count = 0

    def next(self, live: LiveFace, look: LookSettings | None = None) -> tuple[SwapResult, SwapResult]:
        self.count += 1
        # What lies on the device is gone with the frame: another one comes.
        tiny = i420_frame(np.zeros((8, 8, 3), np.uint8), self.count)
        self.compositor.sample(tiny, np.eye(2, 3, dtype=np.float32), (4, 4))
        return (
            swap(self.cpu, live, look, self.states[0], self.count),
            swap(self.gpu, live, look, self.states[1], self.count),
        )


@pytest.fixture(params=devices(), ids=lambda make: make.__name__)
def device(request: pytest.FixtureRequest) -> Device:
    made: Device = request.param()
    return made


def apart(one: np.ndarray | None, other: np.ndarray | None) -> np.ndarray:
    assert (one is None) == (other is None)
    return np.zeros(1, int) if one is None else np.abs(one.astype(int) - other)


def assert_alike(one: SwapResult, other: SwapResult) -> None:
    assert one.pose_fade == other.pose_fade
    for name in ("mask", "cover_mask", "veil_mask"):
        assert apart(getattr(one, name), getattr(other, name)).max() <= 1, name
    seen = (one.mask > 0) | (other.mask > 0)
    colors = apart(one.rgb, other.rgb)[seen]
    assert colors.max(initial=0) <= 3
    assert np.count_nonzero(colors > 1) <= 0.001 * colors.size


def moved(points: FloatArray, mouth: float, shut: float) -> FloatArray:
    """The lower lip moved down by a part of the mouth's width, the upper eyelids by a part of their way."""
    changed = points.copy()
    width = float(np.linalg.norm(points[61, :2] - points[291, :2]))
    changed[regions.LIPS_INNER_LOWER[1:-1], 1] += mouth * width
    for upper, lower in (
        (regions.RIGHT_EYE_UPPER, regions.RIGHT_EYE_LOWER),
        (regions.LEFT_EYE_UPPER, regions.LEFT_EYE_LOWER),
    ):
        changed[upper[1:-1]] += (points[lower[1:-1]] - points[upper[1:-1]]) * np.float32(shut)
    return changed


@pytest.mark.parametrize("look", LOOKS)
def test_frames_with_every_expression(device: Device, look: str) -> None:
    pair = Pair(device, portrait_persona())
    live = live_face(1.6)
    for n, (mouth, shut) in enumerate([(0, 0), (0.3, 0), (0.1, 0.5), (0, 1), (0.2, 0.9), (0, 0)]):
        points = moved(live.points, mouth, shut) + np.float32([0.4 * n, -0.3 * n, 0])
        assert_alike(*pair.next(live.with_points(points), LOOKS[look]))


@pytest.mark.parametrize("yaw", [-48.0, -25.0, 12.0, 35.0, 60.0])
def test_turned_heads(device: Device, yaw: float) -> None:
    """The nose hides a part of the cheek behind it: the nearer triangle must win."""
    pair = Pair(device, portrait_persona())
    picture, vertices = turned_face(yaw, width=300, height=300, face_px=180)
    points = np.concatenate([vertices, np.zeros((10, 3), np.float32)])
    live = LiveFace(picture, points)
    for look in (LookSettings(yaw_fade_start=90, yaw_fade_end=99), FADING):
        assert_alike(*pair.next(live, look))


@pytest.mark.parametrize("scale", [0.25, 0.6, 1.0, 3.0, 5.0])
def test_small_and_large_faces(device: Device, scale: float) -> None:
    pair = Pair(device, portrait_persona())
    for _ in range(3):
        assert_alike(*pair.next(live_face(scale)))


@pytest.mark.parametrize("cut", ["left", "right", "top", "bottom"])
def test_faces_at_the_frames_edge(device: Device, cut: str) -> None:
    pair = Pair(device, portrait_persona())
    live = live_face(1.5)
    height, width = live.rgb.shape[:2]
    left, top = {"left": (width // 2, 0), "top": (0, height // 2)}.get(cut, (0, 0))
    right, bottom = {"right": (width // 2, height), "bottom": (width, height // 2)}.get(cut, (width, height))
    shown = np.ascontiguousarray(live.rgb[top:bottom, left:right])
    at = LiveFace(shown, live.points - np.float32([left, top, 0]))
    face = dataclasses.replace(live.face, landmarks=at.points)
    for n in range(3):
        pair.count += 1
        given = at.points, face, LookSettings()
        one = pair.cpu.swap(shown, *given, pair.states[0], n)
        other = pair.gpu.swap(shown, *given, pair.states[1], n)
        assert_alike(one, other)
        assert (one.mask > 0).any()


def test_a_hand_in_front_is_veiled_and_left_out(device: Device) -> None:
    """Half a second of a bare face, then half of it is covered."""
    pair = Pair(device, portrait_persona())
    live = live_face(1.5)
    covered = live.rgb.copy()
    x, y = np.rint(live.points[[234, 152], :2].mean(axis=0)).astype(int)
    cv2.circle(covered, (int(x), int(y)), 45, (30, 90, 30), -1)
    veiled = 0
    for n in range(24):
        one, other = pair.next(live if n < 16 else live.with_picture(covered))
        assert_alike(one, other)
        veiled += one.veil_mask is not None
    assert veiled >= 3


def test_a_painted_mask_keeps_its_colours(device: Device) -> None:
    pair = Pair(device, plain_persona())
    for _ in range(3):
        assert_alike(*pair.next(live_face(1.2)))


def test_nothing_is_allocated_once_the_first_frames_have_passed() -> None:
    device = KernelDevice()
    pair = Pair(device, portrait_persona())
    live = live_face(1.4)
    for n in range(4):
        pair.next(live, FADING if n % 2 else None)
    before = device.allocations
    for n in range(8):
        pair.next(live, FADING if n % 2 else None)
    assert device.allocations == before


def test_only_little_comes_down_and_goes_up() -> None:
    """The face itself stays: what comes down is the live texture, in every second frame."""
    device = KernelDevice()
    pair = Pair(device, portrait_persona())
    live = live_face(3.0)
    crop = pair.compositor.mesh.crop(live.rgb)
    look, amounts = LookSettings(), []
    for n in range(8):
        before = device.uploaded, device.downloaded
        pair.gpu.swap_on_device(
            pair.compositor.mesh, crop, live.points, live.face, look, pair.states[1], n * 33_000_000
        )
        amounts.append((device.uploaded - before[0], device.downloaded - before[1]))
    assert [down for _, down in amounts[2:]] == [64 * 64 * 3, 0] * 3
    assert max(up for up, _ in amounts[2:]) < 150_000 < live.rgb.nbytes
