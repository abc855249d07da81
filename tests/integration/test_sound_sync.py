"""Sound and picture stay together, as recordings show, with a microphone and with the source's own sound.

The camera and the microphone are sources of our own (obs_scripts/test_sources.c): OBS has no camera without
sound that needs no hardware.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from installer.scene import FILTER_NAME
from tests.integration.rig import SCRIPT, SCRIPTS, Rig, wait_for
from tests.integration.sound import FRAME_MS, Lateness, clap_lags, offset_ms, wait_delayed
from tests.integration.stage import Stage
from tests.support.native_build import compile_c

SETTLE_S = 1.5
"""After a change: OBS's buffers hold sound and picture from before it."""
CLAPS_S = 3.5
"""Holds at least three claps."""
TOLERANCE_MS = 1.5 * FRAME_MS
"""Which frame of the recording a frame of the camera falls on may change by one between two parts."""
MOST_ERROR_MS = 20.0
"""What may be left between lips and voice."""
FINE_FPS = 47
"""Of the recording that this is measured in. Its frames are the grid of the measurement; the camera's 30 a
second fall on ever other places of that grid, so that it evens out."""
FINE_TRIES = 3
OFFSET_STEP_MS = 3
"""An offset is set in two steps, the first a little beside the second."""
SLOWER = "slow-45"
"""A persona whose delay is at least two frames."""
SLOW = "slow-70"
"""A persona whose delay is several frames, so that a sound that does not move is told from one that does."""


