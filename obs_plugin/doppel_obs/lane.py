"""The frame path of one filter, as the control plane sees it: its segment and the worker that serves it."""

from __future__ import annotations

import ctypes
import dataclasses
from typing import Callable, Sequence

from doppel_ipc import gate_abi, native, segment
from doppel_ipc.errors import FormatError, SegmentError
from doppel_ipc.messages import CloseLane, Message, OpenLane, Settings
from doppel_ipc.messages import Segment as SegmentMessage
from doppel_ipc.pixel_format import FrameLayout
from doppel_ipc.settings import FilterSettings

from doppel_obs.phrases import Phrase, phrase, verbatim

MOST_SLOTS = 8
FEW_SLOTS = 6
LARGE_BYTES = 160 << 20
"""A lane that would be larger has few slots: 4K in BGRA would take 316 MiB otherwise."""
SLOTS_BEYOND_DELAY = 3
"""The gate allows D up to the number of slots less this."""
RETRY_NS = 2_000_000_000
"""A lane that could not be made, or not be opened by the worker, is tried again after this time."""

SendTo = Callable[[Message, int], None]
"""``send(message, generation)``: to the worker of that generation; dropped where it is another's turn."""


@dataclasses.dataclass(frozen=True)
class _Memory:
    """What was made for a lane."""

    segment: segment.Segment
    slots: int
    lacks: Phrase | None
    """What it does without, because there was no room for it."""


class Lane:
    """One filter's segment and its place in the worker.

    Args:
        gate: the native library.
        filter_id: the gate's id of the filter.
        send: sends a message to the worker of a generation.
        next_serial: gives a number larger than all before, for each lane that is opened.
        rgb: pictures are wanted as RGB, too (:mod:`doppel_obs.rendering`).
    """

    def __init__(
        self,
        gate: ctypes.CDLL,
        filter_id: int,
        send: SendTo,
        next_serial: Callable[[], int],
        rgb: Callable[[], bool],
    ) -> None:
        self._gate = gate
        self._filter_id = filter_id
        self._send = send
        self._next_serial = next_serial
        self._wants_rgb = rgb
        self._segment: segment.Segment | None = None
        self._geometry_serial = 0
        self._generation = 0
        self._failed: tuple[int, int] | None = None
        self._retry_ns = 0
        self.serial = 0
        """Of the open lane; 0: none."""
        self.slots = MOST_SLOTS
        """Of the lane that was opened last."""
        self.problem: Phrase | None = None
        """Why there is no lane though there could be one, or what it does without; for the status line."""
        self._face_lately: bool | None = None

    def tick(
        self,
        now_ns: int,
        status: gate_abi.Status,
        generation: int,
        name: str,
        settings: FilterSettings,
        settings_serial: int,
    ) -> bool:
        """Opens a lane where the gate wants one; True if it did.

        Args:
            now_ns: monotonic time.
            status: the gate's, of this moment.
            generation: of the worker that is ready; 0: none is.
            name: of the source, for the worker's log.
            settings: what the lane starts with.
            settings_serial: of ``settings``.
        """
        if self.serial and generation != self._generation:
            self.lost()
        if not generation or not status.geometry.width or status.unsupported_format:
            return False
        if self.serial and status.geometry_serial == self._geometry_serial:
            return False  # the gate has it, or takes it over at its next frame
        attempt = (generation, status.geometry_serial)
        if self._failed == attempt and now_ns < self._retry_ns:
            return False
        self.close()
        opened = self._open(status, generation, name, settings, settings_serial)
        self._failed, self._retry_ns = (None, 0) if opened else (attempt, now_ns + RETRY_NS)
        return opened

    def saw(self, status: gate_abi.Status, samples: Sequence[gate_abi.Sample]) -> None:
        """Whether the last judged frames had a face in them: the next worker must know.

        Args:
            status: the gate's; what it has counted before the first call is all that is known of that time.
            samples: all frames since the last call, in their order.
        """
        if self._face_lately is None:
            # The script came new to a filter that was there before it: to be safe, its face was not gone.
            self._face_lately = bool(status.swapped or status.blurred)
        for sample in samples:
            # The other outcomes (held, covered, paused, ...) say nothing of faces.
            if sample.outcome in (gate_abi.Outcome.SWAPPED, gate_abi.Outcome.BLURRED):
                self._face_lately = True
            elif sample.outcome == gate_abi.Outcome.NO_FACE:
                self._face_lately = False

    def change(self, settings: FilterSettings, settings_serial: int) -> None:
        """Tells the worker that serves the lane its new settings."""
        if self.serial:
            self._send(Settings(self.serial, settings_serial, settings), self._generation)

    def refused(self, now_ns: int) -> None:
        """The worker could not open the segment: the lane is made anew, after a while."""
        attempt = (self._generation, self._geometry_serial)
        self._gate.doppel_gate_detach(self._filter_id)
        self.close()
        self._failed, self._retry_ns = attempt, now_ns + RETRY_NS

    def opened(self) -> None:
        """The worker holds its mapping of the segment: the name and our handle may go."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def lost(self) -> None:
        """The worker is gone, or cannot serve this lane: no more frames into it."""
        if self.serial:
            self._gate.doppel_gate_detach(self._filter_id)
        self._drop()

    def close(self) -> None:
        """Tells the worker that this lane is over; the gate goes on until it has another one."""
        if self.serial:
            self._send(CloseLane(self.serial), self._generation)
        self._drop()

    def _drop(self) -> None:
        self.opened()
        self.serial = 0
        self._geometry_serial = 0

    def _open(
        self,
        status: gate_abi.Status,
        generation: int,
        name: str,
        settings: FilterSettings,
        settings_serial: int,
    ) -> bool:
        try:
            memory = self._make(status.geometry.layout())
        except (FormatError, SegmentError) as error:
            self.problem = verbatim(str(error))
            return False
        made, serial = memory.segment, self._next_serial()
        result = self._gate.doppel_gate_attach(
            self._filter_id, made.handle, made.descriptor.bytes, memory.slots, status.geometry_serial, serial
        )
        if result != 0:
            made.close()
            if result == gate_abi.ATTACH_CANNOT_MAP:
                self.problem = phrase("lane.no-memory", size=made.descriptor.bytes >> 20)
            return False
        self.problem = memory.lacks
        self._segment, self.slots = made, memory.slots
        self.serial, self._generation, self._geometry_serial = serial, generation, status.geometry_serial
        where = made.descriptor
        self._send(
            OpenLane(
                serial,
                name[:200],
                SegmentMessage(where.kind, where.name, where.bytes, where.inode),
                settings_serial,
                settings,
                bool(self._face_lately),
            ),
            generation,
        )
        return True

    def _make(self, layout: FrameLayout) -> _Memory:
        """Shared memory for such frames; without pictures as RGB, where there is no room for them."""
        lacks = None
        if self._wants_rgb():
            slots, size = self._size(layout, rgb=True)
            try:
                return _Memory(segment.create(size), slots, None)
            except SegmentError:
                lacks = phrase("lane.no-rgb", size=size >> 20)
        slots, size = self._size(layout, rgb=False)
        return _Memory(segment.create(size), slots, lacks)

    def _size(self, layout: FrameLayout, *, rgb: bool) -> tuple[int, int]:
        """Slots and bytes of a lane for such frames."""
        most = native.segment_bytes(self._gate, layout, MOST_SLOTS, rgb=rgb)
        if most <= LARGE_BYTES:
            return MOST_SLOTS, most
        return FEW_SLOTS, native.segment_bytes(self._gate, layout, FEW_SLOTS, rgb=rgb)
