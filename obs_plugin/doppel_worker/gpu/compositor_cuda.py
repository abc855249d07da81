"""The compositor on a GPU: the contract of :mod:`doppel_worker.compositor`, by the kernels.

A frame goes up in the parts that are asked for, is edited on the device, and comes down with :meth:`finish`.
Thumbnails are taken on the CPU: they need a few rows of the whole frame, which lies in its memory anyway. So
are regions of a few pixels, which are not worth a journey.
"""

from __future__ import annotations

import contextlib

import numpy as np
from doppel_models.engines.base import CropRequest
from doppel_models.engines.mesh.on_device import DeviceCrop
from doppel_models.sentences import sentence
from doppel_models.tensor import DeviceTensor, Tensor, TensorFormat
from doppel_models.types import ByteArray, FloatArray

from doppel_worker.compositor import UNCHANGED, ColorShift, Rect
from doppel_worker.compositor_cpu import CpuCompositor, stored_rect
from doppel_worker.crop_reader import reduction
from doppel_worker.errors import DeviceError, FrameError
from doppel_worker.frame import FrameView
from doppel_worker.frame_memory import FrameMemory
from doppel_worker.gpu import describe
from doppel_worker.gpu.device import Device
from doppel_worker.gpu.device_frame import DeviceFrames, FrameKey, frame_key
from doppel_worker.gpu.memory import DeviceScratch
from doppel_worker.gpu.mesh_drawing import MeshDrawing
from doppel_worker.gpu.pasting import Pasting
from doppel_worker.gpu.shared_device import SharedDevice
from doppel_worker.gpu.spreading import SMALLEST, Spreading, can_cover
from doppel_worker.gpu.structs import Struct
from doppel_worker.gpu.taking import Taking
from doppel_worker.gpu.tensors import DeviceTensors


