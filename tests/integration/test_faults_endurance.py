"""The same thing again and again, while a filter swaps: nothing is unjudged, and OBS grows by nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from doppel_ipc.paths import InstallConfig

from installer.scene import Scene, media_source
from tests.integration.faults import (
    SETTLED_S,
    SPARE_FDS,
    SPARE_THREADS,
    Held,
    Kept,
    assert_as_before,
    assert_covered,
    growth,
    settled,
)
from tests.integration.rig import CAMERA, EMPTY_SCENE, REMOTE, SCENE, SCRIPT, Rig, Setup, face_swap, wait_for
from tests.integration.stage import Stage
from tests.support.judge import Judge

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]
MOST_GROWTH_KB = 24.0
"""Of OBS's resident memory with each filter that is added and removed, by the slope over the second half of
the rounds: what the allocator of OBS wavers by."""
MOST_USED_KB = 40.0
"""Of what OBS's allocator has given out, with each reload or scene collection: two workers are started, a
lane is opened, a source is made. OBS's own waver by some MB in all."""


def most_objects(rig: Rig) -> float:
    """Python's objects in OBS that a reload may add.

    OBS keeps the function of each hotkey of a script that it unloads, ours or another's: one a reload. From
    Python 3.14 on the annotations of a function are an object of their own (PEP 649).
    """
    kept = 2 if tuple(rig.remote("python")) >= (3, 14) else 1
    return kept + 0.5


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
            taken.append((number, settled(stage).obs.rss_mb))
    slope = growth_kb(taken)
    print(
        f"{rounds} rounds: {taken[0][1]:.1f} MB after {every}, {taken[-1][1]:.1f} MB; {slope:.2f} KB a round"
    )
    return slope


def test_filters_are_added_and_removed_a_thousand_times(stage: Stage, judge: Judge) -> None:
    before = settled(stage)

    def one(number: int) -> None:
        stage.rig.add_filter(stage.camera, f"Filter {number}")
        stage.rig.remove_filter(stage.camera, f"Filter {number}")

    with stage.rig.recording() as recording:
        slope = repeat(stage, 1000, one, every=50)
    assert_covered(judge, recording[0])
    print(assert_as_before(stage, before))
    assert slope < MOST_GROWTH_KB


def test_the_script_is_reloaded_a_hundred_times(stage: Stage, judge: Judge) -> None:
    before = settled(stage)
    taken: list[Kept] = []
    with stage.rig.recording() as recording:
        for number in range(100):
            assert stage.rig.remote("reload", SCRIPT)
            if number % 2:
                stage.wait_swapping(timeout=SETTLED_S)
                taken.append(Kept.by(stage.rig))
    each = growth(taken)
    print(
        f"a reload adds {each.used_kb / 2:.1f} KB, {each.objects / 2:.1f} objects; {taken[0]} ... {taken[-1]}"
    )
    assert_covered(judge, recording[0])
    print(f"before: {before}; now: {assert_as_before(stage, before)}")
    assert each.used_kb < 2 * MOST_USED_KB
    assert each.objects < 2 * most_objects(stage.rig)


def test_scene_collections_are_switched_a_hundred_times(
    start_obs: Callable[[Setup], Rig], mark_config: InstallConfig, clip: Path, judge: Judge
) -> None:
    camera = media_source(CAMERA, clip, filters=[face_swap()])
    scenes = [Scene(SCENE, [CAMERA]), Scene(EMPTY_SCENE, [])]
    rig = start_obs(Setup([camera], scenes, scripts=(SCRIPT, REMOTE), config=mark_config))
    rig.wait_swapping(timeout=SETTLED_S)
    most = most_objects(rig)
    home = rig.request("GetSceneCollectionList")["currentSceneCollectionName"]
    rig.request("CreateSceneCollection", sceneCollectionName="Elsewhere")
    held: list[Held] = []
    taken: list[Kept] = []
    with rig.recording() as recording:
        for number in range(50):
            rig.request("SetCurrentSceneCollection", sceneCollectionName=home)
            rig.wait_swapping(timeout=SETTLED_S)
            taken.append(Kept.by(rig))
            rig.request("SetCurrentSceneCollection", sceneCollectionName="Elsewhere")
            if number % 5 == 4:
                wait_for(lambda: not rig.workers(), SETTLED_S, "the worker stays though no filter is left")
                held.append(Held.by(rig.pid))
    each = growth(taken)
    print(
        f"a switch adds {each.used_kb / 2:.1f} KB, {each.objects / 2:.1f} objects; {taken[0]} ... {taken[-1]}"
    )
    print(f"first: {held[0]}; last: {held[-1]}")
    assert_covered(judge, recording[0])
    result = rig.stop()
    assert (result.exit_code, result.memory_leaks) == (0, 0)
    assert each.used_kb < 2 * MOST_USED_KB
    assert each.objects < 2 * most
    assert [one for one in held if one.segments] == [], "a lane's memory stays"
    assert held[-1].descriptors <= held[0].descriptors + SPARE_FDS
    assert held[-1].threads <= held[0].threads + SPARE_THREADS
