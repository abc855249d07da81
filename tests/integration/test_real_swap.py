"""The whole product in the real OBS: every recorded face is compared with the filmed one."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from doppel_ipc.paths import InstallConfig

from installer.scene import Scene, media_source
from tests.integration.leftovers import assert_clean
from tests.integration.rig import CAMERA, SCENE, Rig, Setup, face_swap, wait_for
from tests.integration.stage import FPS, assert_nothing_unjudged, judged
from tests.support.judge import Judge, Verdict, count

StartObs = Callable[[Setup], Rig]


def start(start_obs: StartObs, config: InstallConfig, clip: Path, persona: str) -> Rig:
    camera = media_source(CAMERA, clip, filters=[face_swap(persona=persona)])
    return start_obs(Setup([camera], [Scene(SCENE, [CAMERA])], config=config, record=True))


def test_from_the_start_of_obs_every_face_is_covered_or_swapped(
    start_obs: StartObs, real_config: InstallConfig, clip: Path, judge: Judge
) -> None:
    rig = start(start_obs, real_config, clip, "bronze")
    rig.wait_swapping()
    rig.more_frames(3 * FPS)  # of ordinary streaming
    lane = rig.lane()
    judgements = judged(judge, rig.stop_recording())

    assert_nothing_unjudged(judgements)
    seen = count(judgements)
    assert seen[Verdict.SWAPPED] > 2 * FPS, seen
    first = next(index for index, item in enumerate(judgements) if item.verdict is Verdict.SWAPPED)
    assert all(item.verdict in (Verdict.BLACK, Verdict.COVERED) for item in judgements[:first])
    assert lane["persona"] == "bronze"
    assert "track" in lane["worker_ms"]

    result = rig.stop()
    assert_clean(result)


def test_another_face_comes_without_a_covered_or_unswapped_frame(
    start_obs: StartObs, real_config: InstallConfig, clip: Path, judge: Judge
) -> None:
    rig = start(start_obs, real_config, clip, "bronze")
    rig.set_filter(hold_ms=5000)  # a machine that is busy covers nothing
    rig.wait_swapping()
    rig.stop_recording()
    with rig.recording() as recording:
        for persona in ("porcelain", "bronze"):
            rig.set_filter(persona=persona)
            wait_for(lambda p=persona: rig.lane()["persona"] == p, 20, f"{persona} is not used")
    judgements = judged(judge, recording[0])

    assert_nothing_unjudged(judgements)
    assert Verdict.COVERED not in {item.verdict for item in judgements}


def test_a_killed_worker_and_a_scene_change_show_no_filmed_face(
    start_obs: StartObs, real_config: InstallConfig, clip: Path, judge: Judge
) -> None:
    rig = start(start_obs, real_config, clip, "porcelain")
    rig.wait_swapping()
    first = rig.worker()
    first.kill()
    wait_for(lambda: rig.worker() != first, 30, "there is no new worker")
    rig.wait_swapping()
    rig.request("CreateScene", sceneName="Black")
    for _ in range(2):
        rig.request("SetCurrentProgramScene", sceneName="Black")
        time.sleep(0.4)
        rig.request("SetCurrentProgramScene", sceneName=SCENE)
        time.sleep(0.8)
    rig.wait_swapping()
    rig.more_frames(2 * FPS)
    judgements = judged(judge, rig.stop_recording())

    assert_nothing_unjudged(judgements)
    assert count(judgements)[Verdict.SWAPPED] > FPS
