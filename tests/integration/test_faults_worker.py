"""Faults of the worker: no memory, no networks, a wrong program, nonsense on its pipes, a lost device.

Through each of them OBS goes on, no frame is unjudged, and afterwards OBS holds what it held before.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import psutil
import pytest
from doppel_ipc.log_file import LOG_NAME
from doppel_ipc.paths import InstallConfig

from tests.integration.faults import (
    BROKEN_WORKER,
    SETTLED_S,
    assert_as_before,
    assert_covered,
    assert_no_filmed_face,
    broken_python,
    installed,
    is_running,
    page,
    project_without_networks,
    settled,
    wait_covered,
    wait_swapping_anew,
    write_program,
)
from tests.integration.rig import wait_for
from tests.integration.stage import Stage
from tests.support.coded_clip import write_coded_clip
from tests.support.judge import Judge

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
ROOM_BYTES = 512 << 20
TOO_LITTLE_KB = 450_000
"""Of address space: Python starts, what runs networks does not load (all of it takes 700 MB)."""
AGAIN = "The worker is started again"
NO_MEMORY = "there is not enough memory"


def log_of(config: InstallConfig) -> str:
    return (config.log_dir / LOG_NAME).read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="Linux limits the memory of another process")
def test_a_worker_without_memory_covers_and_swaps_again_when_there_is_some(
    stage: Stage, judge: Judge
) -> None:
    stage.expect_warning(NO_MEMORY)
    stage.expect_warning("MemoryError")
    before = settled(stage)
    worker = stage.rig.worker()
    limit = worker.memory_info().vms + ROOM_BYTES
    worker.rlimit(psutil.RLIMIT_AS, (limit, psutil.RLIM_INFINITY))
    with stage.rig.recording() as recording:
        stage.rig.set_filter(stage.camera, persona="hungry")
        wait_for(lambda: NO_MEMORY in page(stage).lower(), SETTLED_S, "the page does not say so")
        wait_covered(stage)
        worker.rlimit(psutil.RLIMIT_AS, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
        stage.rig.set_filter(stage.camera, persona="porcelain")
        stage.wait_swapping(timeout=SETTLED_S)
    assert stage.rig.worker() == worker
    assert_covered(judge, recording[0])
    assert_as_before(stage, before)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux limits the memory of another process")
def test_a_worker_that_gets_no_memory_for_larger_pictures_covers_them_until_there_is_some(
    stage: Stage, judge: Judge, real_config: InstallConfig, tmp_path: Path
) -> None:
    for text in (NO_MEMORY, "MemoryError", "lane starts anew", "cannot be mapped"):
        stage.expect_warning(text)
    larger = tmp_path / "larger.mkv"
    write_coded_clip(larger, 1280, 720, 60)
    before = settled(stage)
    with installed(stage.rig, real_config):
        wait_swapping_anew(stage)
        worker = stage.rig.worker()
        with stage.rig.recording() as recording:
            limit = worker.memory_info().vms
            worker.rlimit(psutil.RLIMIT_AS, (limit, psutil.RLIM_INFINITY))
            stage.play(larger)
            wait_for(lambda: "memory" in page(stage), SETTLED_S, "the page does not say so")
            wait_covered(stage)
            worker.rlimit(psutil.RLIMIT_AS, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
            stage.wait_swapping(timeout=SETTLED_S)
            assert (stage.lane()["width"], stage.rig.worker()) == (1280, worker)
        assert_no_filmed_face(judge, recording[0])
        stage.play(stage.clip)
        stage.wait_swapping(timeout=SETTLED_S)
    assert_as_before(stage, before)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux limits a process's memory so")
def test_a_worker_that_gets_no_memory_to_load_is_started_again_and_the_picture_stays_covered(
    stage: Stage, judge: Judge, real_config: InstallConfig, tmp_path: Path
) -> None:
    for text in (AGAIN, "[doppel] worker:", "Error"):
        stage.expect_warning(text)
    before = settled(stage)
    line = f'ulimit -v {TOO_LITTLE_KB}; exec "{sys.executable}" "$@"'
    small = dataclasses.replace(real_config, python=write_program(tmp_path / "python3", line))
    with stage.rig.recording() as recording:
        with installed(stage.rig, small):
            wait_covered(stage)
            wait_for(lambda: AGAIN in page(stage), SETTLED_S, "the page does not say so")
            wait_for(
                lambda: any(kind in log_of(small) for kind in ("ImportError", "MemoryError")),
                SETTLED_S,
                "the log does not say what failed",
            )
        stage.wait_swapping(timeout=SETTLED_S)
    assert_covered(judge, recording[0])
    assert_as_before(stage, before)


def test_without_the_networks_the_picture_is_covered_and_the_page_says_why(
    stage: Stage, judge: Judge, real_config: InstallConfig, tmp_path: Path
) -> None:
    stage.expect_warning("faces stay covered")
    before = settled(stage)
    broken = dataclasses.replace(real_config, project=project_without_networks(tmp_path / "project"))
    with stage.rig.recording() as recording:
        with installed(stage.rig, broken):
            wait_for(lambda: "cannot work" in page(stage), SETTLED_S, "the page does not say so")
            assert ".onnx" in page(stage)
            wait_covered(stage)
        stage.wait_swapping(timeout=SETTLED_S)
    assert_covered(judge, recording[0])
    assert ".onnx" in log_of(real_config)
    assert_as_before(stage, before)


WRONG_PYTHONS = {
    "older": ('echo "unknown option -P" >&2; exit 2', "it ended with code 2", "unknown option -P"),
    "without packages": (f'exec "{sys.executable}" -S "$@"', "it ended with code", "ModuleNotFoundError"),
    "another program": ("exec cat", "a message has no type", ""),
    "one that does nothing": ("exit 0", "it ended with code 0", ""),
}


@pytest.mark.parametrize("kind", WRONG_PYTHONS)
def test_a_wrong_python_is_named_and_the_picture_stays_covered(
    stage: Stage, judge: Judge, mark_config: InstallConfig, tmp_path: Path, kind: str
) -> None:
    line, why, said = WRONG_PYTHONS[kind]
    for text in (AGAIN, "[doppel] worker:"):
        stage.expect_warning(text)
    before = settled(stage)
    mark = len(stage.rig.session.log())
    broken = dataclasses.replace(mark_config, python=write_program(tmp_path / "python3", line))
    with stage.rig.recording() as recording:
        with installed(stage.rig, broken):
            wait_covered(stage)
            wait_for(lambda: AGAIN in page(stage), SETTLED_S, "the page does not say so")
            wait_for(lambda: why in stage.rig.session.log()[mark:], SETTLED_S, f"{why!r} is not said")
        stage.wait_swapping(timeout=SETTLED_S)
    assert said in log_of(mark_config)
    assert_covered(judge, recording[0])
    assert_as_before(stage, before)


PIPES = {
    "garbage": "a message ",
    "endless": "a message is longer than the limit",
    "flood": "it does nothing but speak",
    "closes": "the peer has closed its end",
    "deaf": "it does not listen",
}
"""What a worker does, and what OBS's log says of it."""


