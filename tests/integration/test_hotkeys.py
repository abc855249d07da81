"""A filter's hotkeys in the real OBS: what they do, and that the scene collection keeps their keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import obsws_python
import pytest
from doppel_ipc.paths import InstallConfig

from installer.scene import FILTER_NAME, SYNC_FILTER_ID, Scene, media_source, scene_collection
from tests.integration.mark_backend import GREYS
from tests.integration.rig import CAMERA, CANVAS, SCENE, SCRIPT, Rig, Setup, face_swap, wait_for
from tests.integration.stage import Stage, judged
from tests.support.judge import Judge, Verdict
from tests.support.x11_keys import hold_key

F9, F10 = "F9", "F10"
PANIC = "doppel_panic"


def press(rig: Rig, action: str, name: str = FILTER_NAME) -> None:
    """As a remote control does; OBS 29's obs-websocket presses and never lets go."""
    rig.request("TriggerHotkeyByName", hotkeyName=f"doppel_{action}.{name}")


def press_only(rig: Rig, action: str, name: str = FILTER_NAME) -> None:
    """Presses and does not let go, in every version of OBS."""
    rig.remote("press_hotkey", f"doppel_{action}.{name}")


def settings(stage: Stage) -> dict[str, Any]:
    answer = stage.rig.request("GetSourceFilter", sourceName=stage.camera, filterName=FILTER_NAME)
    found: dict[str, Any] = answer["filterSettings"]
    return found


def original_frames(stage: Stage) -> int:
    return int(stage.lane()["frames"]["original"])


def wait_hotkeys(rig: Rig, name: str = FILTER_NAME) -> None:
    wait_for(
        lambda: f"doppel_swap.{name}" in rig.request("GetHotkeyList")["hotkeys"], 20, "there are no hotkeys"
    )


def test_the_swap_is_switched_off_and_on(stage: Stage, judge: Judge) -> None:
    stage.show()
    press(stage.rig, "swap")
    wait_for(lambda: settings(stage).get("swap") is False, 20, "the setting does not change")
    before = original_frames(stage)
    wait_for(lambda: original_frames(stage) > before + 10, 20, "the original is not shown")
    with stage.rig.recording() as recording:
        before = original_frames(stage)
        wait_for(lambda: original_frames(stage) > before + 10, 20, "the original is not recorded")
        press(stage.rig, "swap")
        stage.wait_swapping()
    verdicts = [item.verdict for item in judged(judge, recording[0])]

    last_raw = max(index for index, verdict in enumerate(verdicts) if verdict is Verdict.RAW)
    assert all(verdict is Verdict.RAW for verdict in verdicts[: last_raw + 1])
    assert Verdict.BLURRED in verdicts[last_raw + 1 :]
    assert settings(stage)["swap"] is True


def test_faces_are_gone_through_round_and_round(stage: Stage) -> None:
    stage.show()
    faces = list(GREYS)
    # The figures are written once a second, the first ones before the worker has named the face.
    start = faces.index(wait_for(lambda: stage.lane()["persona"], 20, "no face is worn"))

    def shown(step: int) -> None:
        wanted = faces[(start + step) % len(faces)]
        wait_for(lambda: stage.lane()["persona"] == wanted, 20, f"{step} from the first is not {wanted}")

    press(stage.rig, "next_face")
    shown(1)
    for _ in range(len(faces)):  # at once: a press has not come back as a setting when the next one comes
        press(stage.rig, "next_face")
    press(stage.rig, "previous_face")
    shown(0)
    press(stage.rig, "previous_face")
    shown(-1)


