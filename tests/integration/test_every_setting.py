"""Every control moved once while the stream runs, and every setting kept by OBS's copies.

The values come from the settings table, so a new setting is moved and copied without a word here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from doppel_ipc.paths import InstallConfig
from doppel_ipc.settings import FIELDS, FilterSettings

from installer.scene import FILTER_NAME, Scene, media_source
from tests.integration.changes import PERSONAS, Lamp, lags_of, record_changes
from tests.integration.rig import CAMERA, SCENE, Rig, Setup, face_swap, wait_for
from tests.integration.stage import FPS, Stage, assert_nothing_unjudged, judged
from tests.support.judge import Judge, Judgement, Verdict
from tests.support.other_settings import NOT_MOVED, OTHERS

FRAMES_EACH = 4
"""Frames that OBS renders with each value, longer than a change takes."""
LONGEST_HOLD = FPS // 2
"""Recorded frames; a picture that stood longer would be covered by default. On a busy machine, see QUIET."""
CHANGES = 6
WITHIN_FRAMES = 3
"""100 ms."""
QUIET = 2 * FPS
"""Frames at both ends in which nothing is moved: how long a picture stands on this machine anyway."""


def longest_hold(judgements: Sequence[Judgement]) -> int:
    runs = [len(list(run)) for _, run in itertools.groupby(item.frame_number for item in judgements)]
    return max(runs, default=0)


def test_the_values_are_others_than_the_defaults() -> None:
    assert all(OTHERS[key] != getattr(FilterSettings(), key) for key in FIELDS)


@pytest.mark.long
def test_every_control_is_moved_once_without_a_frozen_or_unswapped_frame(
    start_obs: Callable[[Setup], Rig], real_config: InstallConfig, clip: Path, judge: Judge
) -> None:
    camera = media_source(CAMERA, clip, filters=[face_swap(hold_ms=5000)])
    rig = start_obs(Setup([camera], [Scene(SCENE, [CAMERA])], config=real_config))
    rig.wait_swapping(timeout=60)
    rig.request("OpenInputFiltersDialog", inputName=CAMERA)
    late: list[int] = []
    with rig.recording() as recording:
        start = wait_frames(rig, QUIET)
        for key in FIELDS:
            if key in NOT_MOVED:
                continue
            late += [rig_frames(rig) - start] if key == "late_policy" else []
            for value in (OTHERS[key], 5000 if key == "hold_ms" else getattr(FilterSettings(), key)):
                rig.set_filter(**{key: value})
                wait_frames(rig, FRAMES_EACH)
        end = wait_frames(rig, QUIET) - start
    judgements = judged(judge, recording[0])

    assert_nothing_unjudged(judgements)
    # With "cover at once" a busy machine's late frame is covered, as asked; everything else is swapped.
    strict = judgements[: late[0]] + judgements[late[0] + QUIET + 3 * FPS :]
    assert {item.verdict for item in strict} == {Verdict.SWAPPED}
    assert len(strict) > 2 * len(FIELDS)
    usual = max(longest_hold(judgements[:QUIET]), longest_hold(judgements[end + FPS :]))
    longest = longest_hold(judgements[:end])
    print(f"of {len(judgements)} frames one stood for {longest} at most; with nothing moved for {usual}")
    assert longest <= max(LONGEST_HOLD, 2 * usual)
    assert rig.alive()


def test_a_change_is_seen_within_100_ms_and_the_pictures_own_delay(stage: Stage) -> None:
    """The quickest of several: a machine that is busy makes others late."""
    stage.rig.set_filter(stage.camera, persona=PERSONAS[0], hold_ms=5000)
    lamp = Lamp(stage.rig, stage.scene, f"{stage.camera} lamp")
    try:
        stage.show()
        recording = record_changes(stage.rig, lamp, stage.camera, CHANGES)
        delay = stage.lane()["delay_frames"]
    finally:
        stage.rig.request("RemoveInput", inputName=lamp.name)
    lags = lags_of(recording)
    print(f"frames until a change is seen: {lags}, {delay} of them the picture's delay")
    assert len(lags) == CHANGES
    assert min(lags) <= WITHIN_FRAMES + delay, lags


def rig_frames(rig: Rig) -> int:
    """Frames that OBS has rendered."""
    return int(rig.request("GetStats")["renderTotalFrames"])


def wait_frames(rig: Rig, count: int) -> int:
    """Returns when OBS has rendered so many frames more: how many it had before."""
    start = rig_frames(rig)
    wait_for(lambda: rig_frames(rig) >= start + count, 30, "OBS stands still")
    return start


def settings_of(rig: Rig, source: str) -> dict[str, Any]:
    found = rig.request("GetSourceFilter", sourceName=source, filterName=FILTER_NAME)
    return {key: value for key, value in found["filterSettings"].items() if key in FIELDS}


def test_filters_copied_and_pasted_keep_every_setting(stage: Stage) -> None:
    copy = f"{stage.camera} copy"
    stage.rig.set_filter(stage.camera, **OTHERS)
    stage.add_camera(copy)
    stage.rig.remote("copy_filters", copy, stage.camera)

    assert settings_of(stage.rig, copy) == pytest.approx(OTHERS)
    stage.rig.set_filter(copy, persona="porcelain")
    assert settings_of(stage.rig, stage.camera)["persona"] == "bronze", "a copy is bound to its origin"


def test_one_filter_copied_to_another_source_keeps_every_setting(stage: Stage) -> None:
    # OBS duplicates no cameras and no media (their sources say so): "Paste (Duplicate)" gives the same one.
    copy = f"{stage.camera} copy"
    stage.rig.set_filter(stage.camera, **OTHERS)
    stage.add_camera(copy)
    stage.rig.remote("copy_filter", copy, stage.camera, FILTER_NAME)

    assert settings_of(stage.rig, copy) == pytest.approx(OTHERS)


def test_the_label_of_a_new_filter_is_on_and_the_scene_collection_keeps_what_the_user_chose(
    stage: Stage,
) -> None:
    assert FilterSettings().label
    stage.rig.set_filter(stage.camera, label=False)
    other = f"{stage.camera} new"
    stage.add_camera(other)
    stage.rig.add_filter(other)

    assert settings_of(stage.rig, stage.camera)["label"] is False
    assert settings_of(stage.rig, other).get("label", True) is True
    stage.add_camera(f"{stage.camera} last")  # any change makes OBS save

    def kept(camera: str) -> object:
        filters = stage.rig.saved_source(camera).get("filters", [])
        return filters[0]["settings"].get("label", True) if filters else None

    # Each camera that was added made OBS save, the first time before the new one had its filter.
    wait_for(
        lambda: (kept(stage.camera), kept(other)) == (False, True),
        20,
        "OBS has not saved the label as off on one camera and on on the other",
    )
