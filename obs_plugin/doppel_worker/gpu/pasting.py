"""Pictures into the frame in hand, by one kernel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from doppel_models.tensor import DeviceTensor

from doppel_worker.color import ColorConversion
from doppel_worker.compositor import UNCHANGED, ColorShift, Rect
from doppel_worker.compositor_cpu import stored_rect
from doppel_worker.frame import FrameView
from doppel_worker.gpu import describe, structs
from doppel_worker.gpu.device import Device
from doppel_worker.gpu.device_frame import DeviceFrames
from doppel_worker.gpu.structs import Struct, struct


class Pasting:
    """Brings up what it needs of the frame in hand and launches the kernel; nothing waits."""

    def __init__(self, device: Device, frames: DeviceFrames) -> None:
        self._device, self._frames = device, frames

    def paste(
        self,
        frame: FrameView,
        rect: Rect,
        picture: Struct,
        mask: DeviceTensor,
        moved: npt.NDArray[np.float64] | None = None,
        shift: ColorShift = UNCHANGED,
    ) -> None:
        """What the ``paste`` methods of ``Compositor`` do.

        Args:
            frame: the one in hand.
            rect: inside it.
            picture: of the mask's size, as the kernels see it.
            mask: of bytes.
            moved: (2, 3), pixels of the rectangle -> pixels of picture and mask; None: the same ones.
            shift: moves the picture's colours first.

        Raises:
            DeviceError: the device failed.
        """
        stored = stored_rect(frame, rect)
        mode, (x_shift, y_shift) = describe.mode_of(frame), describe.chroma_shifts(frame)
        colors: dict[str, object] = {}
        if mode != structs.PACKED_RGB:
            colors["to_yuv"] = ColorConversion.of(frame.color).to_yuv.ravel()
        if moved is not None:
            colors["matrix"] = moved.ravel()
        self._frames.bring(frame, stored)
        height, width = describe.mask_size(mask)
        params = struct(
            structs.PASTE,
            planes=describe.whole_planes(self._frames, frame),
            picture=picture[0],
            mask=describe.mask(mask)[0],
            gain=shift.gain,
            shift=shift.offset,
            mode=mode,
            x_shift=x_shift,
            y_shift=y_shift,
            flip=frame.flip,
            frame_width=frame.width,
            frame_height=frame.height,
            x0=stored.x0,
            y0=stored.y0,
            x1=stored.x1,
            y1=stored.y1,
            width=width,
            height=height,
            warp=moved is not None,
            recolour=shift != UNCHANGED,
            **colors,
        )
        across = -(-stored.x1 >> x_shift) - (stored.x0 >> x_shift)
        down = -(-stored.y1 >> y_shift) - (stored.y0 >> y_shift)
        self._device.launch("paste_rect", across, down, params)
        self._frames.changed(stored)
