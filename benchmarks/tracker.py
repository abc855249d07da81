"""What following a face costs beside the bare landmark network, as ratios within one run.

    PYTHONPATH=shared:models:obs_plugin:. python benchmarks/tracker.py [--json]

One thread, 1280x720 I420, one face of 300 pixels that sways. Network and tracker take turns, frame by frame,
and CPU time is measured, so that other programs disturb both alike.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np
from doppel_ipc.settings import FilterSettings
from doppel_models.detector import FaceDetector
from doppel_models.landmarker import INPUT_SIZE, FaceLandmarker
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.frame import FrameView
from doppel_worker.tracker import Tracker

from tests.support.faces import room
from tests.support.frames import i420_frame
from tests.support.portrait import astronaut, paste_head

FPS = 30
FACE_PX = 300


def frames(count: int) -> list[FrameView]:
    """A face that sways, as frames."""
    background = room(1280, 720)
    made = []
    for index in range(count):
        canvas = background.copy()
        phase = 2 * np.pi * index / count
        center = (640 + 40 * np.sin(phase), 380 + 15 * np.cos(phase))
        paste_head(canvas, astronaut(), center=center, height=FACE_PX, roll=5 * np.sin(phase))
        made.append(i420_frame(canvas, index, FPS))
    return made


def cpu_ms(work: Callable[[], object]) -> float:
    """CPU milliseconds of this thread."""
    start = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - start) / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--frames", type=int, default=300)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    detector, landmarker = FaceDetector(), FaceLandmarker()
    tracker, compositor, settings = Tracker(detector, landmarker), CpuCompositor(), FilterSettings()
    blob = np.random.default_rng(0).random((1, 3, INPUT_SIZE, INPUT_SIZE), np.float32)
    clip = frames(60)
    network, plain, searching = [], [], []
    for index in range(arguments.frames):
        stamp = round(index * 1e9 / FPS)
        frame = dataclasses.replace(clip[index % len(clip)], frame_id=index, timestamp_ns=stamp)
        network.append(cpu_ms(lambda: landmarker.network.run(blob)))
        start = time.thread_time_ns()
        result = tracker.update(frame, compositor, settings)
        spent = (time.thread_time_ns() - start) / 1e6
        if len(result.faces) != 1:
            raise SystemExit(f"frame {index}: {len(result.faces)} faces followed instead of 1")
        (searching if result.ran_detector else plain).append(spent)
    share = len(searching) / arguments.frames
    report: dict[str, float] = {}
    for name, pick in (("median", statistics.median), ("fastest", min)):
        bare = pick(network)
        mean = (1 - share) * pick(plain) + share * pick(searching)
        report[f"network_ms_{name}"] = bare
        report[f"ratio_without_detector_{name}"] = pick(plain) / bare
        report[f"ratio_with_detector_{name}"] = pick(searching) / bare
        report[f"ratio_{name}"] = mean / bare
        report[f"overhead_ms_{name}"] = mean - bare
    report["detector_runs_per_frame"] = share
    report = {name: round(value, 3) for name, value in report.items()}
    if arguments.json:
        print(json.dumps(report))
    else:
        print("\n".join(f"{name:32} {value:8.3f}" for name, value in report.items()))


if __name__ == "__main__":
    main()
