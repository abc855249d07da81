from __future__ import annotations

import json

import numpy as np
import pytest
from doppel_ipc.settings import FilterSettings
from doppel_models.geometry import bbox_size
from doppel_worker.cli import bench
from doppel_worker.cli.app import app
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.tracker import Tracker
from typer.testing import CliRunner

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
    outcome = CliRunner().invoke(app, ["bench", "--frames", "10", "--json"], catch_exceptions=False)
    assert outcome.exit_code == 0
    figures = json.loads(outcome.stdout)
    for name, *_ in bench.CASES:
        case = figures[name]
        assert case["frames"] == case["swapped"] == 10
        assert case["ratio"] == pytest.approx(case["pipeline_ms"] / case["landmark_network_ms"], rel=0.01)
        # The network is part of the pipeline, and the stages are all of it.
        assert case["landmark_network_ms"] < case["pipeline_ms"]
        assert case["beside_networks_ms"] < case["pipeline_ms"]
        assert np.sum(list(case["stage_ms"].values())) == pytest.approx(case["pipeline_ms"], rel=0.3)
    assert 50 < figures["memory_mb"] < 600
