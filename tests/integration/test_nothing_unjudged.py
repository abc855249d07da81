"""Nothing unjudged is shown: whatever happens, no recorded frame carries the filmed face.

The worker here paints over everything but the frame's number, so a recorded frame is that, a mosaic or black.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import obsws_python.error
import pytest
from doppel_ipc.paths import InstallConfig

from installer.scene import Scene
from tests.integration.happenings import (
    MOMENT,
    a_script_reload,
    a_slow_worker,
    a_stuck_worker,
    a_worker_kill,
    hiding_and_showing_the_source,
    other_settings_of_the_filter,
    persona_changes,
    restarts_of_the_media,
    scene_switches,
    seeks,
    the_filter_removed_in_the_empty_scene_and_added_again,
    the_loop,
    the_script_removed_and_added,
)
from tests.integration.rig import EMPTY_SCENE, REMOTE, SCRIPT, Rig, Setup, wait_for
from tests.integration.stage import (
    FPS,
    IN_FLIGHT,
    Stage,
    assert_nothing_unjudged,
    judged,
    record_end,
    shown_numbers,
)
from tests.integration.sync_stage import screenshot
from tests.support.judge import Judge, Verdict

TRIES = 5
"""To show something within a second, on a machine that may stand still for so long."""
AFTER = 21
"""Frames that OBS draws after a filter was enabled, before it is looked what they were."""


MAY_LEAVE_A_WARNING = (a_stuck_worker, a_worker_kill)


@pytest.mark.parametrize(
    "happening",
    [
        scene_switches,
        seeks,
        restarts_of_the_media,
        the_loop,
        hiding_and_showing_the_source,
        persona_changes,
        a_slow_worker,
        a_stuck_worker,
        a_worker_kill,
        a_script_reload,
        the_script_removed_and_added,
        other_settings_of_the_filter,
        the_filter_removed_in_the_empty_scene_and_added_again,
    ],
    ids=lambda happening: happening.__name__,
)
def test_nothing_unjudged_is_shown_through(
    happening: Callable[[Stage], None], stage: Stage, judge: Judge
) -> None:
    if happening in MAY_LEAVE_A_WARNING:
        stage.expect_warning("The worker is started again")
    with stage.rig.recording() as recording:
        stage.show()
        happening(stage)
    judgements = judged(judge, recording[0])

    assert_nothing_unjudged(judgements)
    assert any(item.verdict is Verdict.BLURRED for item in judgements), (
        "the worker's pictures were never shown"
    )


def test_the_last_frames_result_is_shown_within_a_second_after_a_pause(stage: Stage, judge: Judge) -> None:
    stage.rig.set_filter(stage.camera, hold_ms=5000)  # a machine that is busy covers nothing
    stage.show()

    def is_last(number: int | None) -> bool:
        # The cursor is the time of the last packet, which is decoded up to two frames ahead of the picture.
        return number == pytest.approx(stage.cursor_ms() * FPS / 1000, abs=2.5)

    def is_shown() -> bool:
        return is_last(judge.judge(screenshot(stage, stage.scene)[..., :3]).frame_number)

    with stage.rig.recording() as recording:
        for _ in range(TRIES):
            stage.media("PLAY")
            stage.more_frames(FPS // 3)
            stage.media("PAUSE")
            time.sleep(1.2)
            in_time = is_shown()
            wait_for(is_shown, 20, "the last frame's result is not shown")
            if in_time:
                break
        record_end(stage)
    judgements = judged(judge, recording[0])

    assert_nothing_unjudged(judgements)
    assert is_last(shown_numbers(judgements)[-1])
    assert judgements[-1].verdict is Verdict.BLURRED, "a paused picture is not to be covered"
    assert in_time, f"it took more than a second, {TRIES} times"


def test_a_filter_that_is_enabled_again_lets_no_more_than_the_frame_in_flight_through(
    stage: Stage, judge: Judge
) -> None:
    stage.show()

    def is_original() -> bool:
        return judge.judge(screenshot(stage, stage.scene)[..., :3]).verdict is Verdict.RAW

    for _ in range(2):
        stage.enable_filter(on=False)
        wait_for(is_original, 20, "the original is not shown")
        stage.rig.draw_more(IN_FLIGHT)
        with stage.rig.recording() as recording:
            time.sleep(MOMENT)
            stage.enable_filter(on=True)
            skipped = stage.rig.not_encoded()
            stage.rig.draw_more(AFTER + IN_FLIGHT)
            skipped = stage.rig.not_encoded() - skipped
        verdicts = [item.verdict for item in judged(judge, recording[0])]
        raw = [index for index, verdict in enumerate(verdicts) if verdict is Verdict.RAW]
        assert raw, "the user disabled the filter: the original is to be shown"
        assert raw[0] == 0
        assert raw == list(range(raw[0], raw[-1] + 1)), "the original came back after the filter was enabled"
        assert len(verdicts) - len(raw) >= AFTER - IN_FLIGHT - skipped


def test_a_screenshot_of_the_source_shows_nothing_unjudged(
    stage: Stage, judge: Judge, tmp_path: Path
) -> None:
    """obs-websocket draws the source on a thread of its own, also while no scene shows it."""
    path = tmp_path / "shot.png"

    def shot() -> Verdict:
        try:
            stage.rig.request(
                "SaveSourceScreenshot", sourceName=stage.camera, imageFormat="png", imageFilePath=str(path)
            )
        except obsws_python.error.OBSSDKRequestError:
            return Verdict.BLACK  # the source has no picture yet
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        assert picture is not None
        return judge.judge(np.ascontiguousarray(picture[..., ::-1])).verdict

    seen = {shot() for _ in range(3)}
    stage.show(swapping=False)
    seen |= {shot() for _ in range(10)}
    stage.wait_swapping()
    seen |= {shot() for _ in range(5)}
    stage.hide()
    seen |= {shot() for _ in range(5)}

    assert Verdict.BLURRED in seen
    assert seen <= {Verdict.BLACK, Verdict.BLURRED, Verdict.COVERED}


@pytest.mark.long
def test_a_video_delay_below_the_filter_uncovers_nothing(
    start_obs: Callable[[Setup], Rig], mark_config: InstallConfig, clip: Path, judge: Judge
) -> None:
    """The delay returns no frame while it fills: the texture keeps what the media source put there itself.

    In an OBS of its own: libobs 29 loses a frame's memory where a delayed one comes out after the source's
    cache was emptied, and nobody draws it.
    """
    rig = start_obs(Setup([], [Scene(EMPTY_SCENE, [])], scripts=(REMOTE, SCRIPT), config=mark_config))
    with Stage(rig, clip) as stage:
        rig.request(
            "CreateSourceFilter",
            sourceName=stage.camera,
            filterName="Delay",
            filterKind="async_delay_filter",
            filterSettings={"delay_ms": 700},
        )
        stage.show()
        with rig.recording() as recording:
            scene_switches(stage)
            stage.wait_swapping()
            time.sleep(MOMENT)
    judgements = judged(judge, recording[0])

    assert_nothing_unjudged(judgements)
    assert len(set(shown_numbers(judgements))) > 5, "the swapped pictures do not go on"


@pytest.mark.parametrize("mode", [2, 3, 8], ids=["retro", "blend", "yadif-2x"])
def test_a_deinterlaced_source_shows_nothing_unjudged(stage: Stage, judge: Judge, mode: int) -> None:
    stage.show()
    # OBS since 29.1 freezes, with and without Doppel, where the source shapes its textures at the moment that
    # deinterlacing is chosen (graphics, then async_mutex, against the other way round): its media source
    # does so in the first frames after its start, of which one lacks the transfer function.
    wait_for(lambda: stage.cursor_ms() > 1000, 20, "the camera does not play")
    with stage.rig.recording() as recording:
        stage.rig.remote("deinterlace", stage.camera, mode)
        time.sleep(4 * MOMENT)
        stage.wait_swapping()
        stage.rig.remote("deinterlace", stage.camera, 0)
        time.sleep(2 * MOMENT)
    judgements = judged(judge, recording[0])

    # A blend of two frames has no legible number: such a frame may be one that the judge cannot place.
    assert not [item for item in judgements if item.verdict is Verdict.RAW]
    assert any(item.verdict is Verdict.BLURRED for item in judgements)
