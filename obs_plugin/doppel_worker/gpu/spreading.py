"""Blur and mosaic of the frame in hand, by the kernels: means of areas, spread over them again."""

from __future__ import annotations

from doppel_models.tensor import DeviceTensor

from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import BLUR_CELLS, COVER_BLOCKS
from doppel_worker.frame import FrameView
from doppel_worker.gpu import describe, structs
from doppel_worker.gpu.device import Device
from doppel_worker.gpu.device_frame import DeviceFrames
from doppel_worker.gpu.memory import DeviceScratch
from doppel_worker.gpu.structs import Struct, struct
from doppel_worker.plane_access import Component

SMALLEST = 4 * BLUR_CELLS
"""Pixels: a blurred region with a shorter side is not worth a journey."""


class Spreading:
    """Brings up what it needs of the frame in hand and launches the kernels; nothing waits."""

    def __init__(self, device: Device, frames: DeviceFrames, scratch: DeviceScratch) -> None:
        self._device, self._frames, self._scratch = device, frames, scratch

    def blur(self, frame: FrameView, stored: Rect, mask: DeviceTensor) -> None:
        """What ``Compositor.blur`` does to a rectangle (storage coordinates) under a mask of its size.

        Raises:
            DeviceError: the device failed.
        """
        self._frames.bring(frame, stored)
        over = describe.mask(mask)[0]
        shorter, longer = sorted((stored.width, stored.height))
        cell = max(1.0, shorter / BLUR_CELLS, longer / (2 * BLUR_CELLS))
        grid = (max(1, round(stored.width / cell)), max(1, round(stored.height / cell)))
        for component in describe.components_of(frame):
            inside = component.inside(stored, frame)
            if inside.width == 0 or inside.height == 0:
                continue
            params = struct(
                structs.SPREAD,
                mask=over,
                x_shift=component.x_shift,
                y_shift=component.y_shift,
                flip=frame.flip,
                mask_x=(inside.x0 << component.x_shift) - stored.x0,
                mask_y=(inside.y0 << component.y_shift) - stored.y0,
                mask_width=stored.width,
                mask_height=stored.height,
            )
            self._spread(frame, component, inside, grid, "blur_region", params)
        self._frames.changed(stored)

    def cover(self, frame: FrameView) -> None:
        """What ``Compositor.cover`` does; see :func:`can_cover`.

        Raises:
            DeviceError: the device failed.
        """
        whole = Rect(0, 0, frame.width, frame.height)
        self._frames.bring(frame, whole)
        for component in describe.components_of(frame):
            part = Rect(0, 0, *component.size(frame))
            self._spread(frame, component, part, _blocks(frame), "cover_region", struct(structs.SPREAD))
        self._frames.changed(whole)

    def _spread(
        self,
        frame: FrameView,
        component: Component,
        part: Rect,
        grid: tuple[int, int],
        kernel: str,
        params: Struct,
    ) -> None:
        """Means of ``part`` (in samples) on a grid, and the kernel that enlarges them over it."""
        samples = describe.samples_of(self._frames, frame, component, part)
        cells = describe.dense(self._scratch.take(grid[0] * grid[1]), *grid)
        means = struct(
            structs.AREA,
            to=cells[0],
            rows=self._scratch.take(4 * grid[0] * part.height),
            even=part.width % grid[0] == 0 and part.height % grid[1] == 0,
        )
        means["from"] = samples
        self._device.launch("area_rows", grid[0], part.height, means)
        self._device.launch("area_cells", *grid, means)
        params["cells"], params["to"] = cells, samples
        self._device.launch(kernel, part.width, part.height, params)


def can_cover(frame: FrameView) -> bool:
    """False where a mosaic's blocks are smaller than a component's samples."""
    columns, rows = _blocks(frame)
    sizes = [component.size(frame) for component in describe.components_of(frame)]
    return all(width >= columns and height >= rows for width, height in sizes)


def _blocks(frame: FrameView) -> tuple[int, int]:
    """Blocks of a frame's mosaic, across and down."""
    rows = min(COVER_BLOCKS, frame.height)
    return max(1, round(frame.width * rows / frame.height)), rows