@pytest.fixture(scope="session")
def live_sources(shared_obs: Rig, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The types doppel_test_camera, doppel_test_camera_with_sound and doppel_test_microphone in OBS."""
    library = tmp_path_factory.mktemp("sources") / "test_sources.so"
    compile_c(library, [SCRIPTS / "test_sources.c"], "-shared", "-pthread")
    shared_obs.remote("register_sources", library)


class Studio:
    """A camera of ours in a stage's scene, with the filter, and a microphone."""

    def __init__(self, stage: Stage, camera_kind: str) -> None:
        self.stage, self.rig = stage, stage.rig
        self.camera, self.microphone = f"{stage.camera} live", f"{stage.camera} microphone"
        stage.remove_camera(stage.camera)
        stage.add_input(self.camera, camera_kind, {})
        self.rig.add_filter(self.camera, hold_ms=5000)
        if camera_kind == "doppel_test_camera":
            stage.add_input(self.microphone, "doppel_test_microphone", {})

    def lane(self, name: str = FILTER_NAME) -> dict[str, object]:
        return self.rig.lane(self.camera, name)

    def show(self) -> None:
        self.stage.show(swapping=False)
        self.rig.wait_swapping(self.camera)

    def be_slow(self) -> None:
        """Shows a picture that is several frames late."""
        self.rig.set_filter(self.camera, persona=SLOW)
        self.show()
        wait_for(lambda: self.lane()["delay_frames"] > 2, 30, "the delay does not grow")

    def enable(self, *, on: bool) -> None:
        self.rig.request(
            "SetSourceFilterEnabled", sourceName=self.camera, filterName=FILTER_NAME, filterEnabled=on
        )

    def record(self, *changes: Callable[[], object]) -> tuple[Path, list[tuple[float, float]]]:
        """A recording, and (begin, end) in seconds of its parts before the first change and after each."""
        windows = []
        with self.rig.recording() as recording:
            start = time.monotonic()
            for change in (lambda: None, *changes):
                change()
                begin = time.monotonic() - start
                time.sleep(SETTLE_S + CLAPS_S)
                windows.append((begin + SETTLE_S, begin + SETTLE_S + CLAPS_S))
        return recording[0], windows

    def lags_ms(self, *changes: Callable[[], object]) -> list[float]:
        """How much later than the picture the sound is, before the first change and after each.

        All in one recording; each figure is the median of some claps.
        """
        recording, windows = self.record(*changes)
        claps = clap_lags(recording)
        parts = [[lag for at, lag in claps if begin < at < end] for begin, end in windows]
        assert all(parts), f"no clap is heard in some part: {claps}"
        return [statistics.median(part) for part in parts]


@pytest.fixture
def studio(stage: Stage, live_sources: None) -> Studio:
    return Studio(stage, "doppel_test_camera")


def test_until_a_microphone_is_picked_the_status_says_so_and_nothing_is_delayed(studio: Studio) -> None:
    studio.show()
    page = studio.rig.remote("page", studio.camera, FILTER_NAME)
    assert any("pick the microphone" in item["text"] for item in page.values())
    assert offset_ms(studio.rig, studio.microphone) == 0


def assert_together(where: str, lags: list[float], delay_ms: int) -> None:
    """``lags``: with the filter off, on without an offset, on with one."""
    off, without, offset = lags
    print(f"{where}: off {off:.0f} ms, on {without:.0f} ms, offset by {delay_ms} ms {offset:.0f} ms")
    assert delay_ms > 2 * TOLERANCE_MS
    assert offset - without == pytest.approx(delay_ms, abs=TOLERANCE_MS)
    assert offset == pytest.approx(off, abs=FRAME_MS + TOLERANCE_MS), "as if there were no filter"


@pytest.mark.long
def test_the_microphones_sound_moves_with_the_picture(studio: Studio) -> None:
    studio.be_slow()
    studio.enable(on=False)
    delays: list[int] = []

    def pick() -> None:
        studio.rig.set_filter(studio.camera, sound_source=studio.microphone)
        delays.append(wait_delayed(studio.rig, studio.microphone, 0, studio.lane))

    lags = studio.lags_ms(lambda: studio.enable(on=True), pick)
    assert_together("microphone", lags, delays[0])


@pytest.mark.long
def test_the_sources_own_sound_moves_with_the_picture(stage: Stage, live_sources: None) -> None:
    studio = Studio(stage, "doppel_test_camera_with_sound")
    studio.rig.set_filter(studio.camera, sound_sync=False)
    studio.be_slow()
    studio.enable(on=False)
    delays: list[int] = []

    def sync() -> None:
        studio.rig.set_filter(studio.camera, sound_sync=True)
        delays.append(wait_delayed(studio.rig, studio.camera, 0, studio.lane))

    lags = studio.lags_ms(lambda: studio.enable(on=True), sync)
    assert_together("own sound", lags, delays[0])


@pytest.fixture
def fine_recording(shared_obs: Rig) -> Iterator[None]:
    """A frame rate that is no multiple of the camera's."""
    shared_obs.request("SetVideoSettings", fpsNumerator=FINE_FPS, fpsDenominator=1)
    yield
    shared_obs.request("SetVideoSettings", fpsNumerator=30, fpsDenominator=1)


@pytest.mark.long
def test_at_most_20_ms_are_left_between_lips_and_voice_and_none_when_the_filter_is_gone(
    fine_recording: None, studio: Studio
) -> None:
    for _ in range(FINE_TRIES):
        studio.rig.set_filter(studio.camera, persona=SLOWER, sound_source=studio.microphone)
        studio.show()
        wait_for(lambda: studio.lane()["delay_frames"] > 1, 30, "the delay does not grow")
        measured = measured_without_with_without(studio)
        print(f"off, off, at work, removed: {[round(lag, 1) for lag in measured]} ms")
        if measured and abs(measured[0] - measured[1]) < MOST_ERROR_MS / 2:
            _, before, swapped, after = measured
            assert after == pytest.approx(before, abs=MOST_ERROR_MS)
            assert swapped == pytest.approx((before + after) / 2, abs=MOST_ERROR_MS)
            return
        studio.rig.add_filter(studio.camera, hold_ms=5000)
    # Where OBS waits for the processor it moves the sound against the picture by itself, and for good.
    pytest.skip("this machine is too busy: without the filter, too, sound and picture drift apart")


def measured_without_with_without(studio: Studio) -> list[float]:
    """How much later than the picture the sound is: filter off twice, at work, removed.

    What differs between the first two is the machine's own. Empty: not to be told.
    """
    delays: list[int] = []

    def remove() -> None:
        delays.append(offset_ms(studio.rig, studio.microphone))
        studio.rig.remove_filter(studio.camera)
        wait_for(lambda: offset_ms(studio.rig, studio.microphone) == 0, 20, "the offset is not given back")

    def enable() -> None:
        studio.enable(on=True)
        delays.append(wait_delayed(studio.rig, studio.microphone, 0, studio.lane))

    studio.enable(on=False)
    wait_for(lambda: offset_ms(studio.rig, studio.microphone) == 0, 20, "the offset is not given back")
    recording, windows = studio.record(lambda: None, enable, remove)
    assert delays[0] > 2 * MOST_ERROR_MS, "a sound that does not move at all would pass"
    if abs(delays[0] - delays[1]) > OFFSET_STEP_MS:
        return []  # the delay was adapted meanwhile
    lateness = Lateness(recording)
    lags = [lateness.lag_ms(*window) for window in windows]
    return [lag for lag in lags if lag is not None] if None not in lags else []


def test_the_users_own_offset_of_a_microphone_is_kept_and_comes_back(studio: Studio) -> None:
    microphone = studio.microphone
    studio.rig.request("SetInputAudioSyncOffset", inputName=microphone, inputAudioSyncOffset=60)
    studio.rig.set_filter(studio.camera, sound_source=microphone)
    studio.show()
    wait_delayed(studio.rig, microphone, 60, studio.lane)

    assert studio.rig.remote("reload", SCRIPT)
    wait_delayed(studio.rig, microphone, 60, studio.lane)
    studio.rig.remote("remove", SCRIPT)
    restored = offset_ms(studio.rig, microphone)
    studio.rig.remote("load", SCRIPT)
    assert restored == 60

    wait_delayed(studio.rig, microphone, 60, studio.lane)
    studio.rig.remove_filter(studio.camera)
    wait_for(lambda: offset_ms(studio.rig, microphone) == 60, 20, "the user's own offset is not restored")


def test_another_microphone_takes_over_and_the_first_gets_its_own_offset_back(studio: Studio) -> None:
    second = f"{studio.microphone} 2"
    studio.stage.add_input(second, "doppel_test_microphone", {})
    studio.rig.set_filter(studio.camera, sound_source=studio.microphone)
    studio.show()
    wait_delayed(studio.rig, studio.microphone, 0, studio.lane)
    studio.rig.set_filter(studio.camera, sound_source=second)
    wait_delayed(studio.rig, second, 0, studio.lane)
    wait_for(lambda: offset_ms(studio.rig, studio.microphone) == 0, 20, "the first one stays delayed")


def test_of_two_filters_on_one_microphone_the_larger_delay_counts(studio: Studio) -> None:
    other = f"{studio.camera} 2"
    studio.stage.add_input(other, "doppel_test_camera", {})
    studio.rig.add_filter(other, persona="slow-70", hold_ms=5000, sound_source=studio.microphone)
    studio.rig.set_filter(studio.camera, sound_source=studio.microphone)
    studio.show()
    studio.rig.wait_swapping(other)

    def larger() -> dict[str, object]:
        lanes = [studio.lane(), studio.rig.lane(other)]
        return max(lanes, key=lambda lane: lane["delay_frames"])

    wait_for(lambda: studio.rig.lane(other)["delay_frames"] > 2, 30, "the slow filter's delay does not grow")
    wait_delayed(studio.rig, studio.microphone, 0, larger)

    studio.rig.remove_filter(other)
    wait_delayed(studio.rig, studio.microphone, 0, studio.lane)


def test_a_microphone_that_is_removed_harms_nobody_and_is_found_again(studio: Studio) -> None:
    studio.rig.set_filter(studio.camera, sound_source=studio.microphone)
    studio.show()
    wait_delayed(studio.rig, studio.microphone, 0, studio.lane)
    studio.stage.remove_camera(studio.microphone)
    studio.rig.wait_swapping(studio.camera)
    studio.stage.wait_gone(studio.microphone)
    studio.stage.add_input(studio.microphone, "doppel_test_microphone", {})
    wait_delayed(studio.rig, studio.microphone, 0, studio.lane)
