from __future__ import annotations

import ctypes
import itertools
import resource
from typing import Any

import pytest
from doppel_ipc import gate_abi, native, segment
from doppel_ipc.errors import SegmentError
from doppel_ipc.messages import CloseLane, Message, OpenLane, Settings
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_ipc.settings import FilterSettings
from doppel_obs.lane import RETRY_NS, Lane

from tests.unit.doppel_obs.english import words
from tests.unit.doppel_obs.fake_obs import FakeGate

START_NS = 10**12


class Bench:
    def __init__(self, ring: ctypes.CDLL, *, rgb: bool = False) -> None:
        self.gate = FakeGate(ring)
        self.sent: list[tuple[Message, int]] = []
        gate: Any = self.gate
        serials = itertools.count(1)
        self.lane = Lane(
            gate, 5, lambda message, to: self.sent.append((message, to)), lambda: next(serials), lambda: rgb
        )

    def tick(self, after_ns: int, generation: int = 1) -> bool:
        return self.lane.tick(
            START_NS + after_ns, self.gate.status, generation, "Camera", FilterSettings(), 1
        )

    def saw(self, *outcomes: gate_abi.Outcome) -> None:
        self.lane.saw(self.gate.status, [gate_abi.Sample(outcome=outcome) for outcome in outcomes])

    def told_of_a_face(self) -> bool:
        """What the newest lane was opened with."""
        return [message for message, _ in self.sent if isinstance(message, OpenLane)][-1].face_lately

    def opened(self) -> list[int]:
        return [message.lane for message, _ in self.sent if isinstance(message, OpenLane)]

    def opened_bytes(self) -> int:
        """Size of the newest lane's segment."""
        return [message for message, _ in self.sent if isinstance(message, OpenLane)][-1].segment.bytes


@pytest.fixture
def bench(ring_library: ctypes.CDLL) -> Bench:
    return Bench(ring_library)


def test_a_lane_that_the_worker_cannot_open_is_made_anew_after_a_while(bench: Bench) -> None:
    assert bench.tick(0)
    bench.lane.refused(START_NS)

    assert bench.lane.serial == 0
    assert bench.gate.detached == 1
    assert bench.sent[-1] == (CloseLane(1), 1)
    assert not bench.tick(RETRY_NS - 1)
    assert bench.tick(RETRY_NS)
    assert bench.opened() == [1, 2]


@pytest.mark.parametrize("result", [gate_abi.ATTACH_CANNOT_MAP, gate_abi.ATTACH_MISMATCH])
def test_a_segment_that_the_gate_refuses_is_not_made_anew_at_every_look(bench: Bench, result: int) -> None:
    bench.gate.attach_result = result
    looks = [bench.tick(after_ns) for after_ns in range(0, RETRY_NS, RETRY_NS // 40)]

    assert not any(looks)
    assert len(bench.gate.attached) == 1
    bench.gate.attach_result = 0
    assert bench.tick(RETRY_NS)
    assert bench.lane.problem is None


def test_memory_that_is_not_there_is_asked_for_now_and_then(bench: Bench) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 12, hard))
    try:
        assert not bench.tick(0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert "memory" in words(bench.lane.problem)
    assert not bench.tick(RETRY_NS - 1)
    assert bench.tick(RETRY_NS)


def test_another_geometry_or_worker_is_tried_at_once(bench: Bench) -> None:
    bench.gate.attach_result = gate_abi.ATTACH_CANNOT_MAP
    bench.tick(0)
    bench.gate.status.geometry_serial = 2
    bench.tick(1)
    bench.tick(2, generation=2)

    assert len(bench.gate.attached) == 3


def test_what_is_said_of_a_lane_is_for_the_worker_that_knows_it(bench: Bench) -> None:
    bench.tick(0, generation=3)
    bench.lane.change(FilterSettings(persona="bronze"), 2)
    bench.lane.close()

    assert [to for _, to in bench.sent] == [3, 3, 3]
    assert isinstance(bench.sent[1][0], Settings)
    assert bench.sent[2][0] == CloseLane(1)


SWAPPED, BLURRED, NO_FACE = gate_abi.Outcome.SWAPPED, gate_abi.Outcome.BLURRED, gate_abi.Outcome.NO_FACE
SAY_NOTHING = (gate_abi.Outcome.HELD, gate_abi.Outcome.COVERED, gate_abi.Outcome.ORIGINAL)


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ((), False),
        (SAY_NOTHING, False),
        ((SWAPPED,), True),
        ((NO_FACE, BLURRED, *SAY_NOTHING), True),
        ((SWAPPED, NO_FACE, *SAY_NOTHING), False),
    ],
    ids=["nothing yet", "only covers yet", "a face", "a face, then covers", "a face that left"],
)
def test_the_next_worker_learns_whether_there_was_a_face_lately(
    bench: Bench, outcomes: tuple[gate_abi.Outcome, ...], told: bool
) -> None:
    bench.saw()
    bench.tick(0, generation=1)
    assert not bench.told_of_a_face(), "the first lane knows of none"
    bench.saw(*outcomes)
    bench.tick(1, generation=2)
    assert bench.told_of_a_face() is told
    bench.gate.status.geometry_serial += 1  # another lane of the same worker
    bench.tick(2, generation=2)
    assert bench.told_of_a_face() is told


