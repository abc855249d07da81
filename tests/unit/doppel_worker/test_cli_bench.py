from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from doppel_ipc.settings import FilterSettings
from doppel_models.geometry import bbox_size
from doppel_worker.cli import bench
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
    assert 50 < figures["memory_mb"] < 600
