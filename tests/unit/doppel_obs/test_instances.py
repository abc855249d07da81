from __future__ import annotations

import ctypes
import dataclasses
import itertools

import pytest
from doppel_ipc.errors import ProtocolError, ProtocolFault
from doppel_ipc.messages import CloseLane, LaneStatus, Message
from doppel_obs.control import LOOK_SECONDS
from doppel_obs.instances import FilterInstance, Surroundings
from doppel_obs.libobs import OUTPUT_AUDIO
from doppel_obs.phrases import verbatim

from tests.unit.doppel_obs.english import ENGLISH
from tests.unit.doppel_obs.fake_obs import PARENT, WEAK, FakeHolder

AROUND = Surroundings(10**12, 1, True, None, None, {}, False)


@pytest.fixture
def holder(ring_library: ctypes.CDLL) -> FakeHolder:
    made = FakeHolder(ring_library)
    made.gate.filters = [1]
    return made


def instance(holder: FakeHolder, *, refuses: bool = False) -> FilterInstance:
    def send(message: Message, _generation: int) -> None:
        if refuses and isinstance(message, CloseLane):
            raise ProtocolError(ProtocolFault.OUT_OF_ORDER, "lane 1 is not open")

    serials = itertools.count(1)
    return FilterInstance(holder.as_holder(), 1, send, lambda: next(serials))


def test_leaving_lets_the_source_go_whatever_happens_to_the_lane(holder: FakeHolder) -> None:
    one = instance(holder, refuses=True)
    assert one.tick(AROUND)
    assert one.lane.serial
    assert holder.libobs.references == {PARENT: 0, WEAK: 1}

    with pytest.raises(ProtocolError):
        one.leave(alive=False)
    assert holder.libobs.references == {PARENT: 0, WEAK: 0}


def test_a_call_that_fails_leaves_no_reference_behind(holder: FakeHolder) -> None:
    one = instance(holder)
    holder.libobs.failing = "name_of"

    with pytest.raises(OSError, match="name_of"):
        one.tick(AROUND)
    assert holder.libobs.references[PARENT] == 0


def test_a_source_that_is_renamed_is_told_by_its_new_name(
    holder: FakeHolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = instance(holder)
    one.tick(AROUND)
    monkeypatch.setattr(holder.libobs, "name_of", lambda _source: "Another")
    one.tick(AROUND)
    assert one.stats is not None
    assert (one.stats.source, one.stats.name) == ("Another", "Another")


@pytest.mark.parametrize(("readback_frames", "passes_on", "frames"), [(0, 0, 2), (1, 0, 3), (1, 1, 0)])
def test_the_sound_is_as_late_as_the_picture_that_is_read_back_first(
    holder: FakeHolder, monkeypatch: pytest.MonkeyPatch, readback_frames: int, passes_on: int, frames: int
) -> None:
    monkeypatch.setattr(holder.libobs, "obs_source_get_output_flags", lambda _s: OUTPUT_AUDIO, raising=False)
    monkeypatch.setattr(holder.libobs, "obs_source_enabled", lambda _s: True, raising=False)
    status = holder.gate.status
    status.readback_frames, status.passes_on = readback_frames, passes_on
    status.lane_serial, status.frames_in, status.frame_interval_ns = 1, 100, 40_000_000
    one = instance(holder)
    one.tick(AROUND)
    one.tick(AROUND)

    assert one.wanted_sound() == (PARENT, frames * 40_000_000)


def test_the_panic_outlives_the_script(holder: FakeHolder) -> None:
    one = instance(holder)
    one.tick(AROUND)
    holder.panic = True
    one.policy.follow_panic()
    one.leave(alive=True)
    instance(holder).tick(AROUND)

    assert holder.gate.panics == [0, 1, 1]


def test_the_error_of_a_refused_lane_stays_until_one_opens(holder: FakeHolder) -> None:
    one = instance(holder)
    one.tick(AROUND)
    one.error = verbatim("the segment cannot be opened")
    one.lane_refused(AROUND.now_ns)
    later = Surroundings(AROUND.now_ns + 3 * 10**9, 1, True, None, None, {}, False)
    one.tick(later)
    assert one.lane.serial == 2
    assert "cannot be opened" in one.line.text(ENGLISH)

    one.lane_opened()
    one.tick(later)
    assert "cannot be opened" not in one.line.text(ENGLISH)


@pytest.mark.parametrize("offset_ms", range(0, 30, 3))
def test_a_change_is_with_the_worker_within_a_tenth_of_a_second(holder: FakeHolder, offset_ms: int) -> None:
    sent: list[int] = []
    one = instance(holder)
    one.tick(AROUND)
    one.lane.change = lambda *_: sent.append(now_ns)
    holder.libobs.json = b'{"strength": 0.5}'
    look_ns = round(LOOK_SECONDS * 1e9)
    changed_ns = AROUND.now_ns + 10 * look_ns + offset_ms * 1_000_000
    for number in range(1, 30):
        now_ns = AROUND.now_ns + number * look_ns
        if now_ns >= changed_ns:
            holder.gate.status.settings_serial = 5
        one.tick(dataclasses.replace(AROUND, now_ns=now_ns))

    # OBS itself hands a change over with its next frame, up to 33 ms later.
    assert len(sent) == 1
    assert sent[0] - changed_ns <= 67_000_000


def test_a_slider_that_is_dragged_is_followed(holder: FakeHolder) -> None:
    sent: list[int] = []
    one = instance(holder)
    one.tick(AROUND)
    one.lane.change = lambda *_: sent.append(now_ns)
    look_ns = round(LOOK_SECONDS * 1e9)
    for number in range(1, 40):
        now_ns = AROUND.now_ns + number * look_ns
        holder.gate.status.settings_serial = number
        holder.libobs.json = b'{"strength": %.2f}' % (number / 100)
        one.tick(dataclasses.replace(AROUND, now_ns=now_ns))

    gaps = [later - earlier for earlier, later in itertools.pairwise(sent)]
    assert len(sent) > 5
    assert max(gaps) <= 130_000_000


def test_a_worker_that_took_over_is_not_judged_by_the_lane_of_the_one_before(holder: FakeHolder) -> None:
    one = instance(holder)
    one.tick(AROUND)
    holder.gate.status.lane_serial = one.lane.serial
    holder.gate.status.oldest_busy_ns = 4 * 10**9
    one.tick(AROUND)
    running = LaneStatus(one.lane.serial, "running", 1, "bronze", "mesh", "P", 30, 5, 5, (), 1, 9, 0, "")
    one.lane_status = running
    assert one.swapping()

    one.tick(dataclasses.replace(AROUND, generation=2))
    one.lane_status = running
    assert one.lane.serial == 2
    assert not one.swapping(), "the gate has not sent a frame into the new lane"
    holder.gate.status.lane_serial = one.lane.serial
    one.tick(dataclasses.replace(AROUND, generation=2))
    assert one.swapping()
