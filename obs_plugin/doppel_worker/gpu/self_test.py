"""A look at a device before it is trusted: small pictures by its kernels, against the processor's.

Drivers, compilers and cards differ, and no test can run on all of them. A frame that is wrong is worse than a
slow one: what fails here works on the CPU, and the user is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_models import canonical
from doppel_models.engines.mesh import drawing, masks, relight
from doppel_models.engines.mesh.plan import Plan
from doppel_models.sentences import sentence
from doppel_models.types import ByteArray

from doppel_worker import sharpen
from doppel_worker.compositor import Compositor, Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.errors import DeviceError
from doppel_worker.frame import ColorInfo, FrameView
from doppel_worker.gpu import describe, sharpening
from doppel_worker.gpu.compositor_cuda import CudaCompositor

_WIDTH, _HEIGHT = 192, 144
_MOST: Final = 3
"""Of 255: what the CPU's own rounding may differ by in a crop's last columns, and a drawn face's edges."""
_MEAN: Final = 0.5
_RECT = Rect(16, 8, 176, 136)


def check(compositor: CudaCompositor) -> None:
    """Compare a device with the processor; a few milliseconds.

    Raises:
        DeviceError: it fails, or its pictures are others.
    """
    for pixel_format in (PixelFormat.NV12, PixelFormat.BGRA):
        pairs = zip(_frames(compositor, pixel_format), _frames(CpuCompositor(), pixel_format), strict=True)
        for (what, one), (_, other) in pairs:
            _compare(f"{what} of {pixel_format.name}", one, other)
    plan, crop = _face()
    drawn = compositor.mesh.draw(plan, compositor.mesh.keep(_noise(96, 96, 3)), compositor.mesh.crop(crop))
    here, there = drawing.Drawing().draw(plan, crop, drawing.lit_texture(plan)), compositor.mesh.fetch(drawn)
    _compare("mask of a drawn face", there.mask, here.mask)
    seen = here.mask > 0
    _compare("drawn face", there.rgb[seen], here.rgb[seen])
    rgb, round_mask = _striped()
    above, over = (compositor.ops.upload(array) for array in (rgb, round_mask))
    made = sharpening.sharpened(compositor.ops, describe.picture(above), over, 1.0)
    _compare("sharpened face", compositor.ops.fetch_bytes(made), sharpen.sharpened(rgb, round_mask, 1.0))


def _frames(compositor: Compositor, pixel_format: PixelFormat) -> Iterator[tuple[str, ByteArray]]:
    layout = FrameLayout.of(pixel_format, _WIDTH, _HEIGHT)
    planes = tuple(_noise(*shape) for shape in zip(layout.rows, layout.linesize, strict=True))
    frame = FrameView(layout, planes, ColorInfo.bt709_limited(), False, 1, 1)
    yield "rectangle", compositor.read(frame, _RECT)
    turned = np.array([[0.6, 0.2, -20.0], [-0.2, 0.6, 15.0]], np.float32)
    yield "crop", compositor.sample(frame, turned, (96, 80))
    yield "large crop", compositor.sample(frame, turned * np.float32(0.3), (48, 40))
    size = _RECT.height, _RECT.width
    compositor.blur(frame, _RECT, _noise(*size))
    compositor.paste(frame, _RECT, _noise(*size, 3), _noise(*size) // 2)
    compositor.finish(frame)
    for number, plane in enumerate(frame.planes):
        yield f"edited plane {number}", plane.copy()
    compositor.cover(frame)
    for number, plane in enumerate(frame.planes):
        yield f"covered plane {number}", plane.copy()


def _face() -> tuple[Plan, ByteArray]:
    """The canonical face, and noise as the live one."""
    vertices = canonical.load().vertices
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    # Nowhere do edges run through the middle of pixels, where either answer is right.
    scale, shift = np.float32(119.3 / float((high - low)[1])), np.array([13.37, 11.83, 0.0], np.float32)
    turn = np.array([[0.9986, 0.0523, 0], [-0.0523, 0.9986, 0], [0, 0, 1]], np.float32)
    target = np.asarray((vertices - low) * scale @ turn + shift, np.float32)
    gain = np.linspace(0.6, 1.4, relight.SIZE * relight.SIZE * 3, dtype=np.float32)
    plan = Plan(
        size=(144, 144),
        target=target,
        fade=0.0,
        mask=masks.feather(0.5),
        texture=_noise(96, 96, 3),
        gain=gain.reshape(relight.SIZE, relight.SIZE, 3),
    )
    return plan, _noise(144, 144, 3)


def _striped() -> tuple[ByteArray, ByteArray]:
    """A picture with detail to be raised, and a round mask."""
    y, x = np.indices((80, 96))
    rgb = _noise(80, 96, 3) // 2 + 60 * (x // 5 % 2)[..., None].astype(np.uint8)
    return np.asarray(rgb, np.uint8), np.asarray(255 * (np.hypot(x - 50, y - 40) < 36), np.uint8)


def _noise(*shape: int) -> ByteArray:
    """Smooth enough that a hundredth of a pixel does not show."""
    at = np.indices(shape).astype(np.float32)
    waves = sum(np.sin(axis / (5.0 + 2 * number)) for number, axis in enumerate(at))
    return np.asarray(127 + 40 * waves, np.uint8)


def _compare(what: str, one: ByteArray, other: ByteArray) -> None:
    apart = np.abs(one.astype(np.int16) - other)
    if apart.max(initial=0) > _MOST or float(apart.mean()) > _MEAN:
        raise DeviceError(
            sentence(
                "device.kernels",
                "its kernels do not give the CPU's picture ({what}: up to {levels} of 255 apart); update the"
                " graphics driver, or report this with doctor's output",
                what=what,
                levels=int(apart.max()),
            )
        )
