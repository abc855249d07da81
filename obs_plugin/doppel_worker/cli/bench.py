"""``doppel bench``: the budgets that need no OBS, as ratios within one run on one thread.

Time is the thread's own processor time, so other programs disturb little. Each frame's landmark network is
run once more by itself beside the whole pipeline, so both meet the same machine.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, cast

import cv2
import doppel_models
import numpy as np
import typer
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_ipc.settings import FilterSettings
from doppel_models.detector import FaceDetector
from doppel_models.engines.base import FaceEngine
from doppel_models.engines.mesh.engine import MeshEngine
from doppel_models.geometry import bbox_center, bbox_size
from doppel_models.landmarker import INPUT_SIZE, FaceLandmarker
from doppel_models.persona_import import PersonaImporter
from doppel_models.photo_file import decode_photo
from doppel_models.types import ByteArray, Detection, MeshResult
from rich.console import Console
from rich.table import Table

from doppel_worker.assets import PersonaKey, PersonaLoader
from doppel_worker.cli.video_file import open_input
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.errors import MediaError
from doppel_worker.frame import ColorInfo, FrameView
from doppel_worker.pipeline import FacePipeline

CLIP = Path(doppel_models.__file__).parent / "data" / "demo.mp4"
_FRAME_NS = 33_333_333
_WARM_UP = 10
_PICTURES = 24
CASES = (("mesh_720p_300px", 1280, 720, 300), ("mesh_1080p_400px", 1920, 1080, 400))
"""Name, width, height, face's longer side in pixels."""


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


class _Case:
    """One size of frame and face."""

    def __init__(self, pictures: Sequence[ByteArray], engine: FaceEngine) -> None:
        self._pictures = pictures
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
        self.beside_networks_ms: list[float] = []
        self.stage_ms: dict[str, list[float]] = {}
        self.swapped = 0
        self.memory_mb: float | None = None

    def run(self, frames: int) -> None:
        """Judge so many frames, forwards and backwards through the pictures."""
        count = len(self._pictures)
        network = self._landmarker.network
        bare_input = np.full((1, 3, INPUT_SIZE, INPUT_SIZE), 128, np.float32)
        for number in range(frames + _WARM_UP):
            step = number % (2 * count - 2)
            frame = i420(self._pictures[min(step, 2 * count - 2 - step)], number)
            self._detector.spent_ns = self._landmarker.spent_ns = 0
            start = time.thread_time_ns()
            network.run(bare_input)
            alone = time.thread_time_ns() - start
            self._landmarker.spent_ns = 0
            start = time.thread_time_ns()
            report = self._pipeline.process(frame, self._lane)
            total = time.thread_time_ns() - start
            self.memory_mb = memory_mb()
            if number < _WARM_UP:
                continue
            self.swapped += report.swapped
            self.landmarks_ms.append(alone / 1e6)
            self.total_ms.append(total / 1e6)
            networks = self._detector.spent_ns + self._landmarker.spent_ns
            self.beside_networks_ms.append((total - networks) / 1e6)
            for name, milliseconds in report.stage_ms.items():
                self.stage_ms.setdefault(name, []).append(milliseconds)

    def figures(self) -> dict[str, object]:
        """Medians of the run."""
        landmarks, total = statistics.median(self.landmarks_ms), statistics.median(self.total_ms)
        return {
            "frames": len(self.total_ms),
            "swapped": self.swapped,
            "landmark_network_ms": round(landmarks, 3),
            "pipeline_ms": round(total, 3),
            "ratio": round(total / landmarks, 3),
            "ratio_mean": round(statistics.fmean(self.total_ms) / statistics.fmean(self.landmarks_ms), 3),
            "beside_networks_ms": round(statistics.median(self.beside_networks_ms), 3),
            "stage_ms": {name: round(statistics.median(ms), 3) for name, ms in sorted(self.stage_ms.items())},
        }