def test_keys_of_the_scene_collection_cover_and_show_the_original_only_while_it_is_held(
    start_obs: Callable[[Setup], Rig], mark_config: InstallConfig, clip: Path, judge: Judge, display: str
) -> None:
    """Real keys of the X server, bound in the scene collection, which keeps them."""
    camera = media_source(CAMERA, clip, filters=[face_swap()])
    fresh: dict[str, Any] = scene_collection([camera], [Scene(SCENE, [CAMERA])], CANVAS, [SCRIPT])
    hotkey = f"doppel_hold_original.{FILTER_NAME}"
    fresh["sources"][0]["hotkeys"] = {hotkey: [{"key": f"OBS_KEY_{F9}"}]}
    fresh["modules"]["scripts-tool"][0]["settings"] = {PANIC: [{"key": f"OBS_KEY_{F10}"}]}
    rig = start_obs(Setup([], [], config=mark_config, collection=fresh))
    rig.wait_swapping()
    with hold_key(display, F10):
        before = rig.lane()["frames"]["covered"]
        wait_for(lambda: rig.lane()["frames"]["covered"] > before + 10, 20, "the panic key does nothing")
    rig.request("TriggerHotkeyByName", hotkeyName=PANIC)
    rig.wait_swapping()
    with rig.recording() as recording:
        with hold_key(display, F9):
            before = rig.lane()["frames"]["original"]
            wait_for(lambda: rig.lane()["frames"]["original"] > before + 10, 20, "the key does nothing")
        rig.wait_swapping()
    verdicts = [item.verdict for item in judged(judge, recording[0])]
    raw = [index for index, verdict in enumerate(verdicts) if verdict is Verdict.RAW]
    assert raw == list(range(raw[0], raw[-1] + 1)), "it comes back after the key was let go"
    assert Verdict.BLURRED in verdicts[raw[-1] + 1 :]
    # Black: nothing is drawn while the texture still holds the original.
    assert set(verdicts) <= {Verdict.RAW, Verdict.BLURRED, Verdict.COVERED, Verdict.BLACK}

    # Renamed, and saved again by OBS.
    rig.request("SetSourceFilterName", sourceName=CAMERA, filterName=FILTER_NAME, newFilterName="Mask")
    wait_hotkeys(rig, "Mask")

    def kept() -> dict[str, Any]:
        return dict(rig.saved_source(CAMERA).get("hotkeys", {}))

    rig.request("CreateScene", sceneName="Any change makes OBS save")
    keys = wait_for(
        lambda: (found := kept()).get("doppel_hold_original.Mask") is not None and found, 20, "not saved"
    )
    assert keys["doppel_hold_original.Mask"] == [{"key": f"OBS_KEY_{F9}"}]
    actions = ("swap", "next_face", "previous_face", "hold_original")
    assert {name for name in keys if name.startswith("doppel_")} == {f"doppel_{one}.Mask" for one in actions}
    (script,) = rig.saved()["modules"]["scripts-tool"]
    assert script["settings"] == {PANIC: [{"key": f"OBS_KEY_{F10}"}]}
    result = rig.stop()
    assert (result.exit_code, result.memory_leaks) == (0, 0)


def test_a_remote_control_that_only_presses_lets_go_by_pressing_again(stage: Stage) -> None:
    stage.show()
    wait_hotkeys(stage.rig)
    press_only(stage.rig, "hold_original")
    before = original_frames(stage)
    wait_for(lambda: original_frames(stage) > before + 10, 20, "the original is not shown")
    press_only(stage.rig, "hold_original")
    stage.wait_swapping()


def test_hotkeys_outlive_the_script_and_end_with_the_filter(stage: Stage) -> None:
    stage.show()
    wait_hotkeys(stage.rig)
    press_only(stage.rig, "hold_original")
    before = original_frames(stage)
    wait_for(lambda: original_frames(stage) > before, 20, "the original is not shown")
    stage.rig.remote("remove", SCRIPT)
    press_only(stage.rig, "hold_original")  # let go; works in the gate
    press(stage.rig, "swap")  # nobody is there to do it, and it is not done later
    stage.rig.remote("load", SCRIPT)
    stage.wait_swapping()
    assert settings(stage).get("swap", True) is True

    stage.rig.remove_filter(stage.camera)
    wait_for(
        lambda: not [name for name in stage.rig.request("GetHotkeyList")["hotkeys"] if "Face Swap" in name],
        20,
        "the hotkeys of a filter that is gone stay",
    )
    with pytest.raises(obsws_python.error.OBSSDKRequestError):
        press(stage.rig, "swap")


def test_a_filter_of_the_second_type_has_hotkeys_too(stage: Stage) -> None:
    stage.add_input("Colour", "color_source_v3", {"width": 640, "height": 360})
    stage.rig.add_filter("Colour", "Other", kind=SYNC_FILTER_ID)
    wait_hotkeys(stage.rig, "Other")
    stage.rig.remove_filter("Colour", "Other")
    name = "doppel_swap.Other"
    wait_for(lambda: name not in stage.rig.request("GetHotkeyList")["hotkeys"], 20, "its hotkeys stay")
