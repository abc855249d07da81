from __future__ import annotations

import ctypes
import gc
import threading
import time

import numpy as np
import pytest
from doppel_ipc.ring import WorkerRing
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_worker.lane import Lane
from doppel_worker.lane_slate import LaneSlate

from tests.support.gate_side import GateSide
from tests.support.handles import mappings, open_descriptors
from tests.support.lanes import LAYOUT
from tests.support.worker_lane import HeldBackend, LaneRig
from tests.support.worker_process import wait_until


def test_every_frame_is_judged_and_edited_in_place(rig: LaneRig) -> None:
    for value in range(20):
        assert rig.judged(value) == (Verdict.SWAPPED, bytes([255 - value]) * LAYOUT.size)
    status = rig.wait_for(lambda s: s.frames == 20)
    assert (status.state, status.persona, status.engine, status.faces) == ("running", "invert", "box", 1)
    assert status.turnaround_ms_p95 >= status.turnaround_ms_p50 > 0
    assert [stage.name for stage in status.stages] == ["box"]


def test_settings_hold_from_the_next_frame_on_even_while_the_lane_waits(rig: LaneRig) -> None:
    rig.judged()
    for serial in range(8, 40):
        persona = "no-face" if serial % 2 else "invert"
        rig.lane.configure(serial, rig.settings.replace(persona=persona))
        verdict, _ = rig.judged()
        assert verdict == (Verdict.NO_FACE if serial % 2 else Verdict.SWAPPED)
    assert rig.wait_for(lambda s: s.serial == 39).persona == "no-face"
    assert len(rig.backend.opened) == 1


def test_settings_are_taken_without_frames_too(rig: LaneRig) -> None:
    rig.lane.configure(8, rig.settings.replace(persona="box"))
    assert rig.wait_for(lambda s: s.serial == 8).persona == "box"


def test_a_frame_in_hand_keeps_its_settings(rig: LaneRig) -> None:
    rig.backend.gate.clear()
    rig.gate.submit(bytes(LAYOUT.size))
    assert rig.backend.entered.wait(60)
    rig.lane.configure(8, rig.settings.replace(persona="no-face"))
    rig.backend.gate.set()
    assert rig.wait_for_result()[0] == Verdict.SWAPPED
    assert rig.judged()[0] == Verdict.NO_FACE


def test_a_failure_covers_its_frame_and_starts_the_lane_anew(rig: LaneRig) -> None:
    rig.lane.configure(8, rig.settings.replace(persona="fail"))
    assert rig.judged()[0] == Verdict.COVERED
    status = rig.wait_for(lambda s: s.state == "failed")
    assert status.detail == "this persona always fails"
    rig.judged()
    rig.lane.configure(9, rig.settings.replace(persona="invert"))
    wait_until(lambda: rig.judged()[0] == Verdict.SWAPPED, "swapping again")
    assert rig.wait_for(lambda s: s.state == "running").detail == "as invert"
    assert len(rig.backend.opened) > 1
    # The same failure over and over is told once.
    assert [report[:2] for report in rig.reports] == [("internal", "this persona always fails")]


def test_a_lane_that_starts_anew_remembers_its_faces(rig: LaneRig) -> None:
    rig.lane.configure(8, rig.settings.replace(persona="fail"))
    wait_until(lambda: rig.judged()[0] == Verdict.COVERED and len(rig.backend.opened) > 1, "a new start")
    first, *others = rig.backend.memories
    assert all(other is first for other in others)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_covers_its_frame_and_is_not_swallowed(ring_library: ctypes.CDLL) -> None:
    rig = LaneRig(ring_library, "bug")
    assert rig.judged()[0] == Verdict.COVERED
    assert rig.lane.join(60)
    rig.close()


def test_frames_wait_while_the_backend_loads(ring_library: ctypes.CDLL) -> None:
    with GateSide(ring_library, LAYOUT) as gate:
        ring = WorkerRing.open(ring_library, gate.segment.descriptor)
        nothing = LaneSlate(ring, lambda job: None, lambda *_: None)
        lane = Lane(1, ring, 1, FilterSettings(persona="box"), report=lambda *_: None, slate=nothing)
        lane.start()
        gate.submit(bytes(LAYOUT.size))
        assert lane.snapshot().state == "loading"
        assert gate.result() is None
        lane.serve(HeldBackend())
        wait_until(lambda: gate.result() is not None, "the first result")
        lane.stop()
        assert lane.join(60)


def test_a_throttled_lane_takes_one_frame_of_n(rig: LaneRig) -> None:
    rig.lane.throttle(4)

    def camera() -> bool:
        rig.gate.submit(bytes(LAYOUT.size))
        rig.gate.result()
        time.sleep(0.005)  # a camera of 200 frames a second
        return len(rig.backend.seen) >= 6

    wait_until(camera, "six frames")
    assert np.diff([frame_id for frame_id, _ in rig.backend.seen]).min() >= 4
    rig.lane.throttle(1)
    rig.judged()


def test_a_throttled_lane_judges_the_last_frame_of_a_source_that_stops(rig: LaneRig) -> None:
    rig.lane.throttle(4)
    rig.judged()
    last = rig.judged(150)
    assert last[0] == Verdict.SWAPPED


def test_a_throttled_lane_stops_at_once(rig: LaneRig) -> None:
    rig.lane.throttle(1000)
    rig.judged()
    rig.lane.stop()
    assert rig.lane.join(60)


def test_the_gates_end_of_the_lane_ends_the_thread(rig: LaneRig) -> None:
    rig.judged()
    rig.gate.library.doppel_ring_close(rig.gate.ring)
    assert rig.lane.join(60)


def test_a_lane_leaves_no_handle_mapping_or_thread(ring_library: ctypes.CDLL) -> None:
    def serve() -> None:
        rig = LaneRig(ring_library, "box")
        rig.judged()
        rig.close()

    serve()
    gc.collect()  # what the tests before this one left
    before = open_descriptors(), mappings("doppel"), threading.active_count()
    for _ in range(10):
        serve()
    wait_until(
        lambda: (open_descriptors(), mappings("doppel"), threading.active_count()) == before,
        f"all is given back: {before}",
    )
