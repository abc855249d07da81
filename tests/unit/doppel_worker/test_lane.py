from __future__ import annotations

import ctypes
import dataclasses
import gc
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from doppel_ipc import native
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_ipc.ring import WorkerRing
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_worker.backend import BackendConfig, Judgement
from doppel_worker.frame import FrameView
from doppel_worker.lane import WAIT_S, Lane, LaneSnapshot
from doppel_worker.lane_slate import LaneSlate
from doppel_worker.turns import Turns

from tests.support.box_backend import BoxBackend, BoxProcessor
from tests.support.gate_side import GateSide
from tests.support.handles import mappings, open_descriptors
from tests.support.lanes import LAYOUT
from tests.support.worker_process import wait_until


class Backend(BoxBackend):
    """The box backend, whose processors can be held up and are counted."""

    def __init__(self) -> None:
        super().__init__(BackendConfig(Path(), lambda code, text: None))
        self.opened: list[BoxProcessor] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.seen: list[tuple[int, str]] = []
        self.settled = True
        self.turns = Turns()

    def open_lane(self, settings: FilterSettings) -> BoxProcessor:
        backend = self

        class Processor(BoxProcessor):
            def turn(self) -> Turns:
                return backend.turns

            def process(self, frame: FrameView) -> Judgement:
                backend.entered.set()
                assert backend.gate.wait(20)
                with backend.turns:
                    backend.seen.append((frame.frame_id, self.persona))
                return dataclasses.replace(super().process(frame), settled=backend.settled)

        self.opened.append(Processor(settings))
        return self.opened[-1]


class Rig:
    """A lane between a gate driven by hand and the box backend."""

    def __init__(self, library: ctypes.CDLL, persona: str, layout: FrameLayout = LAYOUT) -> None:
        self.gate = GateSide(library, layout, slots=8)
        self.backend = Backend()
        self.reports: list[tuple[str, str, str]] = []
        self.answered = 0
        ring = WorkerRing.open(library, self.gate.segment.descriptor)
        slate = LaneSlate(ring, self._background, self._report)
        self.settings = FilterSettings(persona=persona)
        self.lane = Lane(1, ring, 7, self.settings, report=self._report, slate=slate)
        self.lane.serve(self.backend)
        self.lane.start()

    def judged(self, value: int = 100) -> tuple[int, bytes]:
        """Submits a frame and waits for its verdict and pixels."""
        assert self.gate.submit(bytes([value]) * self.gate.layout.size)
        return self.wait_for_result()

    def wait_for_result(self) -> tuple[int, bytes]:
        found: list[tuple[int, bytes, int]] = []

        def look() -> bool:
            result = self.gate.result()
            if result is not None:
                found.append(result)
            return bool(found)

        wait_until(look, "a result")
        return found[0][:2]

    def wait_for(self, check: Callable[[LaneSnapshot], object]) -> LaneSnapshot:
        wait_until(lambda: check(self.lane.snapshot()), f"a status, now {self.lane.snapshot()}")
        return self.lane.snapshot()

    def close(self) -> None:
        self.backend.gate.set()
        self.lane.stop()
        assert self.lane.join(10)
        self.gate.close()

    def _background(self, job: Callable[[], None]) -> None:
        threading.Thread(target=job).start()

    def _report(self, code: str, message: str, advice: str) -> None:
        self.reports.append((code, message, advice))


@pytest.fixture
def rig(ring_library: ctypes.CDLL) -> Iterator[Rig]:
    made = Rig(ring_library, "invert")
    yield made
    made.close()


def test_every_frame_is_judged_and_edited_in_place(rig: Rig) -> None:
    for value in range(20):
        assert rig.judged(value) == (Verdict.SWAPPED, bytes([255 - value]) * LAYOUT.size)
    status = rig.wait_for(lambda s: s.frames == 20)
    assert (status.state, status.persona, status.engine, status.faces) == ("running", "invert", "box", 1)
    assert status.turnaround_ms_p95 >= status.turnaround_ms_p50 > 0
    assert [stage.name for stage in status.stages] == ["box"]


