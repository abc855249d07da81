"""Other people's scripts, Python and Lua, at work on sources and filters around ours: nothing freezes.

What they do is in obs_scripts/doppel_test_neighbour.*. OBS has hazards of its own for such scripts
(docs/reliability.md), so the long test lets them run first without Doppel, around a filter of OBS's, and
compares.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from doppel_ipc.paths import InstallConfig

from installer.obs_config import ObsVersion
from installer.obs_launch import find_obs
from installer.scene import FILTER_ID, FILTER_NAME, SYNC_FILTER_ID, Filter, Scene, media_source
from tests.integration.faults import Kept
from tests.integration.figures import GONE
from tests.integration.leftovers import assert_clean
from tests.integration.rig import CAMERA, EMPTY_SCENE, REMOTE, SCENE, SCRIPT, SCRIPTS, Rig, Setup, wait_for
from tests.integration.stage import assert_nothing_unjudged, judged
from tests.support.judge import Judge
from tests.support.trend import Trend

StartObs = Callable[[Setup], Rig]

NEIGHBOURS = (SCRIPTS / "doppel_test_neighbour.py", SCRIPTS / "doppel_test_neighbour.lua")
BACKSTAGE = "Backstage"
STAND_IN = "color_filter_v2"
"""OBS's own filter, where Doppel is not loaded."""
MINUTES = float(os.environ.get("DOPPEL_NEIGHBOURS_MINUTES", "10"))
STILL_S = 15.0
"""No count of frames may stand still for so long."""
MOST_MB_A_MINUTE = 3.0
"""Growth of OBS beyond that without Doppel which is never called a leak: a kilobyte a round of scripts."""
COMES_AND_GOES_MB = 10.0
"""By how much the least of two minutes differs from that of the next two without any growth."""