@pytest.mark.parametrize("behaviour", PIPES)
def test_whatever_a_worker_does_to_its_pipes_obs_goes_on(
    stage: Stage, judge: Judge, mark_config: InstallConfig, tmp_path: Path, behaviour: str
) -> None:
    for text in (AGAIN, "[doppel] worker:"):
        stage.expect_warning(text)
    before = settled(stage)
    mark = len(stage.rig.session.log())
    broken = dataclasses.replace(mark_config, python=broken_python(tmp_path, behaviour))
    with stage.rig.recording() as recording:
        with installed(stage.rig, broken):
            wait_for(lambda: is_running(stage.rig.pid, BROKEN_WORKER), SETTLED_S, "no worker is started")
            for number in range(300):  # more than a pipe and the queue before it hold, if nobody reads
                stage.rig.set_filter(stage.camera, label_text=f"{number} {'x' * 90}", strength=number / 300)
            wait_covered(stage)
            why = PIPES[behaviour]
            wait_for(lambda: why in stage.rig.session.log()[mark:], SETTLED_S, f"{why!r} is not said")
        stage.rig.set_filter(stage.camera, label_text="AI face", strength=1.0)
        stage.wait_swapping(timeout=SETTLED_S)
    assert_covered(judge, recording[0])
    assert_as_before(stage, before)


def test_a_device_that_is_lost_in_mid_stream_is_covered_and_said(stage: Stage, judge: Judge) -> None:
    stage.expect_warning("cuda:0 does not answer")
    before = settled(stage)
    with stage.rig.recording() as recording:
        stage.rig.set_filter(stage.camera, persona="lost-device")
        # A sentence, as the page says it, begins with a capital.
        wait_for(lambda: "Cuda:0 does not answer" in page(stage), SETTLED_S, f"not said: {page(stage)}")
        wait_covered(stage)
        stage.rig.set_filter(stage.camera, persona="porcelain")
        stage.wait_swapping(timeout=SETTLED_S)
    assert_covered(judge, recording[0])
    assert_as_before(stage, before)
