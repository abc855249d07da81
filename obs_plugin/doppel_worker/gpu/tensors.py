"""Tensors on the device: room for them, what goes up into them, and what little comes down."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from doppel_models.tensor import DeviceTensor, TensorFormat, Thumbnail
from doppel_models.types import ByteArray

from doppel_worker.errors import FrameError
from doppel_worker.gpu import describe, structs
from doppel_worker.gpu.device import Device, DeviceMemory
from doppel_worker.gpu.memory import DeviceScratch, PinnedScratch
from doppel_worker.gpu.structs import struct

_ALIGNMENT = 256
"""Of what goes up in one copy, bytes."""


class DeviceTensors:
    """Satisfies ``doppel_models.tensor.TensorOps``."""

    def __init__(self, device: Device, scratch: DeviceScratch) -> None:
        """``scratch``: for what is gone with the frame; its owner resets it."""
        self.device = device
        self._scratch = scratch
        self._pinned = PinnedScratch(device)
        self._tensors: dict[tuple[tuple[int, ...], str, int], DeviceMemory] = {}

    def forget_uploads(self) -> None:
        """A new frame: what went up and came down with the last one is gone. The device must be idle."""
        self._pinned.reset()

    def tensor(self, shape: tuple[int, ...], dtype: str, slot: int = 0) -> DeviceTensor:
        """The one tensor of that shape, type and slot; its memory stays where it is. Crops have slot 0."""
        memory = self._tensors.get((shape, dtype, slot))
        if memory is None:
            memory = self.device.allocate(math.prod(shape) * np.dtype(dtype).itemsize)
            self._tensors[shape, dtype, slot] = memory
        return self._described(memory.address, shape, dtype, memory)

    def room(self, shape: tuple[int, ...], dtype: str) -> DeviceTensor:
        """A tensor that is gone with the frame."""
        address = self._scratch.take(math.prod(shape) * np.dtype(dtype).itemsize)
        return self._described(address, shape, dtype, self._scratch)

    def put(self, array: npt.NDArray[np.generic], slot: int) -> DeviceTensor:
        """A copy of an array in the tensor of its shape and type and that slot; see ``TensorOps``."""
        tensor = self.tensor(array.shape, array.dtype.name, slot)
        self._send(np.ascontiguousarray(array), tensor)
        return tensor

    def upload(self, array: npt.NDArray[np.generic]) -> DeviceTensor:
        """A copy of an array on the device, valid until the next frame."""
        source = np.ascontiguousarray(array)
        tensor = self.room(source.shape, source.dtype.name)
        self._send(source, tensor)
        return tensor

    def upload_all(self, arrays: Sequence[npt.NDArray[np.generic]]) -> list[DeviceTensor]:
        """Copies of several arrays on the device by one copy, valid until the next frame."""
        sources = [np.ascontiguousarray(array) for array in arrays]
        starts = [0]
        for source in sources:
            starts.append(starts[-1] + -(-source.nbytes // _ALIGNMENT) * _ALIGNMENT)
        host, view = self._pinned.take(starts[-1])
        address = self._scratch.take(starts[-1])
        tensors = []
        for source, start in zip(sources, starts, strict=False):
            view[start : start + source.nbytes] = source.reshape(-1).view(np.uint8)
            tensors.append(self._described(address + start, source.shape, source.dtype.name, self._scratch))
        self.device.copy(address, starts[-1], host, starts[-1], starts[-1], 1)
        return tensors

    def keep(self, array: npt.NDArray[np.generic]) -> DeviceTensor:
        """A copy of an array on the device in memory of its own, for as long as somebody holds the result."""
        source = np.ascontiguousarray(array)
        memory = self.device.allocate(source.nbytes)
        tensor = self._described(memory.address, source.shape, source.dtype.name, memory)
        self._send(source, tensor)
        return tensor

    def thumbnails(self, pictures: Sequence[tuple[DeviceTensor, TensorFormat]], side: int) -> list[Thumbnail]:
        """Small pictures of tensors; see ``TensorOps``.

        Raises:
            DeviceError: the device failed.
        """
        taken = []
        for tensor, fmt in pictures:
            to = self._scratch.take(4 * side * side)
            height, width = tensor.shape[2:] if fmt.layout == "nchw" else tensor.shape[1:3]
            params = struct(
                structs.SHRINK, to=to, width=side, height=side, fx=width // side, fy=height // side
            )
            params["from"] = describe.read(fmt, tensor)
            self.device.launch("shrink_picture", side, side, params)
            taken.append(self._bring_down(to, 4 * side * side))
        self.device.synchronize()
        whole = [view.reshape(side, side, 4) for view in taken]
        return [Thumbnail(view[..., :3].copy(), not view[..., 3].any()) for view in whole]

    def fetch(self, tensor: DeviceTensor) -> npt.NDArray[np.float32]:
        """A tensor's numbers as an array; waits for the device.

        Raises:
            DeviceError: the device failed.
        """
        size = math.prod(tensor.shape) * np.dtype(tensor.dtype).itemsize
        view = self._bring_down(tensor.pointer, size)
        self.device.synchronize()
        return view.view(tensor.dtype).reshape(tensor.shape).astype(np.float32)

    def _send(self, array: npt.NDArray[np.generic], tensor: DeviceTensor) -> None:
        host, view = self._pinned.take(array.nbytes)
        view[:] = array.reshape(-1).view(np.uint8)
        self.device.copy(tensor.pointer, array.nbytes, host, array.nbytes, array.nbytes, 1)

    def _bring_down(self, address: int, size: int) -> ByteArray:
        """Bytes on their way here: whole after the next wait, valid until the next frame."""
        host, view = self._pinned.take(size)
        self.device.copy(host, size, address, size, size, 1)
        return view

    def _described(self, address: int, shape: tuple[int, ...], dtype: str, owner: object) -> DeviceTensor:
        if dtype not in ("uint8", "float32", "float16"):
            raise FrameError(f"a tensor of {dtype} cannot be used")
        return DeviceTensor(address, shape, dtype, self.device.kind, self.device.number, owner)  # type: ignore[arg-type]

    def fetch_bytes(self, tensor: DeviceTensor) -> ByteArray:
        """A device's bytes as an array of their own; waits for the device."""
        return self.fetch_all([tensor])[0]

    def fetch_all(self, tensors: Sequence[DeviceTensor]) -> list[ByteArray]:
        """Several tensors of bytes as arrays of their own; waits for the device once."""
        views = [self._bring_down(tensor.pointer, math.prod(tensor.shape)) for tensor in tensors]
        self.device.synchronize()
        return [view.reshape(tensor.shape).copy() for view, tensor in zip(views, tensors, strict=True)]
