"""A face's way through an engine whose network runs where the compositor works: nothing of it is fetched."""

from __future__ import annotations

import dataclasses
from typing import Protocol, TypeGuard, cast

import numpy as np
from doppel_models.engines.base import CropRequest, EngineState, FaceEngine, LookSettings, SwapResult
from doppel_models.engines.crops.engine import CropEngine, CropState
from doppel_models.engines.crops.on_device import TensorSwap, can_swap, direct_swap
from doppel_models.engines.mesh.on_device import DeviceMeshEngine, DrawnFace
from doppel_models.engines.mesh.state import MeshState
from doppel_models.tensor import DeviceTensor
from doppel_models.types import ByteArray, Face

from doppel_worker.compositor import ColorShift, Compositor
from doppel_worker.frame import FrameView
from doppel_worker.gpu.compositor_cuda import CudaCompositor
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
class DrawnPicture:
    """A face of the mesh engine, until the next frame. Satisfies :class:`DevicePicture`."""

    drawn: DrawnFace

    def paste(
        self, compositor: Compositor, frame: FrameView, request: CropRequest, mask: ByteArray | None = None
    ) -> None:
        """See :class:`DevicePicture`."""
        if not isinstance(compositor, CudaCompositor):
            raise TypeError("it was made by another compositor")
        over = self.drawn.mask if mask is None else mask
        compositor.paste_drawn(frame, request, self.drawn.rgb, over)


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
    watch: Stopwatch,
) -> tuple[SwapResult, DevicePicture]:
    """Swap one face; of the result only the picture is missing, and masks that nothing here needs.

    Raises:
        ModelsError: the network failed or gives no picture.
        DeviceError: the device failed.
    """
    if isinstance(engine, DeviceMeshEngine):
        return _drawn(compositor, frame, engine, request, face, look, state, watch)
    with watch.stage("read"):
        crop = compositor.sample_tensor(frame, request.matrix, request.dsize, engine.picture_in)
    with watch.stage("swap"):
        if compositor.ops is None or not isinstance(crop, DeviceTensor):
            raise TypeError("the compositor works on no device")
        points = request.to_crop(face.landmarks)
        # Its own engine made it, which the protocol's types cannot say.
        own = cast("CropState", state)
        swap = direct_swap(engine, compositor.ops, crop, points, face, look, own, frame.timestamp_ns)
    result = SwapResult(_nothing(swap.mask.shape), swap.mask, swap.pose_fade, swap.cover_mask, swap.veil_mask)
    return result, TensorPicture(swap)


def _drawn(
    compositor: Compositor,
    frame: FrameView,
    engine: DeviceMeshEngine,
    request: CropRequest,
    face: Face,
    look: LookSettings,
    state: EngineState,
    watch: Stopwatch,
) -> tuple[SwapResult, DevicePicture]:
    if not isinstance(compositor, CudaCompositor):
        raise TypeError("the compositor works on no device")
    with watch.stage("read"):
        crop = compositor.live_crop(frame, request)
    with watch.stage("swap"):
        points = request.to_crop(face.landmarks)
        own = cast("MeshState", state)
        drawn = engine.swap_on_device(crop, points, face, look, own, frame.timestamp_ns)
        if drawn.fade > 0 or drawn.veil is not None:
            # What is blurred is made here.
            return compositor.mesh.fetch_masks(drawn), DrawnPicture(drawn)
    size = drawn.mask.shape
    return SwapResult(_nothing(size), _nothing(size)[..., 0], drawn.fade), DrawnPicture(drawn)


def _nothing(shape: tuple[int, ...]) -> ByteArray:
    """(h, w, 3), black."""
    return np.zeros((*shape, 3), np.uint8)
