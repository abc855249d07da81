"""What the gate promises about drawing, in the real OBS."""

from __future__ import annotations

import base64
import time

from tests.integration.rig import wait_for
from tests.integration.stage import Stage, assert_nothing_unjudged, judged
from tests.support.judge import Judge, Verdict

MOMENT = 0.35


def _screenshot(stage: Stage, source: str) -> bytes:
    answer = stage.rig.request(
        "GetSourceScreenshot", sourceName=source, imageFormat="bmp", imageWidth=512, imageHeight=288
    )
    return base64.b64decode(answer["imageData"].partition(",")[2])


def test_a_filter_that_passes_on_draws_exactly_what_obs_would(stage: Stage) -> None:
    """Scaled, in a scene: blending and colour space are as without the filter."""
    stage.show(swapping=False)
    stage.rig.set_filter(stage.camera, swap=False)
    wait_for(
        lambda: stage.lane().get("frames", {}).get("original", 0) > 5,
        20,
        "the filter does not pass frames on",
    )
    stage.pause()
    for source in (stage.scene, stage.camera):
        through = _screenshot(stage, source)
        stage.enable_filter(on=False)
        without = _screenshot(stage, source)
        stage.enable_filter(on=True)
        assert len(set(through)) > 50
        assert through == without


def test_seeking_while_paused_never_shows_a_filmed_frame(stage: Stage, judge: Judge) -> None:
    stage.show()
    with stage.rig.recording() as recording:
        for _ in range(2):
            stage.media("PAUSE")
            for position in (3000, 8000, 500, 6000):
                stage.seek(position)
                time.sleep(MOMENT / 2)
                _screenshot(stage, stage.camera)
            stage.media("RESTART")
            time.sleep(MOMENT)
        stage.wait_swapping()
    judgements = judged(judge, recording[0])
    assert_nothing_unjudged(judgements)
    assert any(item.verdict is Verdict.BLURRED for item in judgements)
