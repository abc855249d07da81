"""The worker: one for all filters, a child of OBS, replaced when it dies or hangs, and gone at the end."""

from __future__ import annotations

import contextlib
import itertools
import random
import signal
import time
from collections.abc import Callable

import psutil
import pytest
from doppel_ipc.paths import InstallConfig

from installer.scene import Scene, media_source
from tests.integration.leftovers import shared_memory, wait_nothing_left
from tests.integration.rig import CAMERA, MOST_WORKERS, SCENE, Rig, Setup, face_swap, wait_for
from tests.integration.stage import FPS, Stage, assert_nothing_unjudged, judged
from tests.support.judge import Judge, Judgement
from tests.support.worker_process import is_gone

GONE_S = 1.0
"""It is a tenth of a second (docs/reliability.md); a machine that stood still just then gets another try."""
LONGEST_GAP_S = 5.0
"""On a machine that does nothing else it is under 2 s (benchmarks/obs_run.py measures it)."""
SHORT_S, TRIES = 1.5, 5
"""So long may a worker that lives do nothing, by far; a busy machine may take longer to let it go on."""


def test_the_worker_starts_with_the_first_filter_and_goes_with_the_last(stage: Stage) -> None:
    stage.show()
    worker = stage.rig.worker()
    stage.rig.add_filter(stage.camera, "Second")
    stage.rig.wait_swapping(stage.camera, "Second")
    assert stage.rig.worker() == worker

    stage.rig.remove_filter(stage.camera)
    stage.rig.wait_swapping(stage.camera, "Second")
    assert stage.rig.worker() == worker
    stage.rig.wait_few_workers()

    stage.rig.remove_filter(stage.camera, "Second")
    wait_for(lambda: not stage.rig.workers(), 20, "the worker outlives the last filter")
    wait_for(lambda: not worker.is_running(), 20, "the worker that ended is not reaped")


@pytest.mark.parametrize("kills", [10, pytest.param(50, marks=[pytest.mark.long, pytest.mark.timeout(900)])])
def test_a_worker_that_is_killed_at_random_moments_is_replaced_and_nothing_is_seen_or_left(
    stage: Stage, judge: Judge, kills: int
) -> None:
    chance = random.Random(5)
    before = shared_memory()
    stage.expect_warning("The worker is started again")
    stage.show()
    slowest_s = 0.0
    with stage.rig.recording() as recording:
        for _ in range(kills):
            time.sleep(chance.uniform(0.0, 0.6))  # any moment will do
            worker = stage.rig.worker()
            worker.kill()
            killed_at = time.monotonic()
            wait_for(lambda w=worker: stage.rig.worker() != w, 20, "there is no new worker")
            stage.wait_swapping(timeout=20)
            slowest_s = max(slowest_s, time.monotonic() - killed_at)
    judgements = judged(judge, recording[0])

    assert_nothing_unjudged(judgements)
    gap_s = longest_gap(judgements) / FPS
    print(f"{kills} kills: longest time without a new picture {gap_s:.2f} s, slowest {slowest_s:.2f} s")
    assert gap_s < LONGEST_GAP_S
    wait_nothing_left(before)
    stage.rig.wait_few_workers()


@pytest.mark.parametrize("resume", [False, True], ids=["for good", "for a moment"])
def test_a_worker_that_is_stopped_is_replaced_if_it_stays_so(stage: Stage, resume: bool) -> None:
    stage.expect_warning("The worker is started again")
    stage.show()
    if not resume:
        worker = stage.rig.worker()
        worker.suspend()
        wait_for(lambda: not worker.is_running(), 20, "a worker that hangs is not killed")
        stage.wait_swapping()
        return
    for _ in range(TRIES):
        worker = stage.rig.worker()
        suspended_at = time.monotonic()
        worker.suspend()
        stage.rig.draw_more(10)
        with contextlib.suppress(psutil.NoSuchProcess):  # replaced
            worker.resume()
        was_short = time.monotonic() - suspended_at < SHORT_S
        stage.wait_swapping()
        if was_short:
            assert stage.rig.worker() == worker
            return
    pytest.fail(f"this machine stands still for longer than {SHORT_S} s, {TRIES} times in a row")


def test_the_worker_and_the_memory_are_gone_when_obs_is_killed(
    start_obs: Callable[[Setup], Rig], mark_config: InstallConfig, clip: object
) -> None:
    before = shared_memory()
    camera = media_source(CAMERA, clip, filters=[face_swap()])
    took_s: list[float] = []
    while len(took_s) < TRIES and not (took_s and took_s[-1] < GONE_S):
        rig = start_obs(Setup([camera], [Scene(SCENE, [CAMERA])], config=mark_config))
        took_s.append(kill_obs(rig))
        wait_nothing_left(before)
    print(f"both workers gone {took_s} s after OBS was killed")
    assert took_s[-1] < GONE_S
    left = {path.name.partition("-")[0] for path in mark_config.log_dir.iterdir()}
    assert left <= {"doppel.log", "status"}, "something else than the log and the last status is left"


def kill_obs(rig: Rig) -> float:
    """Kills OBS while one of its workers is stopped: seconds until both are gone."""
    rig.wait_swapping()
    workers = wait_for(lambda: len(rig.workers()) == MOST_WORKERS and rig.workers(), 20, "no worker waits")
    rig.worker().suspend()  # nobody is left to read in it that OBS is gone
    killed_at = time.monotonic()
    psutil.Process(rig.pid).send_signal(signal.SIGKILL)
    wait_for(lambda: all(map(is_gone, workers)), 20, "the worker outlives OBS")
    return time.monotonic() - killed_at


def test_a_worker_that_is_killed_is_replaced_by_the_one_in_waiting(stage: Stage) -> None:
    stage.expect_warning("The worker is started again")
    stage.show()
    for _ in range(2):
        first = stage.rig.worker()
        both = wait_for(
            lambda: len(stage.rig.workers()) == MOST_WORKERS and stage.rig.workers(), 20, "no worker waits"
        )
        first.kill()
        wait_for(lambda f=first: stage.rig.worker() != f, 20, "nobody takes over")
        assert stage.rig.worker() in both
        stage.wait_swapping()


def test_the_worker_keeps_a_log(stage: Stage, shared_obs: Rig) -> None:
    stage.show()
    log = shared_obs.folder.parent / "logs" / "doppel.log"

    wait_for(lambda: log.is_file() and "lane" in log.read_text(encoding="utf-8"), 20, f"{log} says nothing")


def longest_gap(judgements: list[Judgement]) -> int:
    """The most frames in a row that brought no new picture of the worker's."""
    runs = [
        len(list(group))
        for number, group in itertools.groupby(judgements, key=lambda item: item.frame_number)
    ]
    return max(runs)
