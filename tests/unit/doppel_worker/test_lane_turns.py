"""Lanes of one device take turns, and never hold a frame while they wait for something long."""

from __future__ import annotations

import threading

from doppel_ipc import native
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_worker.turns import Turns

from tests.support.worker_lane import LaneRig
from tests.support.worker_process import wait_until


class OtherLane:
    """Has the device's turn until it is told to go on."""

    def __init__(self, turns: Turns) -> None:
        self._turns, self._go = turns, threading.Event()
        self._thread = threading.Thread(target=self._hold)
        self.holds = threading.Event()
        self._thread.start()

    def _hold(self) -> None:
        with self._turns:
            self.holds.set()
            assert self._go.wait(60)

    def go_on(self) -> None:
        self._go.set()
        self._thread.join(60)


def turn_before_its_frame(rig: LaneRig) -> OtherLane:
    """Another lane, which has the turn that this lane wants for the newest of the frames that wait for it."""
    turns, size = rig.backend.turns, rig.gate.layout.size
    first = OtherLane(turns)
    assert first.holds.wait(60)
    assert rig.gate.submit(bytes([2]) * size)
    wait_until(lambda: turns.waiting == 1, "the lane to ask for its turn")
    second = OtherLane(turns)
    wait_until(lambda: turns.waiting == 2, "the other lane to ask for its turn")
    assert rig.gate.submit(bytes([3]) * size)
    first.go_on()
    # Its frame in hand comes first, then the other lane, and meanwhile newer frames come in.
    assert second.holds.wait(60)
    assert rig.wait_for_result() == (Verdict.SWAPPED, bytes([253]) * size)
    wait_until(lambda: turns.waiting == 1, "the lane to ask again")
    return second


def test_a_lane_that_waited_for_its_turn_takes_the_newest_frame(rig: LaneRig) -> None:
    size = rig.gate.layout.size
    rig.judged(1)
    second = turn_before_its_frame(rig)
    before = rig.lane.snapshot().given_back
    assert rig.gate.submit(bytes([4]) * size)
    assert rig.gate.submit(bytes([5]) * size)
    second.go_on()
    assert rig.wait_for_result() == (Verdict.SWAPPED, bytes([250]) * size)
    assert rig.lane.snapshot().given_back == before + 2
    assert len(rig.backend.seen) == 3


def test_the_original_is_kept_before_settings_are_taken(rig: LaneRig) -> None:
    rig.judged()
    kept: list[int] = []
    processor = rig.backend.opened[0]
    configure = processor.configure

    def note(settings: FilterSettings) -> None:
        kept.append(native.SegmentHeader.from_buffer_copy(rig.gate.memory).kept_id)
        configure(settings)

    processor.configure = note
    other = turn_before_its_frame(rig)
    rig.lane.configure(8, rig.settings.replace(persona="no-face"))
    other.go_on()
    assert rig.wait_for_result()[0] == Verdict.NO_FACE
    assert kept == [rig.backend.seen[-1][0]]


def test_a_processor_that_failed_is_closed_without_the_turn_which_others_wait_for(
    rig: LaneRig,
) -> None:
    rig.judged(1)
    turns, closed = rig.backend.turns, list[bool]()

    def closes() -> None:
        taken = threading.Event()

        def take() -> None:
            with turns:
                taken.set()

        threading.Thread(target=take, daemon=True).start()
        closed.append(taken.wait(60))

    rig.backend.opened[0].close = closes  # type: ignore[method-assign]
    other = turn_before_its_frame(rig)  # so that the lane asks for its turn before its frame
    rig.lane.configure(9, rig.settings.replace(persona="fail"))
    other.go_on()
    assert rig.wait_for_result()[0] == Verdict.COVERED
    wait_until(lambda: bool(closed), "the processor to be closed")
    assert closed == [True]
