"""Figures of a device, with kernels that run on the processor: what is measured, not how fast it is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from doppel_models.session import SessionConfig
from doppel_worker.cli import bench_device
from doppel_worker.cli.bench_device import DeviceBench, device_lines, on_device
from doppel_worker.cli.lane_load import most_lanes, play
from doppel_worker.compositor import Rect
from doppel_worker.errors import DeviceError
from doppel_worker.gpu.compositor_cuda import CudaCompositor
from doppel_worker.gpu.staged_device import StagedDevice

from tests.support.faces import room
from tests.support.frames import i420_frame
from tests.support.kernel_device import KernelDevice
from tests.support.personas import portrait_persona
from tests.support.portrait import astronaut, paste_head


def frames(*, face: bool = True) -> list[Any]:
    pictures = []
    for number in range(3):
        canvas = room(320, 240)
        if face:
            paste_head(canvas, astronaut(), center=(150.0 + number, 115.0), height=120.0)
        pictures.append(i420_frame(canvas, number))
    return pictures


def test_every_figure_is_there() -> None:
    bench = DeviceBench(KernelDevice(), SessionConfig(), frames(), 2, warm_up=3, width=1e-6)
    figures: dict[str, Any] = bench.figures(portrait_persona())
    for name in ("inswapper", "dfm", "mesh"):
        found = figures[name]
        assert found["pipeline_ms"] > 0
        assert set(found["stage_ms"]) >= {"upload", "sample", "paste", "download"}
        assert ("infer" in found["stage_ms"]) == ("ratio" in found) == (name != "mesh")
        assert ("draw" in found["stage_ms"]) == (name == "mesh")
        assert found["memory_mb"] > 0
        for fps in (30, 60):
            assert found[f"streams_1080p{fps}"]["one_lane"]["done"] >= 1
        assert found["two_lanes_cost"] > 0
    said = "\n".join(device_lines(figures))
    assert "inswapper: " in said
    assert "times its network alone" in said
    assert "two cameras cost" in said


def test_a_bench_in_which_no_face_is_swapped_says_so() -> None:
    bench = DeviceBench(KernelDevice(), SessionConfig(), frames(face=False), 2, warm_up=1, width=1e-6)
    with pytest.raises(DeviceError, match="shows no swapped face"):
        bench.figures(portrait_persona())


def test_without_a_device_for_pictures_there_are_no_figures() -> None:
    def never() -> Any:
        raise AssertionError("nothing is measured")

    assert on_device("cpu", never, never, 2, print) is None
    assert bench_device.BUDGETS["ratio"] == 1.1


class Clock:
    """Each look at it is a millisecond later."""

    def __init__(self) -> None:
        self._ticks: Iterator[int] = itertools.count()

    def __call__(self) -> int:
        return next(self._ticks) * 1_000_000


def test_time_is_told_by_what_the_device_does_and_nothing_is_done_otherwise() -> None:
    device = StagedDevice(KernelDevice(), Clock())
    compositor = CudaCompositor(device)
    picture, mask = np.full((60, 60, 3), 200, np.uint8), np.full((60, 60), 255, np.uint8)
    first, second = frames()[:2]
    compositor.paste(first, Rect(0, 0, 60, 60), picture, mask)
    compositor.finish(first)
    assert device.spent_ms == {}
    device.staged = True
    compositor.sample(second, np.eye(2, 3, dtype=np.float32), (60, 60))
    assert device.spent_ms == {"upload": 3.0, "sample": 1.0, "download": 1.0}, "a plane each"
    compositor.paste(second, Rect(0, 0, 60, 60), picture, mask)
    compositor.blur(second, Rect(0, 0, 200, 200), np.full((200, 200), 255, np.uint8))
    compositor.finish(second)
    assert set(device.spent_ms) == {"upload", "sample", "paste", "hide", "download"}


def test_a_device_that_is_fast_enough_passes_no_frame_over() -> None:
    load = play(1, 60, 1.0, lambda _lane: 0.004)
    assert (load.due, load.done) == (60, 60)
    assert load.busy == pytest.approx(0.24, abs=0.01)
    assert load.p50_ms == load.p99_ms == pytest.approx(4, abs=0.01)
    assert load.keeps_up


@pytest.mark.parametrize("frames", [123, 245, 490])
def test_times_that_come_out_just_below_the_end_end_it(frames: int) -> None:
    assert play(1, 30, frames / 30, lambda _lane: 0.001).done == frames


def test_one_that_is_too_slow_takes_the_newest_and_serves_all_alike() -> None:
    served = {0: 0, 1: 0, 2: 0}

    def judge(lane: int) -> float:
        served[lane] += 1
        return 0.020

    load = play(3, 60, 2.0, judge)
    assert not load.keeps_up
    assert max(served.values()) - min(served.values()) <= 1
    assert load.busy == pytest.approx(1, abs=0.02)
    # It never works on a frame that is older than the newest one.
    assert load.p99_ms <= 20 + 1000 / 60 + 0.1


def test_as_many_cameras_as_fit() -> None:
    lanes, load = most_lanes(30, 1.0, lambda _lane: 0.010, 32)
    assert lanes == 3
    assert load is not None
    assert load.p99_ms == pytest.approx(30, abs=0.1)
    assert most_lanes(60, 1.0, lambda _lane: 0.030, 32) == (0, None)
    assert most_lanes(30, 1.0, lambda _lane: 0.001, 5)[0] == 5