def bench(
    frames: Annotated[int, typer.Option(min=10, max=100_000, help="Frames of each measurement.")] = 150,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure the pipeline on this machine, one thread."""
    cv2.setNumThreads(1)
    originals = read_clip(CLIP, _PICTURES)
    engine = _engine(originals[0])
    results: dict[str, object] = {}
    memory = 0.0
    for name, width, height, face_px in CASES:
        pictures = scaled(originals, width, height, face_px)
        case = _Case(pictures, engine)
        case.run(frames)
        results[name] = case.figures()
        held = sum(picture.nbytes for picture in (*originals, *pictures)) / 2**20
        memory = max(memory, (case.memory_mb or 0.0) - held)
    # Without the pictures that only this measurement holds.
    results["memory_mb"] = round(memory, 1) if memory > 0 else None
    results["budgets"] = {
        "mesh_720p_300px.ratio": 2.2,
        "mesh_1080p_400px.beside_networks_ms": 3.5,
        "memory_mb": 600,
    }
    if as_json:
        sys.stdout.write(json.dumps(results) + "\n")
        return
    table = Table("case", "landmarks ms", "pipeline ms", "ratio", "beside networks ms", "stages ms")
    for name, *_ in CASES:
        row = cast("dict[str, object]", results[name])
        keys = ("landmark_network_ms", "pipeline_ms", "ratio", "beside_networks_ms", "stage_ms")
        table.add_row(name, *(str(row[key]) for key in keys))
    Console().print(table, f"memory: {results['memory_mb']} MB")


def read_clip(path: Path, count: int) -> list[ByteArray]:
    """The first frames of a video as uint8 RGB.

    Raises:
        MediaError: it cannot be read.
    """
    container, stream = open_input(path)
    pictures: list[ByteArray] = []
    with container:
        for frame in container.decode(stream):
            pictures.append(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
            if len(pictures) == count:
                break
    return pictures


def scaled(pictures: Sequence[ByteArray], width: int, height: int, face_px: int) -> list[ByteArray]:
    """The pictures as frames of ``width`` x ``height`` whose face is ``face_px`` along its box's longer side.

    Raises:
        MediaError: no face is found in the first one.
    """
    detector, landmarker = PersonaImporter().load()
    lane = FacePipeline(CpuCompositor(), detector, landmarker, PersonaLoader(_no_engine)).new_lane(
        FilterSettings()
    )
    tracked = lane.tracker.update(i420(pictures[0], 0), CpuCompositor(), lane.settings)
    if not tracked.faces:
        raise MediaError("the clip shows no face")
    bbox = tracked.faces[0].bbox
    scale = face_px / bbox_size(bbox)
    x, y = bbox_center(bbox)
    matrix = np.array([[scale, 0, width / 2 - scale * x], [0, scale, 0.45 * height - scale * y]])
    return [
        np.asarray(
            cv2.warpAffine(
                picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
            ),
            np.uint8,
        )
        for picture in pictures
    ]


def i420(picture: ByteArray, number: int) -> FrameView:
    """A picture (even sizes) as the frame that a webcam would give."""
    height, width = picture.shape[:2]
    layout = FrameLayout.of(PixelFormat.I420, width, height)
    planes = tuple(np.empty(shape, np.uint8) for shape in zip(layout.rows, layout.linesize, strict=True))
    frame = FrameView(layout, planes, ColorInfo.bt709_limited(), False, number, number * _FRAME_NS)
    opaque = np.full((height, width), 255, np.uint8)
    CpuCompositor().paste(frame, Rect(0, 0, width, height), picture, opaque)
    return frame


def memory_mb() -> float | None:
    """Memory of this process that lies in RAM; None where the system does not tell simply."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return None
    import resource

    return round(pages * resource.getpagesize() / 2**20, 1)


def _engine(picture: ByteArray) -> FaceEngine:
    """An engine that wears the clip's own face: a photo persona, with all that it costs."""
    png = cv2.imencode(".png", picture[..., ::-1])[1].tobytes()
    mesh = PersonaImporter().examine([decode_photo("the clip", png)]).mesh
    return MeshEngine(mesh)  # type: ignore[return-value]  # see persona_engines


def _no_engine(_key: PersonaKey) -> FaceEngine:
    raise MediaError("no persona is used here")