def test_settings_hold_from_the_next_frame_on_even_while_the_lane_waits(rig: Rig) -> None:
    rig.judged()
    for serial in range(8, 40):
        persona = "no-face" if serial % 2 else "invert"
        rig.lane.configure(serial, rig.settings.replace(persona=persona))
        verdict, _ = rig.judged()
        assert verdict == (Verdict.NO_FACE if serial % 2 else Verdict.SWAPPED)
    assert rig.wait_for(lambda s: s.serial == 39).persona == "no-face"
    assert len(rig.backend.opened) == 1


def test_settings_are_taken_without_frames_too(rig: Rig) -> None:
    rig.lane.configure(8, rig.settings.replace(persona="box"))
    assert rig.wait_for(lambda s: s.serial == 8).persona == "box"


def test_a_frame_in_hand_keeps_its_settings(rig: Rig) -> None:
    rig.backend.gate.clear()
    rig.gate.submit(bytes(LAYOUT.size))
    assert rig.backend.entered.wait(20)
    rig.lane.configure(8, rig.settings.replace(persona="no-face"))
    rig.backend.gate.set()
    assert rig.wait_for_result()[0] == Verdict.SWAPPED
    assert rig.judged()[0] == Verdict.NO_FACE


def test_a_failure_covers_its_frame_and_starts_the_lane_anew(rig: Rig) -> None:
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


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_covers_its_frame_and_is_not_swallowed(ring_library: ctypes.CDLL) -> None:
    rig = Rig(ring_library, "bug")
    assert rig.judged()[0] == Verdict.COVERED
    assert rig.lane.join(10)
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
        lane.serve(Backend())
        wait_until(lambda: gate.result() is not None, "the first result")
        lane.stop()
        assert lane.join(10)


def test_a_throttled_lane_takes_one_frame_of_n(rig: Rig) -> None:
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


def test_a_throttled_lane_judges_the_last_frame_of_a_source_that_stops(rig: Rig) -> None:
    rig.lane.throttle(4)
    rig.judged()
    last = rig.judged(150)
    assert last[0] == Verdict.SWAPPED


def test_a_throttled_lane_stops_at_once(rig: Rig) -> None:
    rig.lane.throttle(1000)
    rig.judged()
    rig.lane.stop()
    assert rig.lane.join(20)


def test_the_gates_end_of_the_lane_ends_the_thread(rig: Rig) -> None:
    rig.judged()
    rig.gate.library.doppel_ring_close(rig.gate.ring)
    assert rig.lane.join(10)


def test_a_lane_leaves_no_handle_mapping_or_thread(ring_library: ctypes.CDLL) -> None:
    def serve() -> None:
        rig = Rig(ring_library, "box")
        rig.judged()
        rig.close()

    serve()
    gc.collect()  # what the tests before this one left
    before = open_descriptors(), mappings("doppel"), threading.active_count()
    for _ in range(10):
        serve()
    assert (open_descriptors(), mappings("doppel"), threading.active_count()) == before


def again(rig: Rig) -> int:
    """How often the worker has asked for the newest frame again."""
    return int(native.SegmentHeader.from_buffer_copy(rig.gate.memory).again)


def test_the_original_of_the_newest_frame_is_kept(rig: Rig) -> None:
    for value in (10, 20):
        rig.judged(value)
        header = native.SegmentHeader.from_buffer_copy(rig.gate.memory)
        start = header.slate_offset + header.slot_stride
        assert bytes(rig.gate.memory[start : start + LAYOUT.size]) == bytes([value]) * LAYOUT.size
        assert header.kept_id == rig.backend.seen[-1][0]