@pytest.mark.parametrize(("count", "told"), [("swapped", True), ("blurred", True), ("no_face", False)])
def test_a_script_that_comes_new_to_a_filter_takes_its_face_for_there(
    bench: Bench, count: str, told: bool
) -> None:
    setattr(bench.gate.status, count, 100)
    bench.saw()
    bench.tick(0)
    assert bench.told_of_a_face() is told


def opened_bytes(ring: ctypes.CDLL, *, rgb: bool, layout: FrameLayout) -> tuple[int, int]:
    """Slots and bytes of the segment that a lane is opened with."""
    bench = Bench(ring, rgb=rgb)
    bench.gate.status.geometry = native.Geometry.of(layout)
    assert bench.tick(0)
    bench.lane.close()
    return bench.lane.slots, bench.opened_bytes()


HD = FrameLayout.of(PixelFormat.I420, 1920, 1080)
UHD = FrameLayout.of(PixelFormat.I420, 3840, 2160)
QHD_BGRA = FrameLayout.of(PixelFormat.BGRA, 2560, 1440)
UHD_BGRA = FrameLayout.of(PixelFormat.BGRA, 3840, 2160)


@pytest.mark.parametrize(
    ("layout", "slots", "slots_with"), [(HD, 8, 8), (UHD, 8, 6), (QHD_BGRA, 8, 8), (UHD_BGRA, 6, 6)]
)
def test_a_lane_has_room_for_pictures_as_rgb_where_they_are_wanted(
    ring_library: ctypes.CDLL, layout: FrameLayout, slots: int, slots_with: int
) -> None:
    without = opened_bytes(ring_library, rgb=False, layout=layout)
    both = opened_bytes(ring_library, rgb=True, layout=layout)

    assert (without[0], both[0]) == (slots, slots_with)
    assert without[1] == native.segment_bytes(ring_library, layout, slots)
    assert both[1] == native.segment_bytes(ring_library, layout, slots_with, rgb=True)


def test_where_there_is_no_room_for_them_a_lane_does_without_and_says_so(
    ring_library: ctypes.CDLL, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = native.segment_bytes(ring_library, UHD, 8)
    real, room = segment.create, plain

    def small_memory(size: int) -> segment.Segment:
        if size > room:
            raise SegmentError("no room")
        return real(size)

    monkeypatch.setattr(segment, "create", small_memory)
    bench = Bench(ring_library, rgb=True)
    bench.gate.status.geometry = native.Geometry.of(UHD)
    assert bench.tick(0)
    assert (bench.lane.slots, bench.opened_bytes()) == (8, plain)
    assert "no room" in words(bench.lane.problem)

    room = native.segment_bytes(ring_library, UHD, 6, rgb=True)
    bench.gate.status.geometry_serial += 1
    assert bench.tick(1)
    assert (bench.lane.slots, bench.opened_bytes()) == (6, room)
    assert bench.lane.problem is None
    bench.lane.close()
