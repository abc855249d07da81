"""A face's way through an engine whose network runs where the compositor works: nothing of it is fetched."""

from __future__ import annotations

import dataclasses
from typing import Protocol, TypeGuard, cast

import numpy as np
from doppel_models.engines.base import CropRequest, EngineState, FaceEngine, LookSettings, SwapResult
from doppel_models.engines.crops.engine import CropEngine, CropState
from doppel_models.engines.crops.on_device import TensorSwap, can_swap, direct_swap
from doppel_models.engines.mesh.on_device import DeviceMeshEngine
from doppel_models.engines.mesh.state import MeshState
from doppel_models.tensor import DeviceTensor
from doppel_models.types import ByteArray, Face

from doppel_worker.compositor import ColorShift, Compositor
from doppel_worker.frame import FrameView
from doppel_worker.gpu import describe
from doppel_worker.gpu.compositor_cuda import CudaCompositor
from doppel_worker.gpu.sharpening import sharpened
from doppel_worker.report import Stopwatch


class DevicePicture(Protocol):
    """A swapped crop on the device."""

    def paste(
        self, compositor: Compositor, frame: FrameView, request: CropRequest, mask: ByteArray | None = None
    ) -> None:
        """Put it into the frame where its crop was taken.

        Args:
            compositor: the one that it was made by.
            frame: the frame that it was made of.
            request: its crop.
            mask: (h, w) of the crop; None: its own.

        Raises:
            DeviceError: the device failed.
        """


@dataclasses.dataclass(frozen=True, slots=True)
class TensorPicture:
    """A network's picture, until its next swap. Satisfies :class:`DevicePicture`."""

    swap: TensorSwap

    def paste(
        self, compositor: Compositor, frame: FrameView, request: CropRequest, mask: ByteArray | None = None
    ) -> None:
        """See :class:`DevicePicture`."""
        own, shift = self.swap, ColorShift(*self.swap.colors)
        over = own.mask if mask is None else mask
        compositor.paste_tensor(frame, request.matrix, own.picture, own.fmt, over, shift)


@dataclasses.dataclass(frozen=True, slots=True)
class BytePicture:
    """A picture of bytes, until the next frame. Satisfies :class:`DevicePicture`."""

    rgb: DeviceTensor
    """(h, w, 3)"""
    mask: DeviceTensor
    """(h, w)"""

    def paste(
        self, compositor: Compositor, frame: FrameView, request: CropRequest, mask: ByteArray | None = None
    ) -> None:
        """See :class:`DevicePicture`."""
        if not isinstance(compositor, CudaCompositor):
            raise TypeError("it was made by another compositor")
        compositor.paste_drawn(frame, request, self.rgb, self.mask if mask is None else mask)


DeviceEngine = CropEngine | DeviceMeshEngine


def can_swap_on_device(
    engine: FaceEngine | DeviceEngine, compositor: Compositor, look: LookSettings, faces: int
) -> TypeGuard[DeviceEngine]:
    """Whether an engine's pictures can stay on the compositor's device, with so many faces in the frame."""
    if isinstance(engine, DeviceMeshEngine):
        return isinstance(compositor, CudaCompositor)
    # A network's tensors hold one face at a time.
    return (
        compositor.ops is not None
        and faces == 1
        and isinstance(engine, CropEngine)
        and can_swap(engine, look)
    )


def swap_on_device(
    compositor: Compositor,
    frame: FrameView,
    engine: DeviceEngine,
    request: CropRequest,
    face: Face,
    look: LookSettings,
    state: EngineState,
    sharpness: float,
    watch: Stopwatch,
) -> tuple[SwapResult, DevicePicture]:
    """Swap one face; of the result only the picture is missing, and masks that nothing here needs.

    Args:
        compositor: works on the device.
        frame: as filmed.
        engine: one for which :func:`can_swap_on_device` is true.
        request: its crop.
        face: where the face is.
        look: how it shall look.
        state: what the engine remembers of it.
        sharpness: fine detail that is added, 0 to 1.
        watch: times the stages.

    Raises:
        ModelsError: the network failed or gives no picture.
        DeviceError: the device failed.
    """
    if not isinstance(compositor, CudaCompositor):
        raise TypeError("the compositor works on no device")
    if isinstance(engine, DeviceMeshEngine):
        return _drawn(compositor, frame, engine, request, face, look, state, sharpness, watch)
    with watch.stage("read"):
        crop = compositor.sample_tensor(frame, request.matrix, request.dsize, engine.picture_in)
    with watch.stage("swap"):
        if not isinstance(crop, DeviceTensor):
            raise TypeError("the crop is not on the device")
        points = request.to_crop(face.landmarks)
        # Its own engine made it, which the protocol's types cannot say.
        own = cast("CropState", state)
        with compositor.sharing():
            swap = direct_swap(engine, compositor.ops, crop, points, face, look, own, frame.timestamp_ns)
        shown: DevicePicture = TensorPicture(swap)
        if sharpness > 0:
            mask, shift = compositor.ops.upload(swap.mask), ColorShift(*swap.colors)
            picture = describe.read(swap.fmt, swap.picture)
            shown = BytePicture(sharpened(compositor.ops, picture, mask, sharpness, shift), mask)
    result = SwapResult(_nothing(swap.mask.shape), swap.mask, swap.pose_fade, swap.cover_mask, swap.veil_mask)
    return result, shown


def _drawn(
    compositor: CudaCompositor,
    frame: FrameView,
    engine: DeviceMeshEngine,
    request: CropRequest,
    face: Face,
    look: LookSettings,
    state: EngineState,
    sharpness: float,
    watch: Stopwatch,
) -> tuple[SwapResult, DevicePicture]:
    with watch.stage("read"):
        crop = compositor.live_crop(frame, request)
    with watch.stage("swap"):
        points = request.to_crop(face.landmarks)
        own = cast("MeshState", state)
        with compositor.sharing():
            drawn = engine.swap_on_device(compositor.mesh, crop, points, face, look, own, frame.timestamp_ns)
        rgb = drawn.rgb
        if sharpness > 0:
            rgb = sharpened(compositor.ops, describe.picture(rgb), drawn.mask, sharpness)
        picture = BytePicture(rgb, drawn.mask)
        if drawn.fade > 0 or drawn.veil is not None:
            # What is blurred is made here.
            return compositor.mesh.fetch_masks(drawn), picture
    size = drawn.mask.shape
    return SwapResult(_nothing(size), _nothing(size)[..., 0], drawn.fade), picture


def _nothing(shape: tuple[int, ...]) -> ByteArray:
    """(h, w, 3), black."""
    return np.zeros((*shape, 3), np.uint8)