def test_settings_that_come_while_no_frame_does_make_the_lane_ask_for_the_last_one(rig: Rig) -> None:
    rig.judged()
    time.sleep(3 * WAIT_S)
    assert again(rig) == 0
    for serial, persona in ((8, "no-face"), (9, "box")):
        asked = again(rig)
        rig.lane.configure(serial, rig.settings.replace(persona=persona))
        wait_until(lambda asked=asked: again(rig) == asked + 1, "the lane asks")
        rig.judged()
    time.sleep(3 * WAIT_S)
    assert again(rig) == 2, "judged with its present settings, a frame is not asked for"


def test_a_failure_makes_the_lane_ask_for_the_frame_it_covered(rig: Rig) -> None:
    rig.lane.configure(8, rig.settings.replace(persona="fail"))
    assert rig.judged()[0] == Verdict.COVERED
    wait_until(lambda: again(rig) > 0, "the lane asks")
    rig.lane.configure(9, rig.settings)
    wait_until(lambda: again(rig) > 1, "the lane asks")
    wait_until(lambda: rig.judged()[0] == Verdict.SWAPPED, "swapping again")


def test_what_is_still_being_loaded_makes_the_lane_ask_until_it_is_there(rig: Rig) -> None:
    rig.backend.settled = False
    rig.judged()
    wait_until(lambda: again(rig) >= 3, "the lane asks again and again")
    rig.backend.settled = True
    rig.judged()
    asked = again(rig)
    time.sleep(3 * WAIT_S)
    assert again(rig) == asked


def test_a_slate_is_drawn_though_only_one_frame_comes(rig: Rig, tmp_path: Path) -> None:
    path = picture(tmp_path / "red.png", (255, 0, 0))
    rig.judged()
    rig.lane.configure(8, rig.settings.replace(cover="slate", slate_image=str(path)))

    def gate_answers() -> bool:
        """As the gate does: the frame comes again for each time it is asked for."""
        if again(rig) > rig.answered:
            rig.answered = again(rig)
            rig.judged()
        return rig.gate.slate() is not None

    wait_until(gate_answers, "the slate")


def picture(path: Path, rgb: tuple[int, int, int]) -> Path:
    image = np.full((40, 80, 3), rgb[::-1], np.uint8)
    assert cv2.imwrite(str(path), image)
    return path


@pytest.mark.parametrize("pixel_format", [PixelFormat.NV12, PixelFormat.YUY2, PixelFormat.BGRA])
def test_the_slate_is_drawn_in_the_lanes_format(
    ring_library: ctypes.CDLL, tmp_path: Path, pixel_format: PixelFormat
) -> None:
    rig = Rig(ring_library, "box", FrameLayout.of(pixel_format, 64, 48))
    try:
        path = picture(tmp_path / "red.png", (255, 0, 0))
        rig.lane.configure(8, rig.settings.replace(cover="slate", slate_image=str(path)))
        wait_until(lambda: rig.judged() and rig.gate.slate() is not None, "the slate")
        slate = rig.gate.slate()
        assert slate is not None
        # Red in BT.709, limited range: Y 63, Cb 102, Cr 240.
        expected = {
            PixelFormat.NV12: (63, slate[5 * 64 + 7]),
            PixelFormat.YUY2: (63, slate[5 * 128 + 14]),
            PixelFormat.BGRA: (255, slate[5 * 256 + 28 + 2]),
        }[pixel_format]
        assert expected[1] == pytest.approx(expected[0], abs=2)
        rig.lane.configure(9, rig.settings)
        wait_until(lambda: rig.gate.slate() is None, "no slate")
    finally:
        rig.close()


