"""Pictures out of the frame in hand, by the kernels; they stay on the device."""

from __future__ import annotations

import numpy as np
from doppel_models.types import FloatArray

from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import stored_matrix, stored_rect
from doppel_worker.frame import FrameView
from doppel_worker.gpu import describe, structs
from doppel_worker.gpu.device import Device
from doppel_worker.gpu.device_frame import DeviceFrames
from doppel_worker.gpu.memory import DeviceScratch
from doppel_worker.gpu.structs import Struct, struct
from doppel_worker.plane_access import Component
from doppel_worker.warping import Window


class Taking:
    """Brings up what it needs of the frame in hand and launches the kernels; nothing waits."""

    def __init__(self, device: Device, frames: DeviceFrames, scratch: DeviceScratch) -> None:
        self._device, self._frames, self._scratch = device, frames, scratch

    def crop(self, frame: FrameView, matrix: FloatArray, dsize: tuple[int, int], target: Struct) -> None:
        """What ``Compositor.sample`` gives, into a tensor.

        Raises:
            FrameError: as the CPU's.
            DeviceError: the device failed.
        """
        forward = stored_matrix(frame, matrix)
        window = Window.of(forward, dsize, frame.width, frame.height)
        half = window.halved()
        colors = describe.color_fields(frame)
        self._frames.bring(frame, window.rect)
        planes = np.zeros(3, structs.SAMPLES)
        mode, chroma = describe.mode_of(frame), describe.chroma_shifts(frame)
        for index, component in enumerate(describe.components_of(frame)):
            is_chroma = mode == structs.LUMA_CHROMA and index > 0
            planes[index] = self._reduced(frame, component, half if is_chroma else window)[0]
        params = struct(
            structs.CROP,
            planes=planes,
            to=target[0],
            whole=describe.sampling_matrix(window.component_matrix(0, 0)),
            half=describe.sampling_matrix(half.component_matrix(*chroma)),
            mode=mode,
            width=dsize[0],
            height=dsize[1],
            **colors,
        )
        self._device.launch("sample_crop", *dsize, params)

    def rectangle(self, frame: FrameView, rect: Rect, target: Struct) -> None:
        """What ``Compositor.read`` gives, into a tensor.

        Raises:
            FrameError: as the CPU's.
            DeviceError: the device failed.
        """
        stored = stored_rect(frame, rect)
        colors = describe.color_fields(frame)
        # Chroma is interpolated from one sample more on every side.
        around = Rect(stored.x0 - 2, stored.y0 - 2, stored.x1 + 2, stored.y1 + 2)
        self._frames.bring(frame, around.clipped(frame.width, frame.height))
        x_shift, y_shift = describe.chroma_shifts(frame)
        params = struct(
            structs.READ,
            planes=describe.whole_planes(self._frames, frame),
            to=target[0],
            mode=describe.mode_of(frame),
            x0=stored.x0,
            y0=stored.y0,
            width=rect.width,
            height=rect.height,
            x_shift=x_shift,
            y_shift=y_shift,
            flip=frame.flip,
            **colors,
        )
        self._device.launch("read_rect", rect.width, rect.height, params)

    def _reduced(self, frame: FrameView, component: Component, window: Window) -> Struct:
        """A component's samples of a window, averaged down by what its subsampling leaves to do."""
        samples = describe.samples_of(self._frames, frame, component, component.covering(window.rect))
        for fx, fy in window.reductions(component.x_shift, component.y_shift):
            width, height = -(-int(samples["width"][0]) // fx), -(-int(samples["height"][0]) // fy)
            reduced = describe.dense(self._scratch.take(width * height), width, height)
            params = struct(structs.REDUCE, to=reduced[0], fx=fx, fy=fy)
            params["from"] = samples
            self._device.launch("reduce_blocks", width, height, params)
            samples = reduced
        return samples
