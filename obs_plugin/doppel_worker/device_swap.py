"""A face's way through an engine whose network runs where the compositor works: nothing of it is fetched."""

from __future__ import annotations

import dataclasses
from typing import TypeGuard, cast

import numpy as np
from doppel_models.engines.base import CropRequest, EngineState, FaceEngine, LookSettings, SwapResult
from doppel_models.engines.crops.color import Colors
from doppel_models.engines.crops.engine import CropEngine, CropState
from doppel_models.engines.crops.on_device import can_swap, direct_swap
from doppel_models.tensor import DeviceTensor, TensorFormat
from doppel_models.types import ByteArray, Face

from doppel_worker.compositor import ColorShift, Compositor
from doppel_worker.frame import FrameView
from doppel_worker.report import Stopwatch


@dataclasses.dataclass(frozen=True, slots=True)
class DevicePicture:
    """A swapped crop on the device, until its next swap."""

    tensor: DeviceTensor
    fmt: TensorFormat
    colors: Colors

    def paste(self, compositor: Compositor, frame: FrameView, request: CropRequest, mask: ByteArray) -> None:
        """Put it into the frame where its crop was taken, by a mask (h, w) of the crop."""
        compositor.paste_tensor(frame, request.matrix, self.tensor, self.fmt, mask, ColorShift(*self.colors))


def can_swap_on_device(
    engine: FaceEngine | CropEngine, compositor: Compositor, look: LookSettings
) -> TypeGuard[CropEngine]:
    """Whether an engine's pictures can stay on the compositor's device."""
    return compositor.ops is not None and isinstance(engine, CropEngine) and can_swap(engine, look)


def swap_on_device(
    compositor: Compositor,
    frame: FrameView,
    engine: CropEngine,
    request: CropRequest,
    face: Face,
    look: LookSettings,
    state: EngineState,
    watch: Stopwatch,
) -> tuple[SwapResult, DevicePicture]:
    """Swap one face; of the result only the picture is missing.

    Raises:
        ModelsError: the network failed or gives no picture.
        DeviceError: the device failed.
    """
    with watch.stage("read"):
        crop = compositor.sample_tensor(frame, request.matrix, request.dsize, engine.picture_in)
    with watch.stage("swap"):
        if compositor.ops is None or not isinstance(crop, DeviceTensor):
            raise TypeError("the compositor works on no device")
        points = request.to_crop(face.landmarks)
        # Its own engine made it, which the protocol's types cannot say.
        own = cast("CropState", state)
        swap = direct_swap(engine, compositor.ops, crop, points, face, look, own, frame.timestamp_ns)
    nothing = np.zeros((*swap.mask.shape, 3), np.uint8)
    result = SwapResult(nothing, swap.mask, swap.pose_fade, swap.cover_mask)
    return result, DevicePicture(swap.picture, swap.fmt, swap.colors)