@dataclasses.dataclass
class Seen:
    """What was seen of one OBS with its neighbours."""

    memory: list[tuple[float, float]] = dataclasses.field(default_factory=list)
    """(minutes, MB) that OBS's allocator has given out; 0.1 GB of it comes and goes with the filters."""
    worker_memory: list[tuple[float, float]] = dataclasses.field(default_factory=list)
    slowest_s: float = 0.0
    """The longest that OBS took for its answers to the counts."""
    rounds: dict[str, int] = dataclasses.field(default_factory=dict)
    """How often each script did something, by its own count."""

    @property
    def kept_mb_a_minute(self) -> float:
        """How the least of what OBS holds grows, from the middle third to the last one."""
        third = len(self.memory) // 3
        (begin, before), (end, after) = (
            (statistics.fmean(at for at, _ in part), min(held for _, held in part))
            for part in (self.memory[third : 2 * third], self.memory[2 * third :])
        )
        return (after - before) / (end - begin)

    def trend(self, samples: list[tuple[float, float]]) -> Trend:
        """MB a minute over the second half."""
        half = samples[len(samples) // 2 :]
        return Trend.of([at for at, _ in half], [value for _, value in half])


def counts(rig: Rig, *, ours: bool) -> dict[str, int]:
    """What grows while OBS lives: asked of its websocket's threads, its UI thread, and our own figures."""
    rig.remote("describe", NEIGHBOURS[0])  # the UI thread, and Python's lock
    found = {"drawn": int(rig.request("GetStats")["renderTotalFrames"])}
    if ours:
        frames = camera_lane(rig)["frames"]
        found.update({"in": frames["in"], "swapped": frames["swapped"]})
    return found


def camera_lane(rig: Rig) -> dict[str, Any]:
    """The figures of the camera's filter, whatever both are called now."""
    lanes = rig.stats()["lanes"]
    return next(lane for lane in lanes if lane["source"].startswith(CAMERA) and lane["state"] != GONE)


def press(rig: Rig, hotkey: str) -> None:
    rig.request("TriggerHotkeyByName", hotkeyName=hotkey)


def switch_there_and_back(rig: Rig) -> None:
    """The Lua script's hotkey, twice."""
    for scene in (EMPTY_SCENE, SCENE):
        press(rig, "doppel_test_lua")
        wait_for(
            lambda wanted=scene: rig.request("GetCurrentProgramScene")["currentProgramSceneName"] == wanted,
            STILL_S,
            f"the script does not switch to {scene}",
        )


def live_together(rig: Rig, seconds: float, *, ours: bool) -> Seen:
    """Lets the neighbours work for so long, while everything must go on."""
    seen = Seen()
    for script in NEIGHBOURS:
        rig.remote("load", script)
    begin = time.monotonic()
    # A busy machine takes longer for a round of these.
    while (passed := time.monotonic() - begin) < seconds or len(seen.memory) < seconds / 4 + 2:
        before = counts(rig, ours=ours)
        press(rig, "doppel_test_py")
        switch_there_and_back(rig)

        def all_grow(then: dict[str, int] = before) -> bool:
            asked = time.monotonic()
            now = counts(rig, ours=ours)
            seen.slowest_s = max(seen.slowest_s, time.monotonic() - asked)
            return all(now[name] > count for name, count in then.items())

        wait_for(all_grow, STILL_S, f"something stands still: {before}; {camera_lane(rig) if ours else ''}")
        seen.memory.append((passed / 60, Kept.by(rig).used_kb / 1e3))
        if ours:
            seen.worker_memory.append((passed / 60, rig.worker().memory_info().rss / 1e6))
    for script in NEIGHBOURS:
        rig.remote("remove", script)
    wait_for(lambda: "lua-timer=" in rig.session.log(), STILL_S, "the scripts do not say what they did")
    seen.rounds = {
        name: int(count) for name, count in re.findall(r"((?:py|lua)-\w+)=(\d+)", rig.session.log())
    }
    return seen


@contextlib.contextmanager
def stacks_of_a_freeze(rig: Rig, folder: Path) -> Iterator[None]:
    """Where the block fails and OBS still runs, its threads' stacks are kept (gdb tells them)."""
    try:
        yield
    except BaseException:  # a request that is not answered, too; it is raised again
        if rig.alive() and shutil.which("gdb") is not None:
            command = ["gdb", "-p", str(rig.pid), "-batch", "-ex", "thread apply all backtrace 24"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            (folder / "stacks.txt").write_text(done.stdout, encoding="utf-8")
            print(f"the stacks of OBS's threads are in {folder / 'stacks.txt'}")
        raise


def start(start_obs: StartObs, clip: Path, config: InstallConfig | None) -> Rig:
    """An OBS with a camera that has the filter, and another one beside the canvas."""
    kind, sync = (FILTER_ID, SYNC_FILTER_ID) if config else (STAND_IN, STAND_IN)
    sources = [
        media_source(CAMERA, clip, filters=[Filter(FILTER_NAME, kind)]),
        media_source(BACKSTAGE, clip),
    ]
    scenes = [Scene(SCENE, [BACKSTAGE, CAMERA]), Scene(EMPTY_SCENE, [])]
    scripts = (SCRIPT, REMOTE) if config else (REMOTE,)
    environ = {"DOPPEL_TEST_KIND": kind, "DOPPEL_TEST_SYNC_KIND": sync}
    if ObsVersion(30, 2) <= ObsVersion.of_program(find_obs()) < ObsVersion(31, 0):
        environ["DOPPEL_TEST_FILTERS_ON_UI"] = "1"  # that OBS asks its list of items from any thread
    rig = start_obs(Setup(sources, scenes, scripts=scripts, config=config, environ=environ))
    rig.request(
        "SetSceneItemTransform",
        sceneName=SCENE,
        sceneItemId=1,
        sceneItemTransform={"positionX": -3000.0},
    )
    return rig


def assert_neighbours_harm_nothing(rig: Rig, judge: Judge, seconds: float) -> Seen:
    """Nothing freezes, nothing is unjudged, and OBS ends as ever."""
    rig.wait_swapping()
    with rig.recording() as recording, stacks_of_a_freeze(rig, rig.folder):
        seen = live_together(rig, seconds, ours=True)
        rig.wait_swapping()
    stats = rig.stats()
    frames = rig.lane()["frames"]
    result = rig.stop()
    print(f"{seen.rounds}; the slowest answer {seen.slowest_s:.2f} s; {frames}; {stats['worker']}")
    judgements = judged(judge, recording[0])
    assert_nothing_unjudged(judgements)
    assert len(judgements) > seconds, "the recording broke off"  # a busy OBS encodes ten a second
    assert seen.slowest_s < STILL_S
    assert frames["original"] == 0
    assert stats["worker"]["restarts"] == 0
    assert all(count > seconds / 4 for count in seen.rounds.values()), seen.rounds
    assert len(seen.rounds) == 5
    assert_clean(result)
    return seen


def test_neighbours_of_both_languages_work_around_ours(
    start_obs: StartObs, mark_config: InstallConfig, clip: Path, judge: Judge
) -> None:
    assert_neighbours_harm_nothing(start(start_obs, clip, mark_config), judge, 20)


@pytest.mark.long
@pytest.mark.timeout(600 + 240 * MINUTES)
def test_neighbours_work_around_ours_for_ten_minutes_as_they_do_without_it(
    start_obs: StartObs, mark_config: InstallConfig, clip: Path, judge: Judge
) -> None:
    """``DOPPEL_NEIGHBOURS_MINUTES`` changes how many minutes; without Doppel it is half of them."""
    rig = start(start_obs, clip, None)
    with stacks_of_a_freeze(rig, rig.folder):
        without = live_together(rig, 30 * MINUTES, ours=False)
    print(f"without Doppel: {without.rounds}; the slowest answer {without.slowest_s:.2f} s")
    assert rig.stop().exit_code == 0
    beside = assert_neighbours_harm_nothing(start(start_obs, clip, mark_config), judge, 60 * MINUTES)
    alone, ours = without.kept_mb_a_minute, beside.kept_mb_a_minute
    worker = beside.trend(beside.worker_memory)
    print(f"MB a minute: kept by OBS alone {alone:+.2f}, with Doppel {ours:+.2f}; worker {worker}")
    assert ours - alone < MOST_MB_A_MINUTE + COMES_AND_GOES_MB / (MINUTES / 3)
    assert not worker.rises(least=MOST_MB_A_MINUTE)
