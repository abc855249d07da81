"""A source that has stopped sending: its last frame is judged anew whenever it would look different."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from installer.scene import FILTER_NAME
from tests.integration.mark_backend import GREYS
from tests.integration.rig import SCRIPT, wait_for
from tests.integration.stage import IN_FLIGHT, Stage, assert_nothing_unjudged, judged, record_end
from tests.support.judge import Judge, Verdict

MOMENT = 0.35


class Paused:
    """A stage whose camera was paused by the user while the filter worked on it."""

    def __init__(self, stage: Stage, judge: Judge, folder: Path) -> None:
        self.stage, self._judge, self._path = stage, judge, folder / "shot.png"
        stage.rig.set_filter(stage.camera, hold_ms=5000)  # a machine that is busy covers nothing
        stage.show()
        stage.pause()
        self.wait_for_grey("porcelain")

    def shot(self) -> np.ndarray:
        """What the scene shows."""
        self.stage.rig.request(
            "SaveSourceScreenshot",
            sourceName=self.stage.scene,
            imageFormat="png",
            imageFilePath=str(self._path),
        )
        picture = cv2.imread(str(self._path), cv2.IMREAD_COLOR)
        assert picture is not None
        return np.ascontiguousarray(picture[..., ::-1])

    def verdict(self) -> Verdict:
        return self._judge.judge(self.shot()).verdict

    def wait_for_grey(self, persona: str, timeout: float = 20) -> None:
        def is_grey() -> bool:
            lower = self.shot()[180:]
            return bool(lower.std() < 4 and lower.mean() == pytest.approx(GREYS[persona], abs=4))

        wait_for(is_grey, timeout, f"the paused picture is not that of {persona}")


@pytest.fixture
def paused(stage: Stage, judge: Judge, tmp_path: Path) -> Paused:
    return Paused(stage, judge, tmp_path)


def test_another_persona_is_seen_on_a_paused_source(paused: Paused, judge: Judge) -> None:
    with paused.stage.rig.recording() as recording:
        for persona in ("bronze", "porcelain"):
            paused.stage.rig.set_filter(paused.stage.camera, persona=persona)
            paused.wait_for_grey(persona)
    assert_nothing_unjudged(judged(judge, recording[0]))


def test_a_new_worker_judges_a_paused_source(paused: Paused, judge: Judge) -> None:
    stage = paused.stage
    stage.expect_warning("The worker is started again")
    with stage.rig.recording() as recording:
        for persona in ("bronze", "porcelain"):
            stage.rig.worker().kill()
            stage.rig.set_filter(stage.camera, persona=persona)
            paused.wait_for_grey(persona, 30)
    assert_nothing_unjudged(judged(judge, recording[0]))


def test_a_reload_of_the_script_leaves_the_judged_picture_and_its_worker_judges_it_anew(
    paused: Paused, judge: Judge
) -> None:
    stage = paused.stage
    with stage.rig.recording() as recording:
        assert stage.rig.remote("reload", SCRIPT)
        stage.rig.set_filter(stage.camera, persona="bronze")
        paused.wait_for_grey("bronze", 30)
    assert_nothing_unjudged(judged(judge, recording[0]))


def test_a_pause_of_the_swap_and_its_end_are_seen_on_a_paused_source(paused: Paused) -> None:
    stage = paused.stage
    for _ in range(2):
        stage.rig.set_filter(stage.camera, swap=False)
        wait_for(lambda: paused.verdict() is Verdict.RAW, 20, "the original is not shown")
        stage.rig.set_filter(stage.camera, swap=True)
        paused.wait_for_grey("porcelain")


def test_a_paused_source_that_is_sought_or_switched_to_shows_nothing_unjudged(
    paused: Paused, judge: Judge
) -> None:
    stage = paused.stage
    with stage.rig.recording() as recording:
        for position in (9000, 1500):
            stage.seek(position)
            time.sleep(MOMENT)
        stage.enable_filter(on=False)
        stage.enable_filter(on=True)
        paused.wait_for_grey("porcelain")
        record_end(stage)
    verdicts = [item.verdict for item in judged(judge, recording[0])]
    # While the filter is off, what was sought is seen, by the user's choice; that is before the end.
    assert verdicts[-5:] == [Verdict.BLURRED] * 5
    raw = [index for index, verdict in enumerate(verdicts) if verdict is Verdict.RAW]
    assert raw == list(range(raw[0], raw[0] + len(raw))) if raw else True
    # Black: what came while the filter was off is not drawn until it is judged.
    assert set(verdicts) <= {Verdict.BLURRED, Verdict.RAW, Verdict.BLACK}


def test_a_filter_that_is_added_to_a_paused_source_shows_nothing_unjudged_whatever_is_sought(
    stage: Stage, judge: Judge
) -> None:
    stage.show()
    stage.rig.remove_filter(stage.camera)
    stage.media("PAUSE")
    time.sleep(MOMENT)
    stage.rig.add_filter(stage.camera, FILTER_NAME, hold_ms=5000)
    time.sleep(MOMENT)
    stage.rig.draw_more(IN_FLIGHT)
    with stage.rig.recording() as recording:
        for position in (9000, 1500, 6000):
            stage.seek(position)
            time.sleep(MOMENT)
        stage.media("PLAY")
        stage.wait_swapping()
        stage.media("PAUSE")
        for position in (9000, 1500, 6000):
            stage.seek(position)
            time.sleep(MOMENT)
        record_end(stage)
    judgements = judged(judge, recording[0])
    assert_nothing_unjudged(judgements)
    assert judgements[-1].verdict is Verdict.BLURRED
