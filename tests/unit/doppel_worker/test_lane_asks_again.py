"""A lane asks for the newest frame again where it would be judged differently by now."""

from __future__ import annotations

from doppel_ipc import native
from doppel_ipc.verdict import Verdict

from tests.support.lanes import LAYOUT
from tests.support.worker_lane import LaneRig
from tests.support.worker_process import wait_until


def test_the_original_of_the_newest_frame_is_kept(rig: LaneRig) -> None:
    for value in (10, 20):
        rig.judged(value)
        header = native.SegmentHeader.from_buffer_copy(rig.gate.memory)
        start = header.slate_offset + header.slot_stride
        assert bytes(rig.gate.memory[start : start + LAYOUT.size]) == bytes([value]) * LAYOUT.size
        assert header.kept_id == rig.backend.seen[-1][0]


def test_settings_that_come_while_no_frame_does_make_the_lane_ask_for_the_last_one(rig: LaneRig) -> None:
    rig.judged()
    rig.wait_idle()
    assert rig.asked == 0
    for serial, persona in ((8, "no-face"), (9, "box")):
        asked = rig.asked
        rig.lane.configure(serial, rig.settings.replace(persona=persona))
        wait_until(lambda asked=asked: rig.asked == asked + 1, "the lane asks")
        rig.judged()
    rig.wait_idle()
    assert rig.asked == 2, "judged with its present settings, a frame is not asked for"


def test_a_failure_makes_the_lane_ask_for_the_frame_it_covered(rig: LaneRig) -> None:
    rig.lane.configure(8, rig.settings.replace(persona="fail"))
    assert rig.judged()[0] == Verdict.COVERED
    wait_until(lambda: rig.asked > 0, "the lane asks")
    rig.lane.configure(9, rig.settings)
    wait_until(lambda: rig.asked > 1, "the lane asks")
    wait_until(lambda: rig.judged()[0] == Verdict.SWAPPED, "swapping again")


def test_what_is_still_being_loaded_makes_the_lane_ask_until_it_is_there(rig: LaneRig) -> None:
    rig.backend.settled = False
    rig.judged()
    wait_until(lambda: rig.asked >= 3, "the lane asks again and again")
    rig.backend.settled = True
    rig.judged()
    asked = rig.asked
    rig.wait_idle()
    assert rig.asked == asked
