"""The short faults of the other files once more, for what they leave behind: OBS holds what it held before.

Descriptors, threads, lanes' memory and what OBS's allocator has given out; of a worker that is still the same
descriptors and lanes' memory, too. Every recorded frame is judged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from doppel_ipc.paths import InstallConfig

from tests.integration.faults import (
    SETTLED_S,
    assert_as_before,
    assert_covered,
    installed,
    settled,
    wait_covered,
)
from tests.integration.happenings import a_slow_worker, a_stuck_worker, a_worker_kill
from tests.integration.rig import wait_for
from tests.integration.stage import Stage, judged
from tests.integration.test_geometry import play
from tests.support.coded_clip import write_coded_clip
from tests.support.judge import Judge, Verdict

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


def a_worker_stopped_for_good(stage: Stage) -> None:
    worker = stage.rig.worker()
    worker.suspend()
    wait_for(lambda: not worker.is_running(), SETTLED_S, "a worker that hangs is not killed")


def a_worker_stopped_for_a_moment(stage: Stage) -> None:
    worker = stage.rig.worker()
    worker.suspend()
    first = stage.lane()["frames"]["in"]
    wait_for(lambda: stage.lane()["frames"]["in"] > first + 5, SETTLED_S, "OBS stands still")
    worker.resume()


def a_source_unplugged(stage: Stage) -> None:
    """Its file is gone while it plays, then it is back."""
    stage.play(stage.clip.with_name("gone.mp4"))
    first = stage.lane()["frames"]["in"]
    wait_for(
        lambda: (
            stage.rig.request("GetMediaInputStatus", inputName=stage.camera)["mediaState"]
            != "OBS_MEDIA_STATE_PLAYING"
        ),
        SETTLED_S,
        "the source goes on without its file",
    )
    stage.play(stage.clip)
    wait_for(lambda: stage.lane()["frames"]["in"] > first + 5, SETTLED_S, "the source does not come back")


def a_source_removed_with_frames_at_the_worker(stage: Stage) -> None:
    name = f"{stage.camera} more"
    stage.add_camera(name)
    stage.rig.add_filter(name, persona="slow-60")
    stage.rig.wait_swapping(name, timeout=SETTLED_S)
    stage.remove_camera(name)


REPLACES_THE_WORKER = (a_worker_kill, a_stuck_worker, a_worker_stopped_for_good)


@pytest.mark.parametrize(
    "fault",
    [
        a_worker_kill,
        a_worker_stopped_for_good,
        a_worker_stopped_for_a_moment,
        a_slow_worker,
        a_stuck_worker,
        a_source_unplugged,
        a_source_removed_with_frames_at_the_worker,
    ],
    ids=lambda fault: fault.__name__,
)
def test_nothing_is_left_of(fault: Callable[[Stage], None], stage: Stage, judge: Judge) -> None:
    if fault in REPLACES_THE_WORKER:
        stage.expect_warning("The worker is started again")
    before = settled(stage)
    with stage.rig.recording() as recording:
        fault(stage)
        stage.wait_swapping(timeout=SETTLED_S)
    assert_covered(judge, recording[0])
    print(f"before: {before}; now: {assert_as_before(stage, before)}")


def test_nothing_is_left_of_a_worker_that_cannot_start(
    stage: Stage, judge: Judge, mark_config: InstallConfig, tmp_path: Path
) -> None:
    for text in ("no-python", "[doppel] worker", "is started again", "cannot be started"):
        stage.expect_warning(text)
    before = settled(stage)
    broken = dataclasses.replace(mark_config, python=tmp_path / "no-python")
    with stage.rig.recording() as recording:
        with installed(stage.rig, broken):
            wait_covered(stage)
        stage.wait_swapping(timeout=SETTLED_S)
    assert_covered(judge, recording[0])
    print(f"before: {before}; now: {assert_as_before(stage, before)}")


@pytest.mark.parametrize(
    ("size", "pixel_format", "expected"),
    [
        ((1280, 720), "yuv420p", {"width": 1280}),
        ((640, 360), "yuv444p", {"pixel_format": "I444"}),
        ((640, 360), "yuv420p10le", {"pixel_format": "I010"}),
    ],
    ids=["another size", "another format", "a format that is not supported"],
)
def test_nothing_is_left_of_a_source_with(
    stage: Stage,
    judge: Judge,
    tmp_path: Path,
    size: tuple[int, int],
    pixel_format: str,
    expected: dict[str, object],
) -> None:
    other = tmp_path / "other.mp4"
    write_coded_clip(other, *size, count=60, pixel_format=pixel_format)
    before = settled(stage)
    with stage.rig.recording() as recording:
        play(stage, other, **expected)
        if pixel_format == "yuv420p10le":
            wait_covered(stage)
        else:
            stage.wait_swapping(timeout=SETTLED_S)
        play(stage, stage.clip, width=640, pixel_format="I420")
        stage.wait_swapping(timeout=SETTLED_S)
    # The judge knows the mosaic of the first size only, so a covered frame may be one that it cannot place.
    assert not [item for item in judged(judge, recording[0]) if item.verdict is Verdict.RAW]
    print(f"before: {before}; now: {assert_as_before(stage, before)}")
