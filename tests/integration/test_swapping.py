"""The filter in the real OBS does its work, and pictures come out in order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from doppel_ipc.paths import InstallConfig
from doppel_ipc.settings import FilterSettings

from installer.scene import FILTER_ID, FILTER_NAME, Scene, media_source
from tests.integration.mark_backend import GREYS
from tests.integration.rig import CAMERA, SCENE, Rig, Setup, face_swap, wait_for
from tests.integration.stage import Stage, assert_nothing_unjudged, judged, shown_numbers, steps_of
from tests.support.judge import Judge, Verdict
from tests.support.video import read_video

IN_FLIGHT = 3
"""Frames that OBS has handed to the filter and not drawn yet."""


def greys(recording: Path) -> list[float]:
    """The level of the lower half of every frame that is plain there, as the test backend leaves it."""
    halves = [rgb[rgb.shape[0] // 2 :] for _, rgb in read_video(recording)]
    return [float(half.mean()) for half in halves if float(half.std()) < 4]


def test_the_filter_type_is_registered_with_the_defaults_of_the_settings_table(shared_obs: Rig) -> None:
    answer = shared_obs.request("GetSourceFilterDefaultSettings", filterKind=FILTER_ID)

    assert answer["defaultFilterSettings"] == dataclasses.asdict(FilterSettings())


def test_the_recording_carries_the_workers_pictures_in_order_and_each_once(
    stage: Stage, judge: Judge
) -> None:
    stage.rig.set_filter(stage.camera, hold_ms=5000)  # a machine that is busy covers nothing
    stage.show()
    with stage.rig.recording() as recording:
        stage.more_frames(60)
    judgements = judged(judge, recording[0])
    assert_nothing_unjudged(judgements)

    # The backend leaves the frame's number and nothing of the face.
    assert {item.verdict for item in judgements} == {Verdict.BLURRED}
    numbers = shown_numbers(judgements)
    assert min(steps_of(numbers)) >= 0, "out of order"
    assert len(set(numbers)) > 40
    assert np.median(greys(recording[0])) == pytest.approx(GREYS["porcelain"], abs=4)


def test_the_status_counts_every_frame_once(stage: Stage, judge: Judge) -> None:
    stage.show()
    stage.wait_swapping()
    # The gate's number of frames is the sum of what became of them. OBS gives a filter at most one for each
    # picture that it draws, and each that is shown was one.
    drawn = stage.rig.drawn()
    before = stage.rig.lane_from_now(stage.camera)
    with stage.rig.recording() as recording:
        stage.more_frames(60)
    lane = stage.rig.lane_from_now(stage.camera)
    drawn = stage.rig.drawn() - drawn
    counted = {name: count - before["frames"][name] for name, count in lane["frames"].items()}
    shown = len(set(shown_numbers(judged(judge, recording[0]))))
    assert counted["in"] == sum(count for name, count in counted.items() if name != "in")
    assert 40 < shown <= counted["in"] + lane["delay_frames"], (shown, counted)
    assert counted["in"] <= drawn + IN_FLIGHT, (counted, drawn)
    assert (lane["width"], lane["height"], lane["pixel_format"]) == (640, 360, "I420")
    assert lane["first_swapped_ns"] > lane["first_frame_ns"]
    assert 1 <= lane["delay_frames"] <= 5
    assert lane["delay_ms"]["p50"] > 0


def test_a_setting_takes_effect_while_the_stream_runs(stage: Stage, judge: Judge) -> None:
    stage.rig.set_filter(stage.camera, hold_ms=5000)  # a machine that is busy covers nothing
    stage.show()
    with stage.rig.recording() as recording:
        for persona in ("bronze", "porcelain", "bronze"):
            stage.rig.set_filter(stage.camera, persona=persona)
            wait_for(lambda name=persona: stage.lane()["persona"] == name, 20, f"{persona} is not used")
            stage.more_frames(3)
    judgements = judged(judge, recording[0])
    assert_nothing_unjudged(judgements)

    levels = greys(recording[0])
    assert min(levels) == pytest.approx(GREYS["porcelain"], abs=4)
    assert max(levels) == pytest.approx(GREYS["bronze"], abs=4)
    assert all(item.verdict is Verdict.BLURRED for item in judgements), "a frame was covered"


def test_a_value_out_of_range_is_replaced_and_said_and_the_filter_goes_on(stage: Stage) -> None:
    stage.rig.set_filter(stage.camera, strength=7.5, late_policy="explode")
    stage.show()

    wait_for(lambda: "strength: 7.5 is not within 0..1" in stage.rig.our_log(), 20, "the log does not say it")


def test_the_original_is_shown_while_the_user_has_paused_the_swap(stage: Stage, judge: Judge) -> None:
    stage.rig.set_filter(stage.camera, swap=False)
    stage.show(swapping=False)
    wait_for(lambda: stage.lane().get("frames", {}).get("original", 0) > 20, 20, "the original is not shown")
    with stage.rig.recording() as recording:
        stage.rig.set_filter(stage.camera, swap=True)
        stage.wait_swapping()
    verdicts = [item.verdict for item in judged(judge, recording[0])]

    last_raw = max(index for index, verdict in enumerate(verdicts) if verdict is Verdict.RAW)
    assert all(verdict is Verdict.RAW for verdict in verdicts[:last_raw])
    assert Verdict.BLURRED in verdicts[last_raw:]


def test_the_panic_hotkey_covers_at_once_and_ends_the_cover_when_pressed_again(
    stage: Stage, judge: Judge
) -> None:
    stage.rig.set_filter(stage.camera, hold_ms=5000)  # a machine that is busy covers nothing by itself
    stage.show()

    def press() -> None:
        stage.rig.request("TriggerHotkeyByName", hotkeyName="doppel_panic")

    press()
    covered = stage.lane()["frames"]["covered"]
    wait_for(lambda: stage.lane()["frames"]["covered"] > covered + 15, 20, "nothing is covered")
    with stage.rig.recording() as recording:
        stage.more_frames(25, "covered")
        press()
        stage.wait_swapping()
    verdicts = [item.verdict for item in judged(judge, recording[0])]

    first = verdicts.index(Verdict.BLURRED)
    assert first > 10
    assert set(verdicts[:first]) == {Verdict.COVERED}
    assert set(verdicts[first:]) == {Verdict.BLURRED}


def test_the_users_slate_is_the_cover_where_it_is_chosen(stage: Stage, tmp_path: Path) -> None:
    slate = tmp_path / "slate.png"
    cv2.imwrite(str(slate), np.full((90, 160, 3), (200, 30, 120), np.uint8))  # blue, green, red
    stage.rig.set_filter(stage.camera, cover="slate", slate_image=str(slate))
    stage.show()
    stage.rig.request("TriggerHotkeyByName", hotkeyName="doppel_panic")
    covered = stage.lane()["frames"]["covered"]
    wait_for(lambda: stage.lane()["frames"]["covered"] > covered + 15, 20, "nothing is covered")
    with stage.rig.recording() as recording:
        stage.more_frames(25, "covered")
    stage.rig.request("TriggerHotkeyByName", hotkeyName="doppel_panic")

    for _, rgb in read_video(recording[0]):
        assert rgb.reshape(-1, 3).mean(axis=0) == pytest.approx((120, 30, 200), abs=12)
        assert rgb.std(axis=(0, 1)).max() < 6


def test_the_filter_works_from_the_very_start_of_obs(
    start_obs: Callable[[Setup], Rig], mark_config: InstallConfig, clip: Path, judge: Judge
) -> None:
    camera = media_source(CAMERA, clip, filters=[face_swap(persona="bronze")])
    rig = start_obs(Setup([camera], [Scene(SCENE, [CAMERA])], config=mark_config, record=True))
    wait_for(lambda: rig.lane().get("frames", {}).get("swapped", 0) > 40, 30, "40 frames are not swapped")
    recording = rig.stop_recording()
    judgements = judged(judge, recording)
    assert_nothing_unjudged(judgements)
    assert Verdict.BLURRED in {item.verdict for item in judgements}
    assert FILTER_NAME in rig.stats()["lanes"][0]["filter"]

    result = rig.stop()
    assert (result.exit_code, result.memory_leaks) == (0, 0)
