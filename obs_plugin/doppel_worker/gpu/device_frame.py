"""The frame in hand on the device: its parts go up when they are needed, and what changed comes back down.

The device's memory is laid out as the frame itself. Copies run straight from the slot where its memory could
be page-locked, else through a page-locked buffer (:attr:`DeviceFrames.bounced`).
"""

from __future__ import annotations

from doppel_ipc.pixel_format import FrameLayout
from doppel_models.types import ByteArray

from doppel_worker.compositor import Rect
from doppel_worker.frame import FrameView
from doppel_worker.frame_memory import FrameMemory, memory_of
from doppel_worker.gpu.device import Device, DeviceMemory, HostMemory
from doppel_worker.gpu.memory import host_view
from doppel_worker.gpu.mirror import MirrorPlan, PlanePart

_LAYOUTS_KEPT = 8
FrameKey = tuple[int, int, int]


class _Mirror:
    """Device memory for frames of one layout."""

    def __init__(self, device: Device, layout: FrameLayout) -> None:
        self.layout = layout
        self.plan = MirrorPlan(layout)
        self.memory: DeviceMemory = device.allocate(layout.size)
        self.bounce: HostMemory | None = None


class DeviceFrames:
    """The frames of every lane, one at a time."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._mirrors: dict[FrameLayout, _Mirror] = {}
        self._registered: dict[FrameMemory, bool] = {}
        self._current: _Mirror | None = None
        self._key: FrameKey | None = None
        self._direct = False

    @property
    def bounced(self) -> bool:
        """True when some lane's memory cannot be page-locked, so that its frames are copied once more."""
        return not all(self._registered.values())

    def is_current(self, frame: FrameView) -> bool:
        """True when the frame is the one in hand."""
        return self._key == frame_key(frame)

    def begin(self, frame: FrameView) -> None:
        """A new frame; the device must be idle."""
        mirror = self._mirrors.get(frame.layout)
        if mirror is None:
            if len(self._mirrors) >= _LAYOUTS_KEPT:
                self._mirrors.pop(next(iter(self._mirrors)))
            mirror = self._mirrors[frame.layout] = _Mirror(self._device, frame.layout)
        mirror.plan.forget()
        self._current, self._key = mirror, frame_key(frame)
        self._direct = self._is_registered(frame)
        if not self._direct and mirror.bounce is None:
            mirror.bounce = self._device.allocate_pinned(frame.layout.size)

    def drop(self) -> None:
        """Forget the frame in hand and what was not brought down."""
        if self._current is not None:
            self._current.plan.forget()
        self._current = self._key = None

    def release(self, memory: FrameMemory) -> None:
        """A lane's memory goes away; the device must be idle."""
        self.drop()
        if self._registered.pop(memory, False):
            self._device.unregister(memory.address)

    def plane_address(self, plane: int) -> int:
        """Where a plane of the frame in hand begins on the device."""
        mirror = self._mirror()
        return mirror.memory.address + mirror.layout.offset[plane]

    def bring(self, frame: FrameView, rect: Rect) -> None:
        """Have a rectangle (storage coordinates) on the device."""
        mirror = self._mirror()
        for part in mirror.plan.need(rect):
            line, offset = mirror.layout.linesize[part.plane], part.offset(mirror.layout)
            if self._direct:
                host = _address(frame, part)
            else:
                host, view = self._bounce(mirror, part)
                view[:] = _pixels(frame, part)
            to = mirror.memory.address + offset
            self._device.copy(to, line, host, line, part.row_bytes, part.rows)

    def changed(self, rect: Rect) -> None:
        """A rectangle was changed on the device."""
        self._mirror().plan.wrote(rect)

    def fetch_changes(self, frame: FrameView) -> None:
        """Bring down what changed, and wait for it."""
        mirror = self._mirror()
        if not mirror.plan.changed:
            return
        parts = mirror.plan.take_changes()
        for part in parts:
            line = mirror.layout.linesize[part.plane]
            host = _address(frame, part) if self._direct else self._bounce(mirror, part)[0]
            frm = mirror.memory.address + part.offset(mirror.layout)
            self._device.copy(host, line, frm, line, part.row_bytes, part.rows)
        self._device.synchronize()
        if not self._direct:
            for part in parts:
                _pixels(frame, part)[:] = self._bounce(mirror, part)[1]

    def _mirror(self) -> _Mirror:
        if self._current is None:
            raise RuntimeError("no frame is in hand")
        return self._current

    def _is_registered(self, frame: FrameView) -> bool:
        memory = memory_of(frame)
        if memory is None:
            return False
        if memory not in self._registered:
            self._registered[memory] = self._device.register(memory.address, memory.size)
        return self._registered[memory]

    def _bounce(self, mirror: _Mirror, part: PlanePart) -> tuple[int, ByteArray]:
        """A part's place in the page-locked buffer: its address, and a view (rows, row_bytes)."""
        if mirror.bounce is None:
            raise RuntimeError("the frame needs no buffer")
        line, offset = mirror.layout.linesize[part.plane], part.offset(mirror.layout)
        # The last row may end where the memory does.
        flat = host_view(mirror.bounce, offset - part.first_byte, part.rows * line)
        view = flat.reshape(part.rows, line)[:, part.first_byte : part.first_byte + part.row_bytes]
        return mirror.bounce.address + offset, view


def frame_key(frame: FrameView) -> FrameKey:
    """Tells a frame from every other one, without holding its memory."""
    return frame.planes[0].ctypes.data, frame.frame_id, frame.timestamp_ns


def _pixels(frame: FrameView, part: PlanePart) -> ByteArray:
    return frame.planes[part.plane][
        part.row : part.row + part.rows, part.first_byte : part.first_byte + part.row_bytes
    ]


def _address(frame: FrameView, part: PlanePart) -> int:
    plane = frame.planes[part.plane]
    return int(plane.ctypes.data) + part.row * plane.strides[0] + part.first_byte
