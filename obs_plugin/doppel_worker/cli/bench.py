"""``doppel bench``: the budgets that need no OBS, as ratios within one run on one thread.

Time is the thread's own processor time, so other programs disturb little. Each frame's landmark network is
run once more by itself beside the whole pipeline, and engines and other ways take turns frame by frame, so
that all meet the same machine.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import cv2
import doppel_models
import numpy as np
import typer
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_ipc.settings import FilterSettings
from doppel_models.engines.base import FaceEngine
from doppel_models.geometry import bbox_center, bbox_size
from doppel_models.persona_import import PersonaImporter
from doppel_models.types import ByteArray
from rich.console import Console

from doppel_worker.assets import PersonaKey, PersonaLoader
from doppel_worker.cli.bench_case import WARM_UP, Case, Networks
from doppel_worker.cli.bench_device import device_lines, on_device
from doppel_worker.cli.bench_engines import CropProbe, mesh_engine, mesh_persona
from doppel_worker.cli.bench_report import report_lines
from doppel_worker.cli.bench_rivals import lean_way, plain_way
from doppel_worker.cli.video_file import open_input
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.errors import MediaError
from doppel_worker.frame import ColorInfo, FrameView
from doppel_worker.pipeline import FacePipeline

CLIP = Path(doppel_models.__file__).parent / "data" / "demo.mp4"
_FRAME_NS = 33_333_333
_PICTURES = 24
CASES = (
    ("mesh_720p_300px", 1280, 720, 300),
    ("mesh_1080p_200px", 1920, 1080, 200),
    ("mesh_1080p_400px", 1920, 1080, 400),
    ("mesh_1080p_600px", 1920, 1080, 600),
    ("crop_1080p_200px", 1920, 1080, 200),
    ("crop_1080p_400px", 1920, 1080, 400),
    ("crop_1080p_600px", 1920, 1080, 600),
)
"""Name, width, height, face's longer side in pixels. ``mesh``: the built-in engine. ``crop``: one as
inswapper's with a small network, whose time counts as a network's."""
_RARELY = 10
"""The plain way is slow: it gets so many times fewer turns."""


def bench(
    frames: Annotated[int, typer.Option(min=10, max=100_000, help="Frames of each measurement.")] = 150,
    device: Annotated[
        str, typer.Option(help="Measure this GPU too: auto, or e.g. cuda:0 (see: doppel devices); cpu: none.")
    ] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure how fast this machine swaps a face, on one processor core and on its GPU."""
    cv2.setNumThreads(1)
    console = Console(stderr=True)
    originals = read_clip(CLIP, _PICTURES)
    networks = Networks()
    probe = CropProbe(networks.swapping)
    engines = {"mesh": mesh_engine(originals[0]), "crop": probe.as_engine()}
    results: dict[str, object] = {name: {} for name, *_ in CASES}
    memory = 0.0
    for width, height, face_px in dict.fromkeys((w, h, face) for _, w, h, face in CASES):
        names = [name for name, *size in CASES if size == [width, height, face_px]]
        shown = [
            i420(picture, number) for number, picture in enumerate(scaled(originals, width, height, face_px))
        ]
        cases = {name: Case(shown, engines[name.split("_")[0]], networks) for name in names}
        _take_turns(cases, probe, frames)
        for name, case in cases.items():
            results[name] = {"width": width, "height": height, "face_px": face_px, **case.figures()}
        if not any(case.ways_ms for case in cases.values()):
            # The other ways need more than the pipeline.
            held = sum(plane.nbytes for frame in shown for plane in frame.planes)
            used = max(case.memory_mb or 0.0 for case in cases.values())
            memory = max(memory, used - (held + sum(picture.nbytes for picture in originals)) / 2**20)
    # Without the pictures that only this measurement holds.
    results["memory_mb"] = round(memory, 1) if memory > 0 else None
    results["budgets"] = {
        "mesh_720p_300px.ratio": 2.2,
        "mesh_1080p_400px.beside_networks_ms": 3.5,
        "crop_1080p_400px.beside_networks_ms": 3.5,
        "crop_1080p_400px.of_lean_way": 1.0,
        "crop_1080p_600px.of_lean_way": 1.0,
        "memory_mb": 600,
    }
    gpu = on_device(
        device,
        lambda: [i420(picture, n) for n, picture in enumerate(scaled(originals, 1920, 1080, 400))],
        lambda: mesh_persona(originals[0]),
        frames,
        lambda text: console.print(text, markup=False, soft_wrap=True),
    )
    if gpu is not None:
        results["device"] = gpu
    if as_json:
        sys.stdout.write(json.dumps(results) + "\n")
        return
    console = Console(highlight=False)
    for line in [*report_lines(results), *([] if gpu is None else device_lines(gpu))]:
        console.print(line, soft_wrap=True)


def _take_turns(cases: dict[str, Case], probe: CropProbe, frames: int) -> None:
    """Frame by frame: each engine, and after that of crops, the other ways to take a crop and put it back."""
    for number in range(WARM_UP + frames):
        for name, case in cases.items():
            case.step(number)
            if not name.startswith("crop") or (request := probe.request) is None:
                continue
            case.step_otherwise("lean_way", functools.partial(lean_way, request=request), number)
            if number % _RARELY == 0:
                case.step_otherwise("plain_way", functools.partial(plain_way, request=request), number)


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


def scaled(pictures: Sequence[ByteArray], width: int, height: int, face_px: int) -> Iterator[ByteArray]:
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
    for picture in pictures:
        moved = cv2.warpAffine(
            picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        yield np.asarray(moved, np.uint8)


def i420(picture: ByteArray, number: int) -> FrameView:
    """A picture (even sizes) as the frame that a webcam would give."""
    height, width = picture.shape[:2]
    layout = FrameLayout.of(PixelFormat.I420, width, height)
    planes = tuple(np.empty(shape, np.uint8) for shape in zip(layout.rows, layout.linesize, strict=True))
    frame = FrameView(layout, planes, ColorInfo.bt709_limited(), False, number, number * _FRAME_NS)
    opaque = np.full((height, width), 255, np.uint8)
    CpuCompositor().paste(frame, Rect(0, 0, width, height), picture, opaque)
    return frame


def _no_engine(_key: PersonaKey) -> FaceEngine:
    raise MediaError("no persona is used here")