def test_a_slate_that_is_no_picture_is_told_and_is_not_shown(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no picture")
    rig.lane.configure(8, rig.settings.replace(cover="slate", slate_image=str(path)))
    wait_until(lambda: rig.judged() and rig.reports, "the report")
    assert rig.reports[0][0] == "slate"
    assert "notes.txt is no picture" in rig.reports[0][1]
    assert rig.gate.slate() is None
    assert "notes.txt" in rig.wait_for(lambda s: "notes" in s.detail).detail
    assert rig.judged()[0] == Verdict.SWAPPED


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
            assert self._go.wait(20)

    def go_on(self) -> None:
        self._go.set()
        self._thread.join(20)


def test_a_lane_that_waited_for_its_turn_takes_the_newest_frame(rig: Rig) -> None:
    turns, size = rig.backend.turns, rig.gate.layout.size
    rig.judged(1)
    first = OtherLane(turns)
    assert first.holds.wait(20)
    assert rig.gate.submit(bytes([2]) * size)
    wait_until(lambda: turns.waiting == 1, "the lane to ask for its turn")
    second = OtherLane(turns)
    wait_until(lambda: turns.waiting == 2, "the other lane to ask for its turn")
    assert rig.gate.submit(bytes([3]) * size)
    first.go_on()
    # Its frame in hand comes first, then the other lane, and meanwhile newer frames come in.
    assert second.holds.wait(20)
    assert rig.wait_for_result() == (Verdict.SWAPPED, bytes([253]) * size)
    wait_until(lambda: turns.waiting == 1, "the lane to ask again")
    before = rig.lane.snapshot().given_back
    assert rig.gate.submit(bytes([4]) * size)
    assert rig.gate.submit(bytes([5]) * size)
    second.go_on()
    assert rig.wait_for_result() == (Verdict.SWAPPED, bytes([250]) * size)
    assert rig.lane.snapshot().given_back == before + 2
    assert len(rig.backend.seen) == 3


def turn_before_its_frame(rig: Rig) -> OtherLane:
    """Another lane, which has the turn that this lane wants for the frame that waits for it."""
    turns, size = rig.backend.turns, rig.gate.layout.size
    first = OtherLane(turns)
    assert first.holds.wait(20)
    assert rig.gate.submit(bytes([2]) * size)
    wait_until(lambda: turns.waiting == 1, "the lane to ask for its turn")
    second = OtherLane(turns)
    wait_until(lambda: turns.waiting == 2, "the other lane to ask for its turn")
    assert rig.gate.submit(bytes([3]) * size)
    first.go_on()
    assert second.holds.wait(20)
    rig.wait_for_result()
    wait_until(lambda: turns.waiting == 1, "the lane to ask again")
    return second


def test_another_device_is_prepared_between_two_frames(rig: Rig) -> None:
    rig.judged()
    loading, loaded = threading.Event(), threading.Event()
    processor = rig.backend.opened[0]
    configure = processor.configure

    def load(settings: FilterSettings) -> None:
        loading.set()
        assert loaded.wait(20)
        configure(settings)

    processor.configure = load  # type: ignore[method-assign]
    other = turn_before_its_frame(rig)
    rig.lane.configure(8, rig.settings.replace(persona="no-face", device="cuda:1"))
    other.go_on()
    assert rig.wait_for_result()[0] == Verdict.SWAPPED, "the frame is handed back before networks load"
    assert loading.wait(20)
    with rig.backend.turns:  # which nobody has meanwhile
        loaded.set()
    assert rig.judged()[0] == Verdict.NO_FACE


def test_the_original_is_kept_before_settings_are_taken(rig: Rig) -> None:
    rig.judged()
    kept: list[int] = []
    processor = rig.backend.opened[0]
    configure = processor.configure

    def note(settings: FilterSettings) -> None:
        kept.append(native.SegmentHeader.from_buffer_copy(rig.gate.memory).kept_id)
        configure(settings)

    processor.configure = note  # type: ignore[method-assign]
    other = turn_before_its_frame(rig)
    rig.lane.configure(8, rig.settings.replace(persona="no-face"))
    other.go_on()
    assert rig.wait_for_result()[0] == Verdict.NO_FACE
    assert kept == [rig.backend.seen[-1][0]]
