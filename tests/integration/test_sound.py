"""The sound is delayed as much as the picture, and the user's own offset comes back, whatever happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from doppel_ipc.paths import InstallConfig

from installer.obs_config import NAME
from installer.scene import FILTER_NAME, Scene, media_source, scene_collection
from tests.integration.rig import CAMERA, CANVAS, SCENE, SCRIPT, Rig, Setup, face_swap, wait_for
from tests.integration.sound import offset_ms, wait_delayed
from tests.integration.stage import Stage

OURS_LEAST_MS = 20


def test_the_offset_is_set_and_the_users_own_comes_back_with_the_filters_end(stage: Stage) -> None:
    stage.rig.request("SetInputAudioSyncOffset", inputName=stage.camera, inputAudioSyncOffset=40)
    stage.show()
    wait_delayed(stage.rig, stage.camera, 40, stage.lane)

    stage.rig.remove_filter(stage.camera)
    wait_for(lambda: offset_ms(stage.rig, stage.camera) == 40, 20, "the user's own offset is not restored")


def test_the_users_own_offset_is_restored_while_the_filter_does_not_delay(stage: Stage) -> None:
    stage.show()
    wait_delayed(stage.rig, stage.camera, 0, stage.lane)
    stage.enable_filter(on=False)
    wait_for(lambda: offset_ms(stage.rig, stage.camera) == 0, 20, "disabled: the offset stays")
    stage.enable_filter(on=True)
    wait_delayed(stage.rig, stage.camera, 0, stage.lane)
    stage.rig.set_filter(stage.camera, swap=False)
    wait_for(lambda: offset_ms(stage.rig, stage.camera) == 0, 20, "paused: the offset stays")
    stage.rig.set_filter(stage.camera, swap=True, sound_sync=False)
    stage.wait_swapping()
    assert offset_ms(stage.rig, stage.camera) == 0


def test_an_offset_that_the_user_edits_stays_and_counts_as_the_users(stage: Stage) -> None:
    stage.show()
    first = wait_delayed(stage.rig, stage.camera, 0, stage.lane)
    stage.rig.request("SetInputAudioSyncOffset", inputName=stage.camera, inputAudioSyncOffset=first + 25)
    wait_delayed(stage.rig, stage.camera, 25, stage.lane)
    stage.rig.remove_filter(stage.camera)
    wait_for(lambda: offset_ms(stage.rig, stage.camera) == 25, 20, "what the user edited is lost")


def test_the_users_own_offset_is_restored_when_the_script_is_unloaded(stage: Stage) -> None:
    stage.rig.request("SetInputAudioSyncOffset", inputName=stage.camera, inputAudioSyncOffset=-15)
    stage.show()
    wait_delayed(stage.rig, stage.camera, -15, stage.lane)
    stage.rig.remote("remove", SCRIPT)
    restored = offset_ms(stage.rig, stage.camera)
    stage.rig.remote("load", SCRIPT)

    assert restored == -15
    wait_delayed(stage.rig, stage.camera, -15, stage.lane)


def test_of_two_filters_on_one_source_the_larger_delay_counts(stage: Stage) -> None:
    stage.rig.add_filter(stage.camera, "Second", persona="slow-70")
    stage.show()
    stage.rig.wait_swapping(stage.camera, "Second")

    def larger() -> dict[str, object]:
        lanes = [stage.lane(), stage.lane("Second")]
        return max(lanes, key=lambda lane: lane["delay_frames"])

    wait_for(lambda: stage.lane("Second")["delay_frames"] > 2, 20, "the slow filter's delay does not grow")
    wait_delayed(stage.rig, stage.camera, 0, larger)


def test_a_microphone_that_the_user_picks_is_delayed(stage: Stage) -> None:
    """The filtered source has sound itself here, so its own is delayed and the microphone is left alone."""
    microphone = f"{stage.camera} microphone"
    stage.add_camera(microphone)
    stage.rig.set_filter(stage.camera, sound_source=microphone)
    stage.show()
    wait_delayed(stage.rig, stage.camera, 0, stage.lane)
    assert offset_ms(stage.rig, microphone) == 0


def test_after_a_crash_ours_is_not_added_twice(
    start_obs: Callable[[Setup], Rig], mark_config: InstallConfig, clip: Path
) -> None:
    camera = media_source(CAMERA, clip, filters=[face_swap()])
    fresh: dict[str, Any] = scene_collection([camera], [Scene(SCENE, [CAMERA])], CANVAS, [SCRIPT])
    fresh["sources"][0]["sync"] = 40_000_000
    first = start_obs(Setup([], [], config=mark_config, collection=fresh))
    first.wait_swapping()
    delayed = wait_delayed(first, CAMERA, 40, first.lane)
    saved = first.session.config_home / "obs-studio" / "basic" / "scenes" / f"{NAME}.json"

    def saved_offset() -> float:
        sources = json.loads(saved.read_text(encoding="utf-8"))["sources"]
        return next(source.get("sync", 0) for source in sources if source["name"] == CAMERA) / 1e6

    assert delayed > 40 + OURS_LEAST_MS
    first.request("CreateScene", sceneName="Any change makes OBS save")
    # The delay may have been adapted once more since.
    wait_for(lambda: saved_offset() > 40 + OURS_LEAST_MS, 30, "OBS does not save")
    first.session.kill()

    collection = json.loads(saved.read_text(encoding="utf-8"))
    second = start_obs(Setup([], [], config=mark_config, collection=collection))
    second.wait_swapping()
    wait_delayed(second, CAMERA, 40, second.lane)
    second.remove_filter(CAMERA, FILTER_NAME)
    wait_for(lambda: offset_ms(second, CAMERA) == 40, 20, "the user's own offset is not restored")
    result = second.stop()
    assert (result.exit_code, result.memory_leaks) == (0, 0)
