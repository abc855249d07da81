"""Sound and picture stay together, as recordings show, with a microphone and with the source's own sound.

The camera and the microphone are sources of our own (obs_scripts/test_sources.c): OBS has no camera without
sound that needs no hardware.
"""

from __future__ import annotations

import time

import pytest

from installer.scene import FILTER_NAME
from tests.integration.rig import SCRIPT, SCRIPTS, Rig, wait_for
from tests.integration.sound import FRAME_MS, clap_lag_ms, offset_ms, wait_delayed
from tests.integration.stage import Stage
from tests.support.native_build import compile_c

RECORDING_S = 4.0
"""Holds at least three claps."""


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

    def lag_ms(self) -> float:
        """How much later than the picture the sound is, in a recording made now."""
        time.sleep(1.0)  # OBS's audio buffers hold what came before the last change
        with self.rig.recording() as recording:
            time.sleep(RECORDING_S)
        return clap_lag_ms(recording[0])


@pytest.fixture
def studio(stage: Stage, live_sources: None) -> Studio:
    return Studio(stage, "doppel_test_camera")


def test_until_a_microphone_is_picked_the_status_says_so_and_nothing_is_delayed(studio: Studio) -> None:
    studio.show()
    page = studio.rig.remote("page", studio.camera, FILTER_NAME)
    assert any("pick the microphone" in item["text"] for item in page.values())
    assert offset_ms(studio.rig, studio.microphone) == 0


def test_the_microphones_sound_moves_with_the_picture(studio: Studio) -> None:
    studio.show()
    before = studio.lag_ms()
    studio.rig.set_filter(studio.camera, sound_source=studio.microphone)
    delay_ms = wait_delayed(studio.rig, studio.microphone, 0, studio.lane)
    after = studio.lag_ms()

    print(f"microphone: {before:.0f} ms without, {after:.0f} ms with an offset of {delay_ms} ms")
    assert after - before == pytest.approx(delay_ms, abs=FRAME_MS)
    assert abs(after) < 2.5 * FRAME_MS


def test_the_sources_own_sound_moves_with_the_picture(stage: Stage, live_sources: None) -> None:
    studio = Studio(stage, "doppel_test_camera_with_sound")
    studio.rig.set_filter(studio.camera, sound_sync=False)
    studio.show()
    before = studio.lag_ms()
    studio.rig.set_filter(studio.camera, sound_sync=True)
    delay_ms = wait_delayed(studio.rig, studio.camera, 0, studio.lane)
    after = studio.lag_ms()

    print(f"own sound: {before:.0f} ms without, {after:.0f} ms with an offset of {delay_ms} ms")
    assert after - before == pytest.approx(delay_ms, abs=FRAME_MS)
    assert abs(after) < 2.5 * FRAME_MS


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
        return max(lanes, key=lambda lane: lane["delay_frames"])  # type: ignore[arg-type, return-value]

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
    studio.stage.add_input(studio.microphone, "doppel_test_microphone", {})
    wait_delayed(studio.rig, studio.microphone, 0, studio.lane)
