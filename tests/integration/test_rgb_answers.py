"""Where OBS draws without a graphics card the filter answers with RGB frames of its own.

The shared OBS does draw so (llvmpipe), but its tests want frames edited in place, as with a card; here each
lane that is opened is told otherwise.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange
from doppel_ipc.paths import InstallConfig
from doppel_models.types import ByteArray
from doppel_obs.rendering import RGB_ENV

from installer.scene import Scene
from tests.integration.happenings import (
    MOMENT,
    a_script_reload,
    a_worker_kill,
    hiding_and_showing_the_source,
    other_settings_of_the_filter,
    persona_changes,
    restarts_of_the_media,
    scene_switches,
    seeks,
    the_loop,
)
from tests.integration.mark_backend import GREYS
from tests.integration.rig import EMPTY_SCENE, REMOTE, SCRIPT, Rig, Setup, wait_for
from tests.integration.stage import Stage, assert_nothing_unjudged, judged, shown_numbers, steps_of
from tests.integration.sync_stage import screenshot
from tests.support.judge import Judge, Verdict

WIDTH, HEIGHT = 640, 360
SLOTS = 8


SETTLED = 1.3
"""Seconds after which the gate answers so again."""


@pytest.fixture
def in_place(stage: Stage) -> Iterator[Stage]:
    """A stage whose lanes are edited in place, as every other test's after this one, whatever it sets."""
    yield stage
    stage.rig.remote("set_environment", RGB_ENV, "0")


@pytest.fixture
def whole(in_place: Stage) -> Stage:
    """A stage whose lanes have pictures as RGB."""
    in_place.rig.remote("set_environment", RGB_ENV, "1")
    return in_place


def answers(stage: Stage) -> int:
    """Frames that went out as RGB so far."""
    return int(stage.lane().get("rgb_answers", 0))


def wait_answers(stage: Stage) -> None:
    """Returns when frames go out as RGB."""
    before = answers(stage)
    wait_for(lambda: answers(stage) > before, 20, "nothing goes out as RGB")


def lane_bytes(rig: Rig) -> set[int]:
    """Sizes of the segments that the worker has mapped."""
    maps = Path(f"/proc/{rig.worker().pid}/maps").read_text(encoding="utf-8")
    found = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) .*memfd:doppel", maps, re.MULTILINE)
    return {int(end, 16) - int(start, 16) for start, end in found}


def has_rgb(rig: Rig, width: int = WIDTH, height: int = HEIGHT) -> bool:
    return any(size > SLOTS * width * height * 4 for size in lane_bytes(rig))


