"""What happens to a filter in a user's hands, or to its worker, while it swaps."""

from __future__ import annotations

import time

from tests.integration.rig import SCRIPT, wait_for
from tests.integration.stage import Stage

MOMENT = 0.35
"""Seconds between two actions of a user in a hurry; long enough for frames to be recorded in between."""


def scene_switches(stage: Stage) -> None:
    for _ in range(5):
        stage.hide()
        time.sleep(MOMENT)
        stage.show(swapping=False)
        time.sleep(2 * MOMENT)


def seeks(stage: Stage) -> None:
    for position in (9000, 1500, 6000, 300, 11500):
        stage.seek(position)
        time.sleep(MOMENT)


def restarts_of_the_media(stage: Stage) -> None:
    for _ in range(3):
        stage.media("RESTART")
        time.sleep(MOMENT)
        stage.media("STOP")
        time.sleep(MOMENT)
        stage.media("PLAY")
        time.sleep(MOMENT)


def the_loop(stage: Stage) -> None:
    stage.seek(11200)
    wait_for(lambda: stage.cursor_ms() > 11000, 20, "the clip is not near its end")
    wait_for(lambda: 200 < stage.cursor_ms() < 6000, 20, "the clip does not start again")
    time.sleep(MOMENT)


def hiding_and_showing_the_source(stage: Stage) -> None:
    for _ in range(4):
        stage.enable_item(on=False)
        time.sleep(MOMENT)
        stage.enable_item(on=True)
        time.sleep(MOMENT)


def persona_changes(stage: Stage) -> None:
    for persona in ("bronze", "porcelain", "nobody", "bronze", "porcelain"):
        stage.rig.set_filter(stage.camera, persona=persona)
        time.sleep(MOMENT)


def a_slow_worker(stage: Stage) -> None:
    stage.rig.set_filter(stage.camera, persona="slow-120")
    time.sleep(8 * MOMENT)
    stage.rig.set_filter(stage.camera, persona="porcelain")
    stage.wait_swapping()


def a_stuck_worker(stage: Stage) -> None:
    restarts = stage.rig.stats()["worker"]["restarts"]
    stage.rig.set_filter(stage.camera, persona="stuck")
    wait_for(
        lambda: stage.rig.stats()["worker"]["restarts"] > restarts, 20, "a worker that is stuck is not killed"
    )
    stage.rig.set_filter(stage.camera, persona="porcelain")
    stage.wait_swapping()


def a_worker_kill(stage: Stage) -> None:
    for _ in range(2):
        stage.rig.worker().kill()
        stage.wait_swapping()


def a_script_reload(stage: Stage) -> None:
    for _ in range(2):
        assert stage.rig.remote("reload", SCRIPT)
        stage.wait_swapping()


def the_script_removed_and_added(stage: Stage) -> None:
    stage.rig.remote("remove", SCRIPT)
    time.sleep(3 * MOMENT)
    stage.rig.remote("load", SCRIPT)
    stage.wait_swapping()


def other_settings_of_the_filter(stage: Stage) -> None:
    for settings in (
        {"hold_ms": 0},
        {"late_policy": "cover"},
        {"cover": "slate"},
        {"hold_ms": 500, "strength": 0.1},
    ):
        stage.rig.set_filter(stage.camera, **settings)
        time.sleep(MOMENT)


def the_filter_removed_in_the_empty_scene_and_added_again(stage: Stage) -> None:
    stage.hide()
    stage.rig.remove_filter(stage.camera)
    time.sleep(MOMENT)
    stage.rig.add_filter(stage.camera)
    stage.show()
