"""Measures the pipeline with faces of one size: processor time of the thread, frame by frame."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from doppel_ipc.settings import FilterSettings
from doppel_models.detector import FaceDetector
from doppel_models.engines.base import FaceEngine
from doppel_models.landmarker import INPUT_SIZE, FaceLandmarker
from doppel_models.types import ByteArray, Detection, MeshResult

from doppel_worker.assets import PersonaKey, PersonaLoader
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.frame import FrameView
from doppel_worker.pipeline import FacePipeline

_FRAME_NS = 33_333_333
_WARM_UP = 10


class _TimedLandmarker(FaceLandmarker):
    """Adds up the processor time of its runs."""

    spent_ns = 0

    def run(self, crop: ByteArray) -> MeshResult:
        """See ``FaceLandmarker.run``."""
        start = time.thread_time_ns()
        result = super().run(crop)
        self.spent_ns += time.thread_time_ns() - start
        return result


class _TimedDetector(FaceDetector):
    """Adds up the processor time of its runs."""

    spent_ns = 0

    def detect(self, image: ByteArray, min_score: float = 0.5) -> list[Detection]:
        """See ``FaceDetector.detect``."""
        start = time.thread_time_ns()
        result = super().detect(image, min_score)
        self.spent_ns += time.thread_time_ns() - start
        return result

    def detect_far(self, image: ByteArray, min_score: float = 0.5) -> list[Detection]:
        """See ``FaceDetector.detect_far``."""
        start = time.thread_time_ns()
        result = super().detect_far(image, min_score)
        self.spent_ns += time.thread_time_ns() - start
        return result


class Case:
    """One size of frame and face."""

    def __init__(self, frames: Sequence[FrameView], engine: FaceEngine) -> None:
        """Measure with these frames of one size, which are not changed."""
        self._frames = frames
        self._slot = tuple(plane.copy() for plane in frames[0].planes)
        self._detector, self._landmarker = _TimedDetector(), _TimedLandmarker()
        loader = PersonaLoader(lambda _key: engine)
        settings = FilterSettings()
        loader.wait(PersonaKey(settings.persona, settings.engine))
        self._pipeline = FacePipeline(
            CpuCompositor(), self._detector, self._landmarker, loader, clock=time.thread_time_ns
        )
        self._lane = self._pipeline.new_lane(settings)
        self.landmarks_ms: list[float] = []
        self.total_ms: list[float] = []
        self.networks_ms: list[float] = []
        self.beside_networks_ms: list[float] = []
        self.stage_ms: dict[str, list[float]] = {}
        self.swapped = 0
        self.memory_mb: float | None = None

    def run(self, frames: int) -> None:
        """Judge so many frames, forwards and backwards through the pictures."""
        network = self._landmarker.network
        bare_input = np.full((1, 3, INPUT_SIZE, INPUT_SIZE), 128, np.float32)
        for number in range(frames + _WARM_UP):
            frame = self._frame(number)
            start = time.thread_time_ns()
            network.run(bare_input)
            alone = time.thread_time_ns() - start
            self._detector.spent_ns = self._landmarker.spent_ns = 0
            start = time.thread_time_ns()
            report = self._pipeline.process(frame, self._lane)
            total = time.thread_time_ns() - start
            self.memory_mb = memory_mb()
            if number < _WARM_UP:
                continue
            networks = self._detector.spent_ns + self._landmarker.spent_ns
            self.swapped += report.swapped
            self.landmarks_ms.append(alone / 1e6)
            self.total_ms.append(total / 1e6)
            self.networks_ms.append(networks / 1e6)
            self.beside_networks_ms.append((total - networks) / 1e6)
            stages = {**report.stage_ms, "networks": networks / 1e6}
            stages["track"] -= stages["networks"]
            for name, milliseconds in stages.items():
                self.stage_ms.setdefault(name, []).append(milliseconds)

    def figures(self) -> dict[str, object]:
        """Medians of the run, and the quickest frame's time beside the networks."""
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
        }

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
