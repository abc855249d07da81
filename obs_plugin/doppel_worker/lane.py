"""One lane: a thread that takes the newest frame, has it judged where it lies, and hands it back.

The thread alone touches the ring and the lane's processor. Everybody else gives it orders through attributes
that are exchanged whole, and reads copies.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable

from doppel_ipc.errors import SegmentError
from doppel_ipc.ring import Slot, WorkerRing
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_models.sentences import sentence, told_by

from doppel_worker.backend import Backend, Judgement, LaneProcessor
from doppel_worker.errors import WorkerError
from doppel_worker.face_memory import FaceMemory
from doppel_worker.lane_slate import LaneSlate
from doppel_worker.lane_statistics import LaneSnapshot, LaneStatistics
from doppel_worker.second_look import SecondLook
from doppel_worker.slot_frame import frame_of

logger = logging.getLogger(__name__)

WAIT_S = 0.2
"""Longest wait for a frame; orders to stop are looked at in between."""
THROTTLE_POLL_S = 0.003
THROTTLE_IDLE_S = 0.25
"""While throttled: a source that has sent nothing for so long has stopped, and its last frame counts."""
RESTART_AFTER_S = (0.0, 0.1, 0.5, 2.0)
"""How long frames stay covered after a failure, by the number of failures in a row."""

Report = Callable[[str, str, str], None]
"""``report(code, message, advice)``: an error message to OBS, about this lane."""

_WORDLESS: dict[type[Exception], str] = {
    MemoryError: sentence("lane.no-memory", "there is not enough memory")
}
"""What errors mean that say nothing themselves."""


class Lane:
    """Serves one ring until :meth:`stop` or until the gate ends it.

    Args:
        number: the lane's number in messages.
        ring: handed over; the lane closes it.
        serial: of ``settings``.
        settings: the first ones.
        report: tells OBS of an error; called on the lane's thread.
        slate: draws the slate; the lane's thread calls it.
        face_lately: a face was in the source's last frames, says whoever saw them.
    """

    def __init__(
        self,
        number: int,
        ring: WorkerRing,
        serial: int,
        settings: FilterSettings,
        *,
        report: Report,
        slate: LaneSlate,
        face_lately: bool = False,
    ) -> None:
        self.number = number
        self._ring = ring
        self._report = report
        self._slate = slate
        self._wanted = (serial, settings)
        self._used = (-1, settings)
        self._keep_one_of = 1
        self._backend: Backend | None = None
        self._processor: LaneProcessor | None = None
        self._faces = FaceMemory(face_lately=face_lately)
        self._failures = 0
        self._broken: Exception | None = None
        self._idle_until = 0.0
        self._second_look = SecondLook()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._statistics = LaneStatistics()
        self._seen = -1
        """Frames that the gate had submitted when the last one was taken."""
        self._detail = ""
        self._thread = threading.Thread(target=self._run, name=f"lane-{number}", daemon=True)

    def start(self) -> None:
        """Starts the thread. Frames wait in the ring until there is a backend."""
        self._thread.start()

    def serve(self, backend: Backend) -> None:
        """From now on frames are judged."""
        self._backend = backend
        self._wake.set()

    def configure(self, serial: int, settings: FilterSettings) -> None:
        """New settings; they take effect between two frames, all at once."""
        self._wanted = (serial, settings)

    def throttle(self, keep_one_of: int) -> None:
        """Takes a frame only after so many have come in since the last one; 1 takes all."""
        self._keep_one_of = keep_one_of

    def stop(self) -> None:
        """Lets the thread end after the frame in hand. Does not wait."""
        self._stopping.set()
        self._wake.set()

    def join(self, timeout: float) -> bool:
        """True when the thread has ended within ``timeout`` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def snapshot(self) -> LaneSnapshot:
        """How the lane does."""
        processor = self._processor
        return self._statistics.snapshot(
            state="failed" if self._failures else "loading" if processor is None else "running",
            serial=max(self._used[0], 0),
            persona=processor.persona if processor else "",
            engine=processor.engine if processor else "",
            given_back=self._ring.given_back,
            detail=self._detail or self._slate.detail,
        )

    def _run(self) -> None:
        try:
            while not self._stopping.is_set() and not self._ring.closed:
                if self._ready():
                    self._serve_next()
        finally:
            if self._processor is not None:
                self._processor.close()
            self._slate.close()
            self._ring.close()
            logger.info("lane %d ended after %d frames", self.number, self._statistics.frames)

    def _ready(self) -> bool:
        """True when a frame may be taken; else waits a moment."""
        if self._backend is None:
            self._wake.wait(WAIT_S)
            return False
        pause = self._idle_until - time.monotonic()
        if pause > 0:
            self._stopping.wait(min(pause, WAIT_S))
            return False
        try:
            self._prepare()
        except self._errors() as error:
            self._failed(error)
            return False
        return True

    def _prepare(self) -> LaneProcessor:
        """The processor with the wanted settings, those that came while we waited for its turn among them."""
        if self._backend is None:
            raise RuntimeError("a lane without a backend takes no frames")
        wanted, processor = self._wanted, self._processor
        if processor is None:
            processor = self._processor = self._backend.open_lane(wanted[1], self._faces)
        elif wanted[0] != self._used[0]:
            processor.configure(wanted[1])
        self._used = wanted
        self._slate.want(wanted[1])
        return processor

    def _serve_next(self) -> None:
        waits = self._ring.submitted != self._seen
        with contextlib.ExitStack() as turn:
            if waits and self._processor is not None:
                turn.enter_context(self._processor.turn())
            slot = self._ring.next(0.0 if waits else WAIT_S)
            taken = self._seen = self._ring.submitted
            if slot is not None:
                self._serve(slot)
        if self._broken is not None:  # without the turn: closing the processor may want another one
            broken, self._broken = self._broken, None
            self._failed(broken)
        if slot is not None:
            self._skip(taken)
        elif not waits:
            self._reconsider()

    def _serve(self, slot: Slot) -> None:
        try:
            judgement = self._judge(slot)
        except BaseException:  # it is raised again
            # Whatever it is: this frame is not to be seen.
            self._ring.done(slot, Verdict.COVERED)
            raise
        self._ring.done(slot, judgement.verdict, judgement.faces)
        self._statistics.note(judgement, max(self._ring.now_ns() - slot.submit_ns, 0) / 1e6)

    def _reconsider(self) -> None:
        """No frame comes. Asks for the last one again where it would be judged differently by now.

        The gate knows whether the source has stopped; where it has not, the next frame is the answer.
        """
        if self._second_look.is_due(time.monotonic(), self._used[0], self._processor):
            self._ring.ask_again()

    def _judge(self, slot: Slot) -> Judgement:
        judgement = self._judge_frame(slot)
        settled = judgement.settled and not self._slate.pending
        self._second_look.note(time.monotonic(), self._used[0], self._processor, settled=settled)
        return judgement

    def _judge_frame(self, slot: Slot) -> Judgement:
        try:
            self._ring.keep(slot)  # before anything that may take long or fail
            processor = self._prepare()
            frame = frame_of(slot, self._ring.layout)
            judgement = processor.process(frame)
            self._slate.update(frame)
        except self._errors() as error:
            self._broken = error
            return Judgement(Verdict.COVERED, detail=told_by(error))
        self._failures, self._detail = 0, ""
        return judgement

    def _skip(self, taken: int) -> None:
        """While throttled: lets frames pass; the ring gives the older ones back unstarted."""
        latest, since = self._ring.submitted, time.monotonic()
        while self._keep_one_of > 1 and not self._stopping.is_set():
            submitted, now = self._ring.submitted, time.monotonic()
            if submitted != latest:
                latest, since = submitted, now
            # The count of submitted frames is a 32-bit word that wraps.
            if (submitted - taken) & 0xFFFFFFFF >= self._keep_one_of or now - since >= THROTTLE_IDLE_S:
                return
            self._ring.look()
            if self._ring.closed:
                return
            self._stopping.wait(THROTTLE_POLL_S)

    def _errors(self) -> tuple[type[Exception], ...]:
        return (WorkerError, SegmentError, MemoryError, *(self._backend.errors if self._backend else ()))

    def _failed(self, error: Exception) -> None:
        """Throws the processor away; a new one comes after a while, longer with each failure in a row."""
        logger.error("lane %d: %s", self.number, error, exc_info=error)
        why = told_by(error) or _WORDLESS.get(type(error), type(error).__name__)
        if self._detail != why:
            advice = sentence("lane.anew", "the lane starts anew; the picture stays covered until then")
            self._report("internal", why, advice)
        self._detail = why
        pause = RESTART_AFTER_S[min(self._failures, len(RESTART_AFTER_S) - 1)]
        self._failures += 1
        self._idle_until = time.monotonic() + pause
        if self._processor is not None:
            self._processor.close()
            self._processor = None
