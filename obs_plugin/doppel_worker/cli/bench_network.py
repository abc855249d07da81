"""``doppel bench-network``: what a frame costs beside the network that swaps it, on any device.

The networks are surrogates (:mod:`doppel_worker.cli.surrogates`): the true architecture and cost, random
weights. One run measures the bare network and the whole pipeline in turns, by the wall clock, because a
GPU works while the processor waits.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import sys
import time
from typing import Annotated, Any, cast

import cv2
import numpy as np
import typer
from doppel_ipc.settings import FilterSettings
from doppel_models.detector import FaceDetector
from doppel_models.engines.base import FaceEngine
from doppel_models.engines.crops.engine import CropEngine
from doppel_models.landmarker import FaceLandmarker
from doppel_models.session import Network
from rich.console import Console
from rich.table import Table

from doppel_worker.assets import PersonaKey, PersonaLoader
from doppel_worker.cli.bench import CLIP, i420, read_clip, scaled
from doppel_worker.cli.bench_case import memory_mb
from doppel_worker.cli.bench_engines import surrogate_parts
from doppel_worker.cli.surrogates import SURROGATES
from doppel_worker.errors import MediaError
from doppel_worker.open_device import open_device
from doppel_worker.pipeline import FacePipeline

_SIZE, _FACE_PX, _PICTURES = (1920, 1080), 400, 30
_SETTINGS = FilterSettings(persona="surrogate")
_BUDGET = 1.10


def bench_network(
    model: Annotated[str, typer.Option(help="inswapper or dfm.")] = "inswapper",
    device: Annotated[str, typer.Option(help="auto, cpu or e.g. cuda:0 (see: doppel devices).")] = "auto",
    frames: Annotated[int, typer.Option(min=2, max=100_000, help="Frames that are measured.")] = 200,
    warm_up: Annotated[int, typer.Option(min=1, max=1000, help="Frames before that.")] = 20,
    width: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="Share of the network's channels; 1: its true cost.")
    ] = 1.0,
    cuda_graph: Annotated[bool, typer.Option(help="Record the network and play it back (CUDA).")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure a swapping network of real size, alone and in the pipeline: 1080p, a face of 400 pixels."""
    if model not in SURROGATES:
        raise MediaError(f"{model!r} is no surrogate; there is {' and '.join(SURROGATES)}")
    cv2.setNumThreads(1)
    console = Console(stderr=True)
    opened = open_device(device, lambda text: console.print(text, markup=False))
    data, multiplications = SURROGATES[model](width)
    config = dataclasses.replace(opened.config, cuda_graph=cuda_graph)
    parts = surrogate_parts(model, data, config)
    network, engine = parts.swapper.network, CropEngine(parts)
    del data
    # An engine takes only states that it made itself, which the protocol's types cannot say.
    loader = PersonaLoader(lambda _key: cast("FaceEngine", engine))
    loader.wait(PersonaKey.of(_SETTINGS))
    pipeline = FacePipeline(
        opened.compositor, FaceDetector(opened.config), FaceLandmarker(opened.config), loader
    )
    try:
        figures = _measure(pipeline, network, frames, warm_up)
    finally:
        loader.close()
    figures |= {
        "model": model,
        "device": f"{opened.info.id}: {opened.info.name}",
        "provider": network.provider,
        "cuda_graph": network.cuda_graph,
        "stays_on_device": opened.compositor.ops is not None,
        "note": opened.compositor.note,
        "giga_multiplications": round(multiplications / 1e9, 1),
        "memory_mb": memory_mb(),
        "budget_ratio": _BUDGET,
    }
    if as_json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    table = Table("figure", "value")
    for name, value in figures.items():
        table.add_row(name, str(value))
    Console().print(table)


def _measure(pipeline: FacePipeline, network: Network, frames: int, warm_up: int) -> dict[str, Any]:
    """Medians over frames, the bare network and the pipeline in turns."""
    lane = pipeline.new_lane(_SETTINGS)
    pictures = list(scaled(read_clip(CLIP, _PICTURES), *_SIZE, _FACE_PX))
    random = np.random.default_rng(0)
    inputs = [random.random([size or 1 for size in spec.shape], np.float32) for spec in network.inputs]
    bare: list[float] = []
    whole: list[float] = []
    stages: dict[str, list[float]] = {}
    swapped = 0
    for number in range(warm_up + frames):
        frame = i420(pictures[number % len(pictures)], number)
        start = time.perf_counter_ns()
        network.run(*inputs)
        alone = (time.perf_counter_ns() - start) / 1e6
        report = pipeline.process(frame, lane)
        if number < warm_up:
            continue
        swapped += report.swapped
        bare.append(alone)
        whole.append(report.total_ms)
        for name, milliseconds in report.stage_ms.items():
            stages.setdefault(name, []).append(milliseconds)
    network_ms, pipeline_ms = statistics.median(bare), statistics.median(whole)
    return {
        "frames": frames,
        "swapped": swapped,
        "network_ms": round(network_ms, 3),
        "pipeline_ms": round(pipeline_ms, 3),
        "pipeline_p99_ms": round(sorted(whole)[max(-(-99 * len(whole) // 100) - 1, 0)], 3),
        "ratio": round(pipeline_ms / network_ms, 3),
        "stage_ms": {name: round(statistics.median(ms), 3) for name, ms in sorted(stages.items())},
        "streams_1080p30": int(1000 / 30 / pipeline_ms),
        "streams_1080p60": int(1000 / 60 / pipeline_ms),
    }