def write_still(path: Path, pixel_format: str) -> Path:
    """Two seconds of one picture: blocks and ramps of full colours, so that each wrong step shows."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    picture = np.stack(
        [x * 255 // WIDTH, (y * 37 + x // 9 * 53) % 256, np.where(x // 40 % 2 == 0, 235, 20)], axis=2
    ).astype(np.uint8)
    picture[: HEIGHT // 16, : WIDTH // 2] = np.array([255, 0, 0], np.uint8)
    picture[: HEIGHT // 16, WIDTH // 2 :: 3] = np.array([0, 255, 255], np.uint8)
    full = pixel_format == FULL_RANGE
    with av.open(str(path), "w", format="matroska" if full else "nut") as container:
        stream = container.add_stream("ffv1" if full else "rawvideo", rate=30)
        stream.width, stream.height = WIDTH, HEIGHT
        stream.pix_fmt = "yuv420p" if full else pixel_format
        if full:
            stream.codec_context.color_range = ColorRange.JPEG
        for _ in range(60):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixel_format)
            if full:
                frame = av.VideoFrame.from_ndarray(frame.to_ndarray(), format="yuv420p")
                frame.color_range = ColorRange.JPEG
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


FULL_RANGE = "yuvj420p"


@pytest.mark.parametrize("pixel_format", ["yuv420p", FULL_RANGE, "nv12", "yuv422p", "yuv444p"])
def test_the_colours_are_those_of_a_frame_edited_in_place(
    in_place: Stage, tmp_path: Path, pixel_format: str
) -> None:
    """Packed formats of media sources are edited in place (gate_rgb.c); test_rgb.py has their arithmetic."""
    stage, pictures = in_place, []

    def is_painted(picture: ByteArray) -> bool:
        lower = picture[HEIGHT // 2 :, :, :3]
        return bool(lower.std() < 4 and lower.mean() == pytest.approx(GREYS["porcelain"], abs=8))

    stage.show()
    for word in ("0", "1"):
        camera = f"{stage.camera} {word}"
        stage.rig.remote("set_environment", RGB_ENV, word)
        stage.add_camera(camera, write_still(tmp_path / f"{word}.nut", pixel_format))
        stage.rig.add_filter(camera, hold_ms=5000)  # a machine that is busy covers nothing
        stage.rig.wait_swapping(camera)
        assert has_rgb(stage.rig) == (word == "1")
        if word == "1":
            wait_for(
                lambda: stage.rig.lane(camera).get("rgb_answers", 0) > 5,  # noqa: B023 - called at once
                20,
                "nothing goes out as RGB",
            )
        picture = wait_for(
            lambda: [shot for shot in [screenshot(stage, camera)] if is_painted(shot)],  # noqa: B023 - as above
            20,
            "the worker's picture is not shown",
        )[0]
        pictures.append(picture.astype(int))
        stage.remove_camera(camera)

    assert len(np.unique(pictures[0].reshape(-1, 4), axis=0)) > 1000, "nothing to compare"
    difference = np.abs(pictures[0] - pictures[1])
    assert difference.max() <= 6  # llvmpipe interpolates chroma in steps of 1/256
    assert difference.mean() < 0.5


@pytest.mark.parametrize(
    "happening",
    [
        scene_switches,
        seeks,
        a_worker_kill,
        pytest.param(restarts_of_the_media, marks=pytest.mark.long),
        pytest.param(the_loop, marks=pytest.mark.long),
        pytest.param(hiding_and_showing_the_source, marks=pytest.mark.long),
        pytest.param(persona_changes, marks=pytest.mark.long),
        pytest.param(a_script_reload, marks=pytest.mark.long),
        pytest.param(other_settings_of_the_filter, marks=pytest.mark.long),
    ],
    ids=lambda happening: happening.__name__,
)
def test_nothing_unjudged_is_shown_in_rgb_through(
    happening: Callable[[Stage], None], whole: Stage, judge: Judge
) -> None:
    whole.show()
    wait_answers(whole)
    if happening is a_worker_kill:
        whole.expect_warning("The worker is started again")
    with whole.rig.recording() as recording:
        happening(whole)
        # OBS 29's media source stands still after STOP, then PLAY (its cursor stays at 33 ms, with the filter
        # or without): no frame comes that could go out as RGB.
        if happening is not restarts_of_the_media:
            wait_answers(whole)
    judgements = judged(judge, recording[0])

    assert_nothing_unjudged(judgements)
    assert any(item.verdict is Verdict.BLURRED for item in judgements)


def test_the_pictures_go_on_in_their_order_and_at_their_rate(whole: Stage, judge: Judge) -> None:
    whole.show()
    with whole.rig.recording() as recording:  # the change of format, too
        wait_answers(whole)
        whole.more_frames(60)
    numbers = shown_numbers(judged(judge, recording[0]))

    assert len(set(numbers)) > 30
    assert min(steps_of(numbers)) >= 0


def test_a_filter_that_comes_and_goes_leaves_the_source_alive(whole: Stage, judge: Judge) -> None:
    """Its last frame may still be the source's when it goes."""
    whole.show()
    for _ in range(3):
        wait_answers(whole)
        whole.rig.remove_filter(whole.camera)
        whole.rig.request("GetStats")
        whole.rig.add_filter(whole.camera)
        whole.wait_swapping()
    with whole.rig.recording() as recording:
        wait_answers(whole)
        time.sleep(3 * MOMENT)
    assert_nothing_unjudged(judged(judge, recording[0]))


def test_another_filter_after_ours_and_deinterlacing_end_it_and_give_it_back(
    whole: Stage, judge: Judge
) -> None:
    whole.show()
    wait_answers(whole)
    with whole.rig.recording() as recording:
        whole.rig.add_filter(whole.camera, "Face Swap 2")
        time.sleep(MOMENT)
        whole.rig.remove_filter(whole.camera, "Face Swap 2")
        wait_answers(whole)
        whole.rig.remote("deinterlace", whole.camera, 2)
        time.sleep(MOMENT)
        whole.rig.remote("deinterlace", whole.camera, 0)
        wait_answers(whole)
    # A blend of two frames has no legible number: such a frame may be one that the judge cannot place.
    judgements = judged(judge, recording[0])
    assert not [item for item in judgements if item.verdict is Verdict.RAW]
    assert any(item.verdict is Verdict.BLURRED for item in judgements)


@pytest.mark.parametrize("times", [4, pytest.param(150, marks=pytest.mark.long)])
def test_restarts_and_seeks_of_the_media_between_answers_do_no_harm(
    whole: Stage, judge: Judge, times: int
) -> None:
    """The media source shapes the textures for its own frames; from OBS 30.1 on after each answer's tick."""
    whole.show()
    with whole.rig.recording() as recording:
        for count in range(times):
            time.sleep(SETTLED if count < 8 else 0.1 + count % 7 * 0.2)
            if count % 2 == 0:
                whole.media("RESTART")
            else:
                whole.seek(500 + count % 5 * 2000)
    assert whole.rig.alive()
    assert_nothing_unjudged(judged(judge, recording[0]))


def test_an_obs_that_draws_on_the_processor_is_known_by_itself(
    start_obs: Callable[[Setup], Rig], mark_config: InstallConfig, clip: Path
) -> None:
    setup = Setup(
        [], [Scene(EMPTY_SCENE, [])], scripts=(REMOTE, SCRIPT), config=mark_config, environ={RGB_ENV: ""}
    )
    rig = start_obs(setup)
    with Stage(rig, clip) as stage:
        stage.show()
        wait_for(lambda: has_rgb(rig), 20, "the lane has no pictures as RGB")
        wait_answers(stage)
    result = rig.stop()
    assert result.memory_leaks == 0
    assert result.exit_code == 0
