"""Several filters, on one source and on several: each hides the face, and one worker serves them all."""

from __future__ import annotations

import itertools
import time

from installer.scene import FILTER_NAME
from tests.integration.stage import Stage, assert_nothing_unjudged, judged
from tests.support.judge import Judge

MOMENT = 0.35
"""Seconds between two actions of a user in a hurry; long enough for frames to be recorded in between."""


def test_two_filters_on_one_source_both_hide_the_face(stage: Stage, judge: Judge) -> None:
    stage.rig.add_filter(stage.camera, "Second", persona="bronze")
    stage.show()
    stage.rig.wait_swapping(stage.camera, "Second")
    with stage.rig.recording() as recording:
        for name, on in itertools.product((FILTER_NAME, "Second"), (False, True)):
            stage.rig.request(
                "SetSourceFilterEnabled", sourceName=stage.camera, filterName=name, filterEnabled=on
            )
            time.sleep(MOMENT)
    assert_nothing_unjudged(judged(judge, recording[0]))
    stage.rig.wait_few_workers()


def test_several_sources_are_served_by_one_worker(stage: Stage, judge: Judge) -> None:
    names = [stage.camera, f"{stage.camera} b", f"{stage.camera} c"]
    for name in names[1:]:
        stage.add_camera(name)
        stage.rig.add_filter(name)
    stage.show()
    with stage.rig.recording() as recording:
        for name in names:
            stage.rig.wait_swapping(name)
    assert_nothing_unjudged(judged(judge, recording[0]))
    stage.rig.wait_few_workers()


def test_copied_filters_swap_too(stage: Stage, judge: Judge) -> None:
    stage.rig.set_filter(stage.camera, persona="bronze")
    copy = f"{stage.camera} copy"
    stage.add_camera(copy)
    stage.rig.remote("copy_filters", copy, stage.camera)
    stage.show()
    with stage.rig.recording() as recording:
        stage.rig.wait_swapping(copy)
        item = stage.rig.request("GetSceneItemList", sceneName=stage.scene)["sceneItems"][-1]["sceneItemId"]
        stage.rig.request("DuplicateSceneItem", sceneName=stage.scene, sceneItemId=item)
        time.sleep(MOMENT)
    assert stage.rig.lane(copy)["persona"] == "bronze"
    assert_nothing_unjudged(judged(judge, recording[0]))
