"""The worker's side of a lane's ring: take the newest frame, edit it where it lies, hand it back.

Not thread-safe: one thread per lane uses a :class:`WorkerRing`. All memory is reached through memoryviews of
one mapping; whoever keeps a view (or an array made of it) after :meth:`WorkerRing.close` keeps the mapping
alive, and whoever writes through it after :meth:`WorkerRing.done` spoils a frame of the gate's.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
from typing import Tuple

from doppel_ipc import native, segment
from doppel_ipc.errors import FormatError, SegmentError
from doppel_ipc.pixel_format import FrameLayout
from doppel_ipc.segment import SegmentDescriptor
from doppel_ipc.verdict import Verdict

Floats = Tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class Slot:
    """One frame that the worker holds, until :meth:`WorkerRing.done`. Times: ``doppel_now_ns()``."""

    index: int
    frame_id: int
    timestamp_ns: int
    """The source's own time stamp; only differences mean something."""
    capture_ns: int
    """When the frame entered the filter."""
    submit_ns: int
    """When its copy was complete."""
    start_ns: int
    """When the worker took it."""
    flip: bool
    """True: the rows are stored bottom first."""
    full_range: bool
    color_matrix: Floats
    """16 numbers, row by row: YUV (0..1) to RGB; see ``doppel_worker.frame.ColorInfo``."""
    color_range_min: Floats
    color_range_max: Floats
    pixels: memoryview
    """The frame's bytes, writable; its planes lie as :attr:`WorkerRing.layout` says."""


class WorkerRing:
    """The frames of one lane. Use :meth:`open`.

    Attributes:
        layout: where the planes lie in every slot and in the slate.
        slot_count: number of slots.
        given_back: frames that were given back unstarted because a newer one was there.
        closed: True once the gate has ended the lane.
    """

    def __init__(self, library: ctypes.CDLL, descriptor: SegmentDescriptor) -> None:
        """See :meth:`open`."""
        self._library = library
        self._bytes = descriptor.bytes
        self._memory = segment.open_memory(descriptor)
        try:
            self._anchor = ctypes.c_char.from_buffer(self._memory)
            self._base = ctypes.addressof(self._anchor)
            library.doppel_worker_open(self._base, self._bytes)
            header = native.SegmentHeader.from_buffer_copy(self._memory)
            self.layout: FrameLayout = header.geometry.layout()
            self._words = native.SegmentHeader.from_buffer(self._memory)
        except BaseException as error:
            self._release()
            if isinstance(error, FormatError):
                raise SegmentError(f"the segment cannot be used: {error}") from error
            raise
        self.slot_count = int(header.slot_count)
        self.given_back = 0
        self.closed = False
        self._stride, self._pixels = int(header.slot_stride), int(header.pixels_offset)
        self._slate = int(header.slate_offset)
        self._wants_rgb = int(header.rgb_offset) != 0
        self._returned = ctypes.c_uint32(0)
        self._view = memoryview(self._memory)

    @classmethod
    def open(cls, library: ctypes.CDLL, descriptor: SegmentDescriptor) -> WorkerRing:
        """Maps the segment and checks every word of its header.

        Args:
            library: see :func:`doppel_ipc.native.load`.
            descriptor: from the ``open_lane`` message.

        Raises:
            SegmentError: the memory is gone, or is no segment of this version.
        """
        return cls(library, descriptor)

    def next(self, timeout: float) -> Slot | None:
        """Takes the newest frame; older ones that were not started are given back.

        Args:
            timeout: longest time to wait, seconds. The GIL is free meanwhile.

        Returns:
            None when no frame came in time, or when the gate has ended the lane (:attr:`closed`).
        """
        index = self._library.doppel_worker_next(
            self._base, self._bytes, int(timeout * 1e9), ctypes.byref(self._returned)
        )
        if index == native.NEXT_CLOSED:
            self.closed = True
            return None
        self.given_back += self._returned.value
        if index < 0:
            return None
        head = native.SlotHeader.from_buffer_copy(
            self._memory, native.SLOT0_OFFSET + index * native.SLOT_HEADER_BYTES
        )
        start = self._pixels + index * self._stride
        return Slot(
            index,
            head.frame_id,
            head.timestamp_ns,
            head.capture_ns,
            head.submit_ns,
            head.start_ns,
            bool(head.flip),
            bool(head.full_range),
            tuple(head.color_matrix),
            tuple(head.color_range_min),
            tuple(head.color_range_max),
            self._view[start : start + self.layout.size],
        )

    @property
    def submitted(self) -> int:
        """Frames that the gate has submitted so far, modulo 2**32."""
        return int(self._words.doorbell)

    def look(self) -> None:
        """Notes the gate's end of the lane in :attr:`closed` without taking a frame."""
        self.closed = self.closed or bool(self._words.closed)

    def now_ns(self) -> int:
        """The clock of the slots' times, nanoseconds."""
        return int(self._library.doppel_now_ns())

    def keep(self, slot: Slot) -> None:
        """Puts the frame aside as it came; to be called before it is edited.

        Should the source stop sending, the gate submits it again when :meth:`ask_again` asks for it, and to
        the next worker.

        Raises:
            SegmentError: the slot is not the worker's.
        """
        self._library.doppel_worker_keep(self._base, self._bytes, slot.index)

    def ask_again(self) -> None:
        """Says that the newest frame would be judged differently by now.

        The gate submits it again if no other has come; nothing happens where one has.
        """
        self._library.doppel_worker_ask_again(self._base, self._bytes)

    def done(self, slot: Slot, verdict: Verdict, faces: int = 0) -> None:
        """Hands the edited frame back with what was judged; its pixels are no longer the worker's.

        Where the segment asks for it, the picture is put beside it as RGB first.

        Raises:
            SegmentError: the slot is not the worker's.
        """
        if self._wants_rgb and verdict not in (Verdict.NONE, Verdict.COVERED):
            self._library.doppel_worker_make_rgb(self._base, self._bytes, slot.index)
        self._library.doppel_worker_done(self._base, self._bytes, slot.index, int(verdict), faces)

    def slate(self) -> memoryview:
        """The slate's bytes, writable, in the lane's layout."""
        return self._view[self._slate : self._slate + self.layout.size]

    def set_slate(self, ready: bool) -> None:
        """Says that the slate's pixels are complete, or that they are not to be shown."""
        self._library.doppel_worker_set_slate(self._base, self._bytes, int(ready))

    def close(self) -> None:
        """Unmaps the segment, or leaves that to the last view of a frame. May be called again."""
        self._view.release()
        self._release()

    def _release(self) -> None:
        # The ctypes object exports the mapping's buffer, and a mapping with exports cannot be closed.
        self.__dict__.pop("_anchor", None)
        self.__dict__.pop("_words", None)
        with contextlib.suppress(BufferError):
            self._memory.close()
