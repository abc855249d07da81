"""``doppel bench`` on a GPU: a frame's cost beside its network, where the time goes, how many cameras fit.

By the wall clock: a GPU works while the processor waits. Networks are surrogates of the true architecture and
cost. The bare network runs in turns with the pipeline, so that both meet the same machine.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from doppel_models.detector import FaceDetector
from doppel_models.engines.base import FaceEngine
from doppel_models.engines.crops.engine import CropEngine
from doppel_models.engines.mesh.on_device import DeviceMeshEngine
from doppel_models.engines.mesh.persona import MeshPersona
from doppel_models.landmarker import FaceLandmarker
from doppel_models.session import Network, SessionConfig
from doppel_models.tensor import DeviceTensor

from doppel_worker.assets import PersonaKey, PersonaLoader
from doppel_worker.cli.bench_engines import surrogate_parts
from doppel_worker.cli.lane_load import most_lanes, play
from doppel_worker.cli.lane_runs import MOST_LANES, SETTINGS, LaneRuns
from doppel_worker.cli.surrogates import SURROGATES
from doppel_worker.errors import DeviceError
from doppel_worker.frame import FrameView
from doppel_worker.gpu.compositor_cuda import CudaCompositor
from doppel_worker.gpu.device import Device
from doppel_worker.gpu.shared_device import SharedDevice
from doppel_worker.gpu.staged_device import StagedDevice
from doppel_worker.open_device import open_device
from doppel_worker.pipeline import FacePipeline
from doppel_worker.seat import Seat

BUDGETS = {
    "ratio": 1.10,
    "inswapper.streams_1080p60.one_lane.busy": 0.50,
    "p99_ms": 10.0,
    "two_lanes_cost": 2.0,
}
"""At most."""
_RATES = (30, 60)
_ROUND = 8
"""Frames of each lane that are judged beside those of another."""


class _StagedNetwork(Network):
    """A network whose bound runs are a stage of a device."""

    def __init__(self, network: Network, device: StagedDevice) -> None:
        """Take over a network that is built already."""
        vars(self).update(vars(network))
        self._device = device

    def run_bound(
        self, inputs: Sequence[DeviceTensor | npt.NDArray[Any]], outputs: Sequence[DeviceTensor]
    ) -> None:
        """See ``Network.run_bound``."""
        with self._device.stage("infer"):
            super().run_bound(inputs, outputs)


@dataclasses.dataclass(frozen=True, slots=True)
class DeviceBench:
    """What is measured, and with what."""

    device: Device
    config: SessionConfig
    """How networks are built for it."""
    frames: Sequence[FrameView]
    """1080p, of one layout; not changed."""
    count: int
    """Frames of each measurement."""
    warm_up: int = 20
    """Frames before each."""
    width: float = 1.0
    """Share of the surrogates' channels; 1: their true cost."""

    def figures(self, persona: MeshPersona) -> dict[str, object]:
        """All figures, for ``--json``.

        Args:
            persona: what the built-in engine wears.

        Raises:
            DeviceError: the device failed, or shows no swapped face.
            ModelsError: a network cannot be loaded or run.
        """
        found: dict[str, object] = {"name": self.device.name, "budgets": BUDGETS}
        for model in SURROGATES:
            found[model] = self._surrogate(model)

        def mesh(compositor: CudaCompositor, _device: StagedDevice) -> tuple[FaceEngine, None]:
            return cast("FaceEngine", DeviceMeshEngine(persona, compositor.mesh)), None

        found["mesh"] = self._measured(mesh)
        return found

    def _surrogate(self, model: str) -> dict[str, object]:
        data, multiplications = SURROGATES[model](self.width)

        def make(_compositor: CudaCompositor, device: StagedDevice) -> tuple[FaceEngine, Network]:
            parts = surrogate_parts(model, data, self.config)
            network = parts.swapper.network
            parts.swapper.network = _StagedNetwork(network, device)
            # An engine takes only states that it made itself, which the protocol's types cannot say.
            return cast("FaceEngine", CropEngine(parts)), network

        return {"giga_multiplications": round(multiplications / 1e9, 1), **self._measured(make)}

    def _measured(
        self, make: Callable[[CudaCompositor, StagedDevice], tuple[FaceEngine, Network | None]]
    ) -> dict[str, object]:
        """The figures of one engine, and of its network alone if it has one."""
        before = self.device.used_memory()
        device = StagedDevice(self.device)
        shared = SharedDevice(device, gate=self.config.gate)
        first = CudaCompositor(shared)
        engine, network = make(first, device)
        loader = PersonaLoader(lambda _key: engine)
        loader.wait(PersonaKey.of(SETTINGS))
        seats = [self._seat(one, loader) for one in (first, CudaCompositor(shared.beside()))]
        try:
            run = LaneRuns(seats, self.frames)
            return {**self._times(run, network, device), "memory_mb": self._grown(before), **self._lanes(run)}
        finally:
            loader.close()

    def _seat(self, compositor: CudaCompositor, loader: PersonaLoader) -> Seat:
        config = dataclasses.replace(self.config, meanwhile=compositor.device.meanwhile)
        pipeline = FacePipeline(compositor, FaceDetector(config), FaceLandmarker(config), loader)
        return Seat(compositor.device.turns, pipeline)

    def _grown(self, before: int) -> float:
        return round((self.device.used_memory() - before) / 2**20, 1)

    def _times(self, run: LaneRuns, network: Network | None, device: StagedDevice) -> dict[str, object]:
        for _ in range(self.warm_up):
            run.judge(0)
        if not run.swapped:
            raise DeviceError(f"{device.name} shows no swapped face: {run.status}")
        bare = None if network is None else _Bare(network)
        whole: list[float] = []
        alone: list[float] = []
        for _ in range(self.count):
            if bare is not None:
                alone.append(1000 * bare.run())
            whole.append(1000 * run.judge(0))
        device.staged = True
        stages: list[dict[str, float]] = []
        for _ in range(self.count):
            device.spent_ms = {}
            run.judge(0)
            stages.append(device.spent_ms)
        device.staged = False
        names = sorted({name for one in stages for name in one})
        pipeline_ms = statistics.median(whole)
        figures: dict[str, object] = {
            "pipeline_ms": round(pipeline_ms, 3),
            "stage_ms": {
                name: round(statistics.median(one.get(name, 0.0) for one in stages), 3) for name in names
            },
        }
        if alone:
            network_ms = statistics.median(alone)
            figures |= {"network_ms": round(network_ms, 3), "ratio": round(pipeline_ms / network_ms, 3)}
        return figures

    def _lanes(self, run: LaneRuns) -> dict[str, object]:
        """What two lanes cost whose frames overlap; and cameras that are kept up with even one by one."""
        each = min(_ROUND, self.count)
        times = [(run.together(1, each), run.together(2, each)) for _ in range(self.count // each)]
        one, both = (statistics.median(side) for side in zip(*times, strict=True))
        found: dict[str, object] = {"two_lanes_cost": round(both / one, 3)}
        for fps in _RATES:
            seconds = self.count / fps
            lanes, load = most_lanes(fps, seconds, run.judge, MOST_LANES)
            alone = play(1, fps, seconds, run.judge)
            found[f"streams_1080p{fps}"] = {
                "lanes": lanes,
                "one_lane": dataclasses.asdict(alone),
                "all_lanes": None if load is None else dataclasses.asdict(load),
            }
        return found


class _Bare:
    """A network alone, with numbers of its own."""

    def __init__(self, network: Network) -> None:
        random = np.random.default_rng(0)
        self._network = network
        self._inputs = [
            random.random([size or 1 for size in spec.shape], np.float32) for spec in network.inputs
        ]

    def run(self) -> float:
        """The seconds of one run."""
        start = time.perf_counter()
        self._network.run(*self._inputs)
        return time.perf_counter() - start


def on_device(
    wanted: str,
    frames: Callable[[], Sequence[FrameView]],
    persona: Callable[[], MeshPersona],
    count: int,
    tell: Callable[[str], None],
) -> dict[str, object] | None:
    """The figures of a device; None where there is none that works on the pictures too.

    Args:
        wanted: see :func:`doppel_worker.devices.choose`.
        frames: gives 1080p frames of one layout.
        persona: gives what the built-in engine wears.
        count: frames of each measurement.
        tell: is told why it is not the device that was asked for.

    Raises:
        DeviceError: ``wanted`` is no device's name, or the device failed.
        ModelsError: a network cannot be loaded or run.
    """
    opened = open_device(wanted, tell)
    if not isinstance(opened.compositor, CudaCompositor):
        return None
    return DeviceBench(opened.compositor.device, opened.config, frames(), count).figures(persona())


def device_lines(figures: dict[str, Any]) -> list[str]:
    """The figures for people, a line each."""
    lines = [f"{figures['name']}, 1080p:"]
    for name, found in figures.items():
        if not isinstance(found, dict) or "pipeline_ms" not in found:
            continue
        bare = f", {found['ratio']:.2f} times its network alone" if "ratio" in found else ""
        lines.append(f"  {name}: {found['pipeline_ms']:.2f} ms a picture{bare}; {found['memory_mb']:.0f} MB")
        stages = ", ".join(f"{stage} {ms:.2f}" for stage, ms in found["stage_ms"].items())
        lines.append(f"    one by one, ms: {stages}")
        for fps in _RATES:
            streams = found[f"streams_1080p{fps}"]
            alone = streams["one_lane"]
            lines.append(
                f"    {fps} a second: {streams['lanes']} cameras; with one {100 * alone['busy']:.0f} % busy,"
                f" {alone['p99_ms']:.1f} ms from a picture's arrival to its result (99 of 100)"
            )
        lines.append(f"    two cameras cost {found['two_lanes_cost']:.2f} times one")
    return lines
