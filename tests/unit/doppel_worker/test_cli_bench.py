from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from doppel_ipc.settings import FilterSettings
from doppel_models.engines.base import CropRequest
from doppel_models.geometry import bbox_size
from doppel_worker.cli import bench
from doppel_worker.cli.bench_rivals import lean_way, plain_way
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.tracker import Tracker

from tests.support.networks import detector, landmarker


@pytest.mark.parametrize(("name", "width", "height", "face_px"), bench.CASES)
def test_the_frames_that_are_measured_show_a_face_of_the_size_they_say(
    name: str, width: int, height: int, face_px: int
) -> None:
    pictures = bench.scaled(bench.read_clip(bench.CLIP, 3), width, height, face_px)
    tracker = Tracker(detector(), landmarker())
    for number, picture in enumerate(pictures):
        assert picture.shape == (height, width, 3)
        tracked = tracker.update(bench.i420(picture, number), CpuCompositor(), FilterSettings())
        assert bbox_size(tracked.faces[0].bbox) == pytest.approx(face_px, rel=0.08)


@pytest.mark.parametrize("way", [lean_way, plain_way])
def test_the_other_ways_put_the_face_back_where_it_was(way: Callable[..., np.ndarray]) -> None:
    picture = next(iter(bench.scaled(bench.read_clip(bench.CLIP, 1), 1920, 1080, 400)))
    frame = bench.i420(picture, 0)
    before = np.concatenate([plane.reshape(-1, 1920) for plane in frame.planes])
    matrix = np.array([[0.3, 0.02, -220.0], [-0.02, 0.3, -80.0]], np.float32)
    after = way(before.copy(), CropRequest(matrix, (128, 128)))
    assert after.shape == before.shape
    luma, was = after[:1080].astype(int), before[:1080].astype(int)
    # The crop's blur shows where the face is; beyond it, YUV has gone to BGR and back.
    assert np.abs(luma[:, :500] - was[:, :500]).mean() < 1.5
    assert np.abs(luma[350:750, 800:1100] - was[350:750, 800:1100]).mean() < 6
    assert (
        np.abs(luma[350:750, 800:1100] - was[350:750, 800:1100]).mean()
        > np.abs(luma[:, :500] - was[:, :500]).mean()
    )


def test_the_figures_of_a_short_run_fit_together() -> None:
    # In a process of its own: the memory it measures is its process's.
    command = [
        sys.executable,
        "-c",
        "from doppel_worker.cli import main; main()",
        "bench",
        "--frames",
        "10",
        "--json",
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    outcome = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    figures = json.loads(outcome.stdout)
    for name, *_ in bench.CASES:
        case = figures[name]
        assert case["frames"] == case["swapped"] == 10
        assert case["ratio"] == pytest.approx(case["pipeline_ms"] / case["landmark_network_ms"], rel=0.01)
        # The network is part of the pipeline, and the stages are all of it.
        assert case["landmark_network_ms"] < case["pipeline_ms"]
        assert case["beside_networks_min_ms"] <= case["beside_networks_ms"] < case["pipeline_ms"]
        assert case["networks_ms"] + case["beside_networks_ms"] == pytest.approx(case["pipeline_ms"], rel=0.3)
        assert np.sum(list(case["stage_ms"].values())) == pytest.approx(case["pipeline_ms"], rel=0.3)
        for way in ("lean_way", "plain_way") if name.startswith("crop") else ():
            assert case[f"{way}_min_ms"] <= case[f"{way}_ms"]
            of_it = case["beside_networks_ms"] / case[f"{way}_ms"]
            assert case[f"of_{way}"] == pytest.approx(of_it, rel=0.02, abs=0.002)
        assert ("lean_way_ms" in case) == name.startswith("crop")
    assert 50 < figures["memory_mb"] < 600