class CudaCompositor:
    """See ``Compositor``. One thread and one frame at a time: lanes whose frames overlap need one each."""

    def __init__(self, device: Device) -> None:
        self.device = device if isinstance(device, SharedDevice) else SharedDevice(device)
        self._cpu = CpuCompositor()
        self._frames, self._scratch = DeviceFrames(self.device), DeviceScratch(self.device)
        self.ops = DeviceTensors(self.device, self._scratch)
        """What networks need to work on the device."""
        self._taking = Taking(self.device, self._frames, self._scratch)
        self._spreading = Spreading(self.device, self._frames, self._scratch)
        self._pasting = Pasting(self.device, self._frames)
        self.mesh = MeshDrawing(self.ops)
        """Draws the mesh engine's faces."""
        self._settled: FrameKey | None = None

    @property
    def note(self) -> str:
        """What the user should know of how frames reach the device; empty: nothing."""
        if not self._frames.bounced:
            return ""
        return sentence(
            "device.bounced", "its frames' memory cannot be page-locked, so each is copied once more"
        )

    def sharing(self) -> contextlib.AbstractContextManager[None]:
        """While it waits for the device in this block, other lanes have their turn; see the protocol."""
        return self.device.sharing()

    def sample(self, frame: FrameView, matrix: FloatArray, dsize: tuple[int, int]) -> ByteArray:
        """A crop of the frame as ``(height, width, 3)`` uint8 RGB; see the protocol.

        Raises:
            FrameError: as the CPU's.
            DeviceError: the device failed.
        """
        self._take(frame)
        to, target = self._picture(*dsize)
        self._taking.crop(frame, matrix, dsize, target)
        return self.ops.fetch_bytes(to)

    def sample_tensor(
        self, frame: FrameView, matrix: FloatArray, dsize: tuple[int, int], fmt: TensorFormat
    ) -> Tensor:
        """A crop as a network wants it, on the device; see the protocol.

        Raises:
            FrameError: as the CPU's.
            DeviceError: the device failed.
        """
        tensor = self.ops.tensor(fmt.shape(*dsize), fmt.dtype)
        self._take(frame)
        self._taking.crop(frame, matrix, dsize, describe.written(fmt, tensor))
        return tensor

    def live_crop(self, frame: FrameView, request: CropRequest) -> DeviceCrop:
        """The crop that the mesh engine asks for, on the device until the next frame.

        Raises:
            FrameError: as the CPU's.
            DeviceError: the device failed.
        """
        self._take(frame)
        tensor, target = self._picture(*request.dsize)
        if request.rect is None:
            self._taking.crop(frame, request.matrix, request.dsize, target)
            return self.mesh.live_crop(tensor)
        rect = Rect(*request.rect)
        self._taking.rectangle(frame, rect, target)

        def reduced(factor: int) -> DeviceTensor:
            size, matrix = reduction(rect, factor)
            small, to = self._picture(*size)
            self._taking.crop(frame, matrix, size, to)
            return small

        return DeviceCrop(tensor, reduced)

    def paste_drawn(
        self, frame: FrameView, request: CropRequest, rgb: DeviceTensor, mask: DeviceTensor | ByteArray
    ) -> None:
        """Blend a picture (h, w, 3) of bytes over the frame where its crop was taken, by its mask (h, w).

        Raises:
            DeviceError: the device failed.
        """
        self._take(frame)
        over = mask if isinstance(mask, DeviceTensor) else self.ops.upload(mask)
        rect = Rect(*request.frame_rect(frame.width, frame.height))
        if rect.width and rect.height:
            moved = None if request.rect is not None else request.matrix_from(rect.x0, rect.y0)
            self._pasting.paste(frame, rect, describe.picture(rgb), over, moved)

    def reduced(self, frame: FrameView, rect: Rect, factor: int) -> ByteArray:
        """A rectangle inside the frame at ``1 / factor`` of its size, uint8 RGB; see the protocol.

        Raises:
            FrameError: as the CPU's.
            DeviceError: the device failed.
        """
        size, matrix = reduction(rect, factor)
        return self.sample(frame, matrix, size)

    def thumbnail(self, frame: FrameView, dsize: tuple[int, int]) -> ByteArray:
        """The whole frame reduced to ``dsize`` (width, height), uint8 RGB; see the protocol."""
        self._settle(frame)
        return self._cpu.thumbnail(frame, dsize)

    def read(self, frame: FrameView, rect: Rect) -> ByteArray:
        """A rectangle inside the frame at its own resolution, uint8 RGB; see the protocol.

        Raises:
            FrameError: as the CPU's.
            DeviceError: the device failed.
        """
        self._take(frame)
        to, target = self._picture(rect.width, rect.height)
        self._taking.rectangle(frame, rect, target)
        return self.ops.fetch_bytes(to)

    def paste(self, frame: FrameView, rect: Rect, rgb: ByteArray, mask: ByteArray) -> None:
        """Blend ``rgb`` over a rectangle inside the frame by ``mask``; see the protocol.

        Raises:
            FrameError: as the CPU's.
            DeviceError: the device failed.
        """
        stored_rect(frame, rect)
        if rgb.shape != (rect.height, rect.width, 3) or mask.shape != (rect.height, rect.width):
            raise FrameError(f"picture {rgb.shape} or mask {mask.shape} does not fit {rect}")
        self._take(frame)
        picture = describe.picture(self.ops.upload(rgb))
        self._pasting.paste(frame, rect, picture, self.ops.upload(mask))

    def stamp(self, frame: FrameView, rect: Rect, rgb: ByteArray, mask: ByteArray) -> None:
        """Blend what is pasted again and again: the device pastes it like all else; see the protocol.

        Raises:
            FrameError: as the CPU's.
            DeviceError: the device failed.
        """
        self.paste(frame, rect, rgb, mask)

    def paste_crop(self, frame: FrameView, matrix: FloatArray, rgb: ByteArray, mask: ByteArray) -> Rect:
        """Blend a crop over the frame where it was taken; see the protocol.

        Raises:
            FrameError: picture and mask do not fit each other.
            DeviceError: the device failed.
        """
        if rgb.shape != (*mask.shape, 3):
            raise FrameError(f"picture {rgb.shape} does not fit mask {mask.shape}")
        self._take(frame)
        request = CropRequest(matrix, (mask.shape[1], mask.shape[0]))
        rect = Rect(*request.frame_rect(frame.width, frame.height))
        if rect.width and rect.height:
            picture, over = describe.picture(self.ops.upload(rgb)), self.ops.upload(mask)
            self._pasting.paste(frame, rect, picture, over, request.matrix_from(rect.x0, rect.y0))
        return rect

    def paste_tensor(
        self,
        frame: FrameView,
        matrix: FloatArray,
        tensor: Tensor,
        fmt: TensorFormat,
        mask: ByteArray | DeviceTensor,
        shift: ColorShift = UNCHANGED,
    ) -> Rect:
        """Put a network's picture back where its crop was taken; see the protocol.

        Raises:
            FrameError: tensor and mask do not fit each other.
            DeviceError: the device failed.
        """
        self._take(frame)
        height, width = mask.shape if isinstance(mask, np.ndarray) else describe.mask_size(mask)
        if tuple(tensor.shape) != fmt.shape(width, height):
            raise FrameError(f"tensor {tensor.shape} does not fit mask {mask.shape}")
        request = CropRequest(matrix, (width, height))
        rect = Rect(*request.frame_rect(frame.width, frame.height))
        if rect.width == 0 or rect.height == 0:
            return rect
        moved = request.matrix_from(rect.x0, rect.y0)
        picture = describe.read(fmt, tensor if isinstance(tensor, DeviceTensor) else self.ops.upload(tensor))
        over = mask if isinstance(mask, DeviceTensor) else self.ops.upload(mask)
        self._pasting.paste(frame, rect, picture, over, moved, shift)
        return rect

    def blur(self, frame: FrameView, rect: Rect, mask: ByteArray) -> None:
        """Make what lies under ``mask`` (h, w) of a rectangle unrecognisable; see the protocol.

        Raises:
            FrameError: as the CPU's.
            DeviceError: the device failed.
        """
        stored = stored_rect(frame, rect)
        if mask.shape != (rect.height, rect.width):
            raise FrameError(f"mask {mask.shape} does not fit {rect}")
        if min(rect.width, rect.height) < SMALLEST:
            self._settle(frame)
            self._cpu.blur(frame, rect, mask)
            return
        self._take(frame)
        self._spreading.blur(frame, stored, self.ops.upload(mask))

    def cover(self, frame: FrameView) -> None:
        """Mosaic of the whole frame: blocks of 1/16 of its height; see the protocol.

        A device that fails must not keep the frame from being covered: then the CPU does it.
        """
        if not can_cover(frame):
            self._frames.drop()
            self._cpu.cover(frame)
            return
        try:
            self._take(frame)
            self._spreading.cover(frame)
            self.finish(frame)
        except DeviceError:
            with contextlib.suppress(DeviceError):
                self.device.synchronize()  # planes that are on their way would come after the cover
            self._frames.drop()
            self._cpu.cover(frame)

    def finish(self, frame: FrameView) -> None:
        """Everything asked for so far is in the frame's planes when this returns.

        Raises:
            DeviceError: the device failed; the frame must be covered.
        """
        if self._frames.is_current(frame):
            self._frames.fetch_changes(frame)
            self._frames.drop()

    def release(self, memory: FrameMemory) -> None:
        """A lane's memory goes away: it must not be page-locked any longer, also where the device failed."""
        with contextlib.suppress(DeviceError):
            self.device.synchronize()
        with contextlib.suppress(DeviceError):
            self._frames.release(memory)

    def _take(self, frame: FrameView) -> None:
        """Have the frame in hand; what an earlier one left there is forgotten."""
        if self._frames.is_current(frame):
            return
        # Its memory is used again, and so are the scratch buffers.
        self.device.synchronize()
        if self._settled != frame_key(frame):
            self._scratch.reset()
            self.ops.forget_uploads()
        self._settled = None
        self._frames.begin(frame)

    def _settle(self, frame: FrameView) -> None:
        """Let the CPU see and change the frame as it is now; what was made of it stays on the device."""
        self.finish(frame)
        self._settled = frame_key(frame)

    def _picture(self, width: int, height: int) -> tuple[DeviceTensor, Struct]:
        """Room for a picture (h, w, 3) of bytes on the device, until the next frame."""
        tensor = self.ops.room((height, width, 3), "uint8")
        return tensor, describe.picture(tensor)
