"""OBS survives what is done to script, filter and worker, and exits as if we were not there."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from doppel_ipc.paths import InstallConfig

from installer.scene import FILTER_NAME, Scene, media_source
from tests.integration.leftovers import assert_clean, shared_memory, wait_nothing_left
from tests.integration.rig import (
    CAMERA,
    EMPTY_SCENE,
    REMOTE,
    SCENE,
    SCRIPT,
    SCRIPTS,
    Rig,
    Setup,
    face_swap,
    wait_for,
)
from tests.integration.stage import Stage

StartObs = Callable[[Setup], Rig]


def one_camera(config: InstallConfig, clip: Path, **more: object) -> Setup:
    """A camera with the filter, in the current scene, from the scene collection."""
    camera = media_source(CAMERA, clip, filters=[face_swap()])
    scenes = [Scene(SCENE, [CAMERA]), Scene(EMPTY_SCENE, [])]
    return Setup([camera], scenes, config=config, **more)


@pytest.mark.parametrize("exits", [4, pytest.param(30, marks=[pytest.mark.long, pytest.mark.timeout(900)])])
def test_obs_exits_cleanly_with_filters_alive_again_and_again(
    start_obs: StartObs, mark_config: InstallConfig, clip: Path, exits: int
) -> None:
    before = shared_memory()
    for number in range(exits):
        rig = start_obs(one_camera(mark_config, clip))
        if number % 2:
            rig.wait_swapping()
        workers = rig.workers()
        assert_clean(rig.stop())
        wait_for(lambda w=workers: not any(one.is_running() for one in w), 20, "the worker outlives OBS")
    wait_nothing_left(before)


@pytest.mark.long
def test_a_scene_collection_can_be_left_and_entered_again(
    start_obs: StartObs, mark_config: InstallConfig, clip: Path
) -> None:
    rig = start_obs(one_camera(mark_config, clip))
    rig.wait_swapping()
    home = rig.request("GetSceneCollectionList")["currentSceneCollectionName"]
    rig.request("CreateSceneCollection", sceneCollectionName="Elsewhere")
    wait_for(lambda: not rig.workers(), 15, "the worker stays though no filter is left")
    for _ in range(2):
        rig.request("SetCurrentSceneCollection", sceneCollectionName=home)
        rig.wait_swapping()
        rig.request("SetCurrentSceneCollection", sceneCollectionName="Elsewhere")
    rig.request("SetCurrentSceneCollection", sceneCollectionName=home)
    rig.wait_swapping()
    assert_clean(rig.stop())


def test_a_source_can_be_removed_while_its_frames_are_with_the_worker(stage: Stage) -> None:
    for number in range(3):
        name = f"{stage.camera} {number}"
        stage.add_camera(name)
        stage.rig.add_filter(name, persona="slow-60")
        stage.show(swapping=False)
        stage.rig.wait_swapping(name)
        stage.remove_camera(name)


def test_a_filter_can_be_added_and_removed_faster_than_the_worker_answers(stage: Stage) -> None:
    stage.show()
    for number in range(25):
        stage.rig.add_filter(stage.camera, f"Filter {number}")
        time.sleep(0.01 * (number % 5))
        stage.rig.remove_filter(stage.camera, f"Filter {number}")
    stage.wait_swapping()
    stage.rig.wait_few_workers()


def test_a_script_that_is_reloaded_in_a_hurry_swaps_again(stage: Stage) -> None:
    stage.show()
    for _ in range(8):
        assert stage.rig.remote("reload", SCRIPT)
    stage.wait_swapping()
    stage.rig.wait_few_workers()


def test_a_panic_outlives_a_reload_of_the_script(stage: Stage) -> None:
    stage.show()
    stage.rig.request("TriggerHotkeyByName", hotkeyName="doppel_panic")
    covered = stage.lane()["frames"]["covered"]
    wait_for(lambda: stage.lane()["frames"]["covered"] > covered + 15, 20, "nothing is covered")
    before = stage.lane()["frames"]
    assert stage.rig.remote("reload", SCRIPT)
    wait_for(lambda: stage.lane()["frames"]["covered"] > before["covered"] + 60, 20, "the cover ends")
    after = stage.lane()["frames"]
    stage.rig.request("TriggerHotkeyByName", hotkeyName="doppel_panic")
    stage.wait_swapping()

    assert after["in"] - after["covered"] == before["in"] - before["covered"]


def test_the_page_of_a_filter_without_its_script_says_what_to_do(stage: Stage) -> None:
    stage.show()
    stage.rig.remote("remove", SCRIPT)
    try:
        page = stage.rig.remote("page", stage.camera, FILTER_NAME)
        assert any("not loaded" in item["text"] for item in page.values())
        wait_for(lambda: not stage.rig.workers(), 20, "the worker outlives the script")
    finally:
        stage.rig.remote("load", SCRIPT)
    stage.wait_swapping()


def test_another_script_may_hammer_libobs_from_its_own_thread(
    start_obs: StartObs, mark_config: InstallConfig, clip: Path
) -> None:
    environ = {"DOPPEL_TEST_HAMMER": f"{CAMERA}/{FILTER_NAME}"}
    scripts = (SCRIPT, REMOTE)
    rig = start_obs(one_camera(mark_config, clip, scripts=scripts, environ=environ))
    rig.wait_swapping()
    hammer = SCRIPTS / "doppel_test_hammer.py"
    rig.remote("load", hammer)
    for number in range(4):
        rig.wait_swapping()
        rig.add_filter(CAMERA, f"Filter {number}")
        rig.set_filter(CAMERA, persona="bronze" if number % 2 else "porcelain")
        rig.request("SetCurrentProgramScene", sceneName=EMPTY_SCENE if number % 2 else SCENE)
        rig.remove_filter(CAMERA, f"Filter {number}")
    rig.request("SetCurrentProgramScene", sceneName=SCENE)
    rig.wait_swapping()
    rig.remote("remove", hammer)
    result = rig.stop()
    assert_clean(result)
    rounds = int(result.log.split("hammer: ")[1].split(" rounds")[0])
    assert rounds > 100, "the other script did not do much"


def test_another_script_may_toggle_the_filter_by_its_hotkey_a_thousand_times(
    start_obs: StartObs, mark_config: InstallConfig, clip: Path
) -> None:
    environ = {"DOPPEL_TEST_TOGGLE": f"{CAMERA}/{FILTER_NAME}"}
    scripts = (SCRIPT, SCRIPTS / "doppel_test_hotkey.py")
    rig = start_obs(one_camera(mark_config, clip, scripts=scripts, environ=environ))
    rig.wait_swapping()
    for _ in range(1000):
        rig.request("TriggerHotkeyByName", hotkeyName="doppel_test_toggle")
    rig.wait_swapping()
    result = rig.stop()
    assert_clean(result)
    assert "hotkey: 1000 toggles" in result.log


def test_obs_starts_and_the_script_says_what_is_missing_where_nothing_is_installed(
    start_obs: StartObs, mark_config: InstallConfig, clip: Path, tmp_path: Path
) -> None:
    import dataclasses

    broken = dataclasses.replace(mark_config, native_library=tmp_path / "nowhere.so")
    setup = one_camera(broken, clip, scripts=(REMOTE,))
    rig = start_obs(setup)
    description = rig.remote("load", SCRIPT)
    assert "nowhere.so" in description
    assert "python3 -m installer install" in description
    result = rig.stop()
    assert (result.exit_code, result.memory_leaks) == (0, 0)
    assert "The Face Swap filter is not there" in result.log


def test_a_worker_that_cannot_start_leaves_the_picture_covered_and_is_told_in_the_log(
    start_obs: StartObs, mark_config: InstallConfig, clip: Path, tmp_path: Path
) -> None:
    import dataclasses

    broken = dataclasses.replace(mark_config, python=tmp_path / "no-python")
    rig = start_obs(one_camera(broken, clip))
    wait_for(lambda: rig.lane().get("frames", {}).get("covered", 0) > 20, 20, "nothing is covered")
    frames = rig.lane()["frames"]
    assert frames["swapped"] == frames["original"] == 0
    result = rig.stop()
    assert (result.exit_code, result.memory_leaks) == (0, 0)
    assert "no-python" in result.log
