"""A source whose frames change their size or pixel format while it plays."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.rig import wait_for
from tests.integration.stage import Stage, judged
from tests.support.coded_clip import write_coded_clip
from tests.support.judge import Judge, Verdict

LEAST = 20
"""Frames of the worker's that are to be seen in each size; the encoder may leave out half of both."""


def play(stage: Stage, path: Path, **expected: object) -> None:
    """Has the source play another file, and waits until its frames come."""
    stage.play(path)
    wait_for(lambda: expected.items() <= stage.lane().items(), 15, f"{expected} is not seen")


@pytest.mark.parametrize("size", [(320, 180), (1280, 720)])
def test_a_frame_size_that_changes_in_mid_stream_is_followed(
    stage: Stage, judge: Judge, tmp_path: Path, size: tuple[int, int]
) -> None:
    other = tmp_path / "other.mp4"
    write_coded_clip(other, *size, count=60)
    stage.show()
    with stage.rig.recording() as recording:
        for path, width in ((other, size[0]), (stage.clip, 640)):
            play(stage, path, width=width)
            stage.more_frames(LEAST)
    judgements = judged(judge, recording[0])

    # The judge knows the mosaic of the first size only, so a covered frame may be one that it cannot place.
    assert not [item for item in judgements if item.verdict is Verdict.RAW]
    assert sum(item.verdict is Verdict.BLURRED for item in judgements) >= LEAST


@pytest.mark.long
def test_a_pixel_format_that_changes_in_mid_stream_is_followed_and_one_that_cannot_be_is_covered(
    stage: Stage, judge: Judge, tmp_path: Path
) -> None:
    full, deep = tmp_path / "full.mp4", tmp_path / "deep.mp4"
    write_coded_clip(full, 640, 360, count=60, pixel_format="yuv444p")
    write_coded_clip(deep, 640, 360, count=60, pixel_format="yuv420p10le")
    stage.show()
    with stage.rig.recording() as recording:
        play(stage, full, pixel_format="I444")
        stage.wait_swapping()
        play(stage, deep, pixel_format="I010")
        covered = stage.lane()["frames"]["covered"]
        wait_for(lambda: stage.lane()["frames"]["covered"] >= covered + 30, 20, "no frame is covered")
        page = stage.rig.remote("page", stage.camera, "Face Swap")
        play(stage, stage.clip, pixel_format="I420")
        stage.wait_swapping()
    judgements = judged(judge, recording[0])

    assert any("I010" in item["text"] for item in page.values())
    assert not [item for item in judgements if item.verdict is Verdict.RAW]
    assert sum(item.verdict is Verdict.BLURRED for item in judgements) > len(judgements) // 4
