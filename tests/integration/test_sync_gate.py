"""The filter for sources that are drawn, not sent, in the real OBS: scenes, pictures, colours, screenshots.

Debian's OBS has no browser source.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from doppel_ipc.paths import InstallConfig
from doppel_models.types import ByteArray

from installer.scene import FILTER_NAME, SYNC_FILTER_ID, Scene, media_source, scene_collection
from tests.integration.conftest import on_stage
from tests.integration.mark_backend import GREYS, KEPT_PART
from tests.integration.rig import CAMERA, CANVAS, SCENE, SCRIPT, Rig, Setup, wait_for
from tests.integration.stage import Stage, assert_nothing_unjudged, judged, steps_of
from tests.integration.sync_stage import SyncStage, screenshot
from tests.support.coded_clip import coded_frames
from tests.support.judge import Judge, Verdict

MOMENT = 0.3
LIKE = 0.6
"""No cover and no painted picture comes near this likeness to the original."""


@pytest.fixture
def sync_stage(shared_obs: Rig, clip: Path, expected_warnings: set[str]) -> Iterator[SyncStage]:
    """A scene with the filter, and its way back to the empty scene."""
    with on_stage(SyncStage(shared_obs, clip), expected_warnings) as made:
        yield made


def test_a_scene_is_never_shown_as_it_was_filmed_whatever_happens(
    sync_stage: SyncStage, judge: Judge
) -> None:
    """Scenes switched, hidden, shown twice; personas, a panic, a worker that dies; screenshots meanwhile."""
    stage, shots = sync_stage, list[ByteArray]()
    stage.expect_warning("The worker is started again")

    def shoot() -> None:
        for source in (stage.scene, stage.outer):
            shots.append(screenshot(stage, source))

    def panic() -> None:
        stage.rig.request("TriggerHotkeyByName", hotkeyName="doppel_panic")

    def verdict(shot: ByteArray) -> Verdict:
        return judge.judge(np.ascontiguousarray(shot[..., :3])).verdict

    def shows(wanted: Verdict) -> bool:
        shoot()
        return verdict(shots[-2]) is verdict(shots[-1]) is wanted

    with stage.rig.recording() as recording:
        stage.show()
        wait_for(lambda: shows(Verdict.BLURRED), 20, "the worker's picture is not shown")
        for scene in (stage.twice, stage.outer, stage.twice):
            stage.rig.request("SetCurrentProgramScene", sceneName=scene)
            shoot()
            time.sleep(MOMENT)
        stage.hide()
        shoot()
        time.sleep(3 * MOMENT)
        stage.show(swapping=False)
        shoot()
        for persona in ("bronze", "porcelain"):
            stage.rig.set_filter(stage.scene, persona=persona)
            time.sleep(MOMENT)
            shoot()
        panic()
        time.sleep(MOMENT)
        wait_for(lambda: shows(Verdict.COVERED), 20, "nothing is covered")
        stage.rig.draw_more(1)
        panic()
        stage.rig.worker().kill()
        time.sleep(2 * MOMENT)
        shoot()
        stage.wait_swapping()
        stage.enable_item(on=False)
        time.sleep(MOMENT)
        stage.enable_item(on=True)
        stage.media("RESTART")
        time.sleep(2 * MOMENT)
        wait_for(lambda: shows(Verdict.BLURRED), 20, "the worker's picture is not shown again")
    judgements = judged(judge, recording[0])
    assert_nothing_unjudged(judgements)
    verdicts = {item.verdict for item in judgements}
    assert {Verdict.BLURRED, Verdict.COVERED} <= verdicts
    seen = [verdict(shot) for shot in shots]
    assert not {Verdict.RAW, Verdict.UNKNOWN} & set(seen), seen


def test_every_picture_is_released_in_order_with_the_delay_that_is_told(
    sync_stage: SyncStage, judge: Judge
) -> None:
    stage = sync_stage
    stage.rig.set_filter(stage.scene, hold_ms=5000)  # a machine that is busy covers nothing
    stage.show()
    with stage.rig.recording() as recording:
        stage.more_frames(40)
    numbers = [item.frame_number for item in judged(judge, recording[0]) if item.frame_number is not None]
    assert min(steps_of(numbers)) >= 0, numbers
    assert len(set(numbers)) > 25
    lane = stage.lane()
    assert (lane["width"], lane["height"], lane["pixel_format"]) == (640, 360, "BGRA")
    assert lane["delay_frames"] >= 2  # one to read the picture back, at least one to judge it
    assert lane["card_wait_ms"]["p50"] is not None


def _picture(folder: Path, name: str, rgb: ByteArray) -> str:
    path = folder / f"{name}.png"
    assert cv2.imwrite(str(path), rgb[..., ::-1])
    return str(path)


def _shows(stage: Stage, source: str, persona: str) -> bool:
    """The test's worker has painted the lower part of the picture in the persona's grey."""
    lower = screenshot(stage, source)[180:, :, :3]
    return bool(lower.std() < 4 and lower.mean() == pytest.approx(GREYS[persona], abs=4))


def test_a_picture_is_judged_once_and_anew_for_another_persona_and_size(
    sync_stage: SyncStage, judge: Judge, tmp_path: Path
) -> None:
    stage, image = sync_stage, f"{sync_stage.scene} image"
    frame = next(coded_frames(640, 360, 1))
    small = np.asarray(cv2.resize(frame, (320, 180), interpolation=cv2.INTER_AREA), np.uint8)
    files = [_picture(tmp_path, "large", frame), _picture(tmp_path, "small", small)]
    stage.add_input(image, "image_source", {"file": files[0]})
    stage.rig.remove_filter(stage.scene)
    stage.rig.add_filter(image, kind=SYNC_FILTER_ID, hold_ms=5000)
    stage.make_scene(f"{image} shown")
    stage.show_in(f"{image} shown", image)
    with stage.rig.recording() as recording:
        stage.rig.request("SetCurrentProgramScene", sceneName=f"{image} shown")
        wait_for(lambda: _shows(stage, f"{image} shown", "porcelain"), 30, "the picture is not swapped")
        # The figures are written once a second.
        submitted = wait_for(lambda: stage.rig.lane(image).get("submitted"), 20, "nothing is told of it")
        time.sleep(4 * MOMENT)
        assert stage.rig.lane(image)["submitted"] - submitted < 3, "a still is judged again and again"
        stage.rig.set_filter(image, persona="bronze")
        wait_for(lambda: _shows(stage, f"{image} shown", "bronze"), 20, "the other persona is not seen")
        for _ in range(2):
            for file in reversed(files):
                stage.rig.request("SetInputSettings", inputName=image, inputSettings={"file": file})
                wait_for(lambda: _shows(stage, f"{image} shown", "bronze"), 20, "another size is not swapped")
                time.sleep(MOMENT)
    judgements = judged(judge, recording[0])
    assert any(item.verdict is Verdict.BLURRED for item in judgements)
    # The cover of the small picture has other blocks than those that the judge knows: unknown to it.
    assert not [item for item in judgements if item.verdict is Verdict.RAW or item.likeness > LIKE]


COLOURS = {
    "grey": 0xFF808080,
    "dark": 0xFF06140A,
    "light": 0xFFF0C8FA,
    "half": 0x80C06030,
    "faint": 0x20FFFFFF,
}


def test_colours_and_transparency_come_through_as_they_are(sync_stage: SyncStage) -> None:
    """What the worker leaves alone (here the topmost eighth), within 1 of 255, alone and in a scene."""
    stage, plain = sync_stage, f"{sync_stage.scene} colour"
    stage.add_input(plain, "color_source_v3", {"color": COLOURS["grey"], "width": 320, "height": 180})
    stage.rig.remove_filter(stage.scene)
    stage.rig.add_filter(plain, kind=SYNC_FILTER_ID, persona="porcelain")
    stage.enable_item(on=False)  # the clip behind it moves
    stage.show(swapping=False)
    stage.wait_judged(plain)
    sources = (plain, stage.outer)

    def corner(source: str) -> ByteArray:
        return screenshot(stage, source)[: 180 // KEPT_PART - 2, :300].astype(int)

    def filter_on(*, on: bool) -> None:
        stage.rig.request(
            "SetSourceFilterEnabled", sourceName=plain, filterName=FILTER_NAME, filterEnabled=on
        )

    before = dict.fromkeys(sources, np.full(1, -9))
    for name, colour in COLOURS.items():
        filter_on(on=False)
        stage.rig.request("SetInputSettings", inputName=plain, inputSettings={"color": colour})
        for source in sources:
            wait_for(
                lambda s=source, old=before[source]: np.abs(corner(s) - old).max() > 3,
                20,
                f"{name} is not seen",
            )
        before = {source: corner(source) for source in sources}
        filter_on(on=True)
        # Alone, a transparent picture has its colour times alpha, as behind OBS's own filters.
        for source in sources if colour >> 24 == 0xFF else sources[1:]:
            wait_for(
                lambda s=source, old=before[source]: np.abs(corner(s) - old).max() <= 1,
                20,
                f"{name} is changed",
            )


def test_on_a_camera_it_works_alone_and_leaves_the_work_to_the_other_filter(
    stage: Stage, judge: Judge
) -> None:
    stage.rig.add_filter(stage.camera, "Other", kind=SYNC_FILTER_ID)
    stage.show()
    with stage.rig.recording() as recording:
        wait_for(lambda: "Not at work: the other Face Swap" in stage.rig.our_log(), 20, "it does not say so")
        assert stage.lane("Other").get("frames", {}).get("in", 0) == 0
        stage.rig.remove_filter(stage.camera)
        stage.rig.wait_swapping(stage.camera, "Other")
        time.sleep(MOMENT)
    assert_nothing_unjudged(judged(judge, recording[0]))


def test_it_can_be_removed_and_added_while_frames_are_in_flight(sync_stage: SyncStage) -> None:
    stage = sync_stage
    stage.show()
    for _ in range(8):
        stage.rig.remove_filter(stage.scene)
        stage.rig.add_filter(stage.scene, kind=SYNC_FILTER_ID)
        time.sleep(0.05)
    stage.wait_swapping()


def _grouped(collection: dict[str, Any], filters: list[dict[str, object]]) -> dict[str, Any]:
    """The collection with what its first scene shows put into a group, and these filters on the group."""
    scene = next(source for source in collection["sources"] if source["id"] == "scene")
    size = {"custom_size": True, "cx": CANVAS[0], "cy": CANVAS[1], "id_counter": 9}
    group = {**scene, "id": "group", "versioned_id": "group", "name": "Group", "filters": filters}
    group["settings"] = {**size, "items": scene["settings"]["items"]}
    item = {**scene["settings"]["items"][0], "name": "Group", "id": 1, "bounds_type": 0}
    scene["settings"] = {**scene["settings"], "items": [item]}
    return {**collection, "groups": [group]}


def test_a_group_is_covered_from_the_very_start_of_obs_which_ends_with_it_alive(
    start_obs: Callable[[Setup], Rig], mark_config: InstallConfig, clip: Path, judge: Judge
) -> None:
    sync = {"id": SYNC_FILTER_ID, "name": FILTER_NAME, "enabled": True, "settings": {"persona": "bronze"}}
    plain = scene_collection([media_source(CAMERA, clip)], [Scene(SCENE, [CAMERA])], CANVAS, [SCRIPT])
    setup = Setup([], [], config=mark_config, collection=_grouped(plain, [sync]), record=True)
    rig = start_obs(setup)
    lane = functools.partial(rig.lane, "Group")
    wait_for(lambda: lane().get("frames", {}).get("swapped", 0) > 20, 30, "20 frames are not swapped")
    recording = rig.stop_recording()
    judgements = judged(judge, recording)
    assert_nothing_unjudged(judgements)
    assert Verdict.BLURRED in {item.verdict for item in judgements}
    result = rig.stop()
    assert (result.exit_code, result.memory_leaks) == (0, 0)
