"""Measures the pipeline with faces of one size: processor time of the thread, frame by frame."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from doppel_ipc.settings import FilterSettings
from doppel_models.engines.base import FaceEngine
from doppel_models.landmarker import INPUT_SIZE
from doppel_models.types import ByteArray

from doppel_worker.assets import PersonaKey, PersonaLoader
from doppel_worker.cli.timed_networks import Spent, TimedDetector, TimedLandmarker
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.frame import FrameView
from doppel_worker.pipeline import FacePipeline

_FRAME_NS = 33_333_333
WARM_UP = 10
"""Frames that are not counted."""


class Networks:
    """The networks that every case shares, and the time of their runs."""

    def __init__(self) -> None:
        self.finding, self.swapping = Spent(), Spent()
        """Of the detector and the landmarks' network; of an engine's own, which is to be made with it."""
        self.detector, self.landmarker = TimedDetector(self.finding), TimedLandmarker(self.finding)


class Case:
    """One engine, and one size of frame and face."""

    def __init__(self, frames: Sequence[FrameView], engine: FaceEngine, networks: Networks) -> None:
        """Measure with these frames of one size, which are not changed."""
        self._frames, self._networks = frames, networks
        self._slot = tuple(plane.copy() for plane in frames[0].planes)
        loader = PersonaLoader(lambda _key: engine)
        settings = FilterSettings()
        loader.wait(PersonaKey(settings.persona, settings.engine))
        self._pipeline = FacePipeline(
            CpuCompositor(), networks.detector, networks.landmarker, loader, clock=time.thread_time_ns
        )
        self._lane = self._pipeline.new_lane(settings)
        self._input = np.full((1, 3, INPUT_SIZE, INPUT_SIZE), 128, np.float32)
        self.landmarks_ms: list[float] = []
        self.total_ms: list[float] = []
        self.networks_ms: list[float] = []
        self.beside_networks_ms: list[float] = []
        self.stage_ms: dict[str, list[float]] = {}
        self.ways_ms: dict[str, list[float]] = {}
        """Of other ways of doing it, by their names."""
        self.swapped = 0
        self.memory_mb: float | None = None

    def step(self, number: int) -> None:
        """Judge the next frame, forwards and backwards through the pictures; numbers count from 0."""
        frame = self._frame(number)
        start = time.thread_time_ns()
        self._networks.landmarker.bare.run(self._input)
        alone = time.thread_time_ns() - start
        finding, swapping = self._networks.finding, self._networks.swapping
        finding.ns = swapping.ns = 0
        start = time.thread_time_ns()
        report = self._pipeline.process(frame, self._lane)
        total = time.thread_time_ns() - start
        self.memory_mb = memory_mb()
        if number < WARM_UP:
            return
        networks = finding.ns + swapping.ns
        self.swapped += report.swapped
        self.landmarks_ms.append(alone / 1e6)
        self.total_ms.append(total / 1e6)
        self.networks_ms.append(networks / 1e6)
        self.beside_networks_ms.append((total - networks) / 1e6)
        stages = {**report.stage_ms, "networks": networks / 1e6}
        stages["track"] -= finding.ns / 1e6
        if "swap" in stages:
            stages["swap"] -= swapping.ns / 1e6
        for name, milliseconds in stages.items():
            self.stage_ms.setdefault(name, []).append(milliseconds)

    def step_otherwise(self, name: str, way: Callable[[ByteArray], object], number: int) -> None:
        """Let something else, told by ``name``, work on the next frame: (height * 3 / 2, width) I420."""
        planes = [plane.reshape(-1, self._frames[0].width) for plane in self._frame(number).planes]
        packed = np.concatenate(planes)
        start = time.thread_time_ns()
        way(packed)
        if number >= WARM_UP:
            self.ways_ms.setdefault(name, []).append((time.thread_time_ns() - start) / 1e6)

    def figures(self) -> dict[str, object]:
        """Medians of the run, and the quickest frames' times beside the networks."""
        landmarks, total = statistics.median(self.landmarks_ms), statistics.median(self.total_ms)
        return {
            "frames": len(self.total_ms),
            "swapped": self.swapped,
            "landmark_network_ms": round(landmarks, 3),
            "pipeline_ms": round(total, 3),
            "ratio": round(total / landmarks, 3),
            "ratio_mean": round(statistics.fmean(self.total_ms) / statistics.fmean(self.landmarks_ms), 3),
            "networks_ms": round(statistics.median(self.networks_ms), 3),
            "beside_networks_ms": round(statistics.median(self.beside_networks_ms), 3),
            "beside_networks_min_ms": round(min(self.beside_networks_ms), 3),
            "stage_ms": {name: round(statistics.median(ms), 3) for name, ms in sorted(self.stage_ms.items())},
        } | self._beside_other_ways()

    def _beside_other_ways(self) -> dict[str, float]:
        """Their times, and the pipeline's beside the networks over them: of medians, and of the quickest."""
        own, found = self.beside_networks_ms, dict[str, float]()
        for name, ms in self.ways_ms.items():
            found[f"{name}_ms"], found[f"{name}_min_ms"] = statistics.median(ms), min(ms)
            found[f"of_{name}"] = statistics.median(own) / statistics.median(ms)
            found[f"of_{name}_min"] = min(own) / min(ms)
        return {name: round(value, 3) for name, value in found.items()}

    def _frame(self, number: int) -> FrameView:
        """The next frame, in memory that is used again as a lane's slot is."""
        count = len(self._frames)
        step = number % max(2 * count - 2, 1)
        frame = self._frames[min(step, 2 * count - 2 - step)]
        for kept, plane in zip(self._slot, frame.planes, strict=True):
            np.copyto(kept, plane)
        return dataclasses.replace(frame, planes=self._slot, frame_id=number, timestamp_ns=number * _FRAME_NS)


def memory_mb() -> float | None:
    """Memory of this process that lies in RAM; None where the system does not tell simply."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return None
    import resource

    return round(pages * resource.getpagesize() / 2**20, 1)
