"""The same thing again and again, while a filter swaps: nothing is unjudged, and OBS grows by nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from doppel_ipc.paths import InstallConfig

from installer.scene import Scene, media_source
from tests.integration.faults import SETTLED_S, Held, assert_as_before, assert_covered, settled
from tests.integration.rig import CAMERA, EMPTY_SCENE, SCENE, SCRIPT, SCRIPTS, Rig, Setup, face_swap, wait_for
from tests.integration.stage import Stage
from tests.support.judge import Judge

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]
MOST_GROWTH_KB = 24.0
"""Of OBS's resident memory with each filter that is added and removed, by the slope over the second half of
the rounds: what the allocator of OBS wavers by."""
MOST_RELOAD_KB = 200.0
"""The same with each reload of the script, which starts two workers and opens a lane."""
NOTHING = SCRIPTS / "doppel_test_nothing.py"


def growth_kb(taken: Sequence[tuple[int, float]]) -> float:
    """Kilobytes a round: the median slope between all pairs of (round, MB) of the second half (Theil-Sen)."""
    half = taken[len(taken) // 2 :]
    slopes = sorted(
        (late[1] - early[1]) / (late[0] - early[0]) for early, late in itertools.combinations(half, 2)
    )
    return 1e3 * slopes[len(slopes) // 2]


def repeat(stage: Stage, rounds: int, one: Callable[[int], None], every: int) -> float:
    """Does it so often; returns the growth of OBS in KB a round."""
    taken = []
    for number in range(rounds):
        one(number)
        if number % every == every - 1:
            taken.append((number, settled(stage).rss_mb))
    growth = growth_kb(taken)
    print(
        f"{rounds} rounds: {taken[0][1]:.1f} MB after {every}, {taken[-1][1]:.1f} MB; {growth:.2f} KB a round"
    )
    return growth


def test_filters_are_added_and_removed_a_thousand_times(stage: Stage, judge: Judge) -> None:
    before = settled(stage)

    def one(number: int) -> None:
        stage.rig.add_filter(stage.camera, f"Filter {number}")
        stage.rig.remove_filter(stage.camera, f"Filter {number}")

    with stage.rig.recording() as recording:
        growth = repeat(stage, 1000, one, every=50)
    assert_covered(judge, recording[0])
    print(assert_as_before(stage, before))
    assert growth < MOST_GROWTH_KB


def test_the_script_is_reloaded_a_hundred_times(stage: Stage, judge: Judge) -> None:
    before = settled(stage)

    def one(number: int) -> None:
        assert stage.rig.remote("reload", SCRIPT)
        if number % 2:
            stage.wait_swapping(timeout=SETTLED_S)

    with stage.rig.recording() as recording:
        growth = repeat(stage, 100, one, every=5)
    assert_covered(judge, recording[0])
    print(assert_as_before(stage, before))
    assert growth < MOST_RELOAD_KB
    stage.rig.remote("load", NOTHING)
    taken = []
    for number in range(200):
        assert stage.rig.remote("reload", NOTHING)
        taken.append((number, Held.by(stage.rig.pid).rss_mb))
    stage.rig.remote("remove", NOTHING)
    print(f"a script that does nothing: {growth_kb(taken):.2f} KB a reload")


def test_scene_collections_are_switched_a_hundred_times(
    start_obs: Callable[[Setup], Rig], mark_config: InstallConfig, clip: Path, judge: Judge
) -> None:
    camera = media_source(CAMERA, clip, filters=[face_swap()])
    rig = start_obs(Setup([camera], [Scene(SCENE, [CAMERA]), Scene(EMPTY_SCENE, [])], config=mark_config))
    rig.wait_swapping(timeout=SETTLED_S)
    home = rig.request("GetSceneCollectionList")["currentSceneCollectionName"]
    rig.request("CreateSceneCollection", sceneCollectionName="Elsewhere")
    taken: list[tuple[int, Held]] = []
    with rig.recording() as recording:
        for number in range(50):
            for name in (home, "Elsewhere"):
                rig.request("SetCurrentSceneCollection", sceneCollectionName=name)
                if name == home:
                    rig.wait_swapping(timeout=SETTLED_S)
            if number % 5 == 4:
                wait_for(lambda: not rig.workers(), SETTLED_S, "the worker stays though no filter is left")
                taken.append((number, Held.by(rig.pid)))
    growth = growth_kb([(number, held.rss_mb) for number, held in taken])
    print(f"first: {taken[0][1]}; last: {taken[-1][1]}; {growth / 2:.2f} KB a switch")
    assert_covered(judge, recording[0])
    result = rig.stop()
    assert (result.exit_code, result.memory_leaks) == (0, 0)
    assert taken[-1][1].descriptors <= taken[0][1].descriptors + 3
    assert taken[-1][1].threads <= taken[0][1].threads + 3
