"""Swaps by probe files through the whole pipeline, on real frames, and says what must be seen."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from doppel_ipc.settings import FilterSettings
from doppel_models.engines.base import CropRequest, FaceEngine, SwapResult
from doppel_models.engines.crops.engine import CropEngine
from doppel_models.engines.crops.loading import NetworkLoader, build_engine
from doppel_models.engines.crops.photo import PhotoCrop
from doppel_models.engines.crops.templates import five_points, ibug_points
from doppel_models.files.kinds import ModelKind
from doppel_models.files.model import ModelFile, checked_model
from doppel_models.files.onnx_file import parse_onnx
from doppel_models.types import ByteArray, Face, FloatArray
from doppel_worker.assets import PersonaKey, PersonaLoader
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.frame import FrameView
from doppel_worker.pipeline import FacePipeline
from doppel_worker.report import Report

from tests.support.faces import room
from tests.support.frames import rgba_frame
from tests.support.networks import detector, landmarker
from tests.support.portrait import astronaut, paste_head
from tests.support.probes import build
from tests.support.probes.contracts import FIVE_POINTS, Contract, fitted, whole_face

SIZE = (960, 540)
PLAIN = {"keep_mouth": False, "keep_eyes": False, "color_match": "none", "edge_softness": 0.0, "label": False}
"""Settings with which nothing but the network's own picture is shown."""
compositor = CpuCompositor()


def picture(roll: float = 14.0, height: float = 260.0) -> ByteArray:
    """A head in a room, (540, 960, 3)."""
    canvas = room(*SIZE)
    paste_head(canvas, astronaut(), center=(500.3, 260.6), height=height, roll=roll)
    return canvas


@dataclasses.dataclass(frozen=True, slots=True)
class Photo:
    """A picture of the persona's face."""

    rgb: ByteArray
    """(h, w, 3) uint8 RGB."""
    landmarks: FloatArray
    """(478, 3) pixels."""


@functools.cache
def photo() -> Photo:
    """The persona's photo: another size and turn than the filmed face."""
    canvas = room(400, 400, seed=3)
    points = paste_head(
        canvas, astronaut().mirrored().tinted((0.7, 0.9, 1.1)), center=(190, 210), height=210, roll=-9
    )
    return Photo(canvas, points)


def model_file(data: bytes, choice: str | None = None, name: str = "probe.onnx") -> ModelFile:
    """A probe as if it had been read from a file."""
    return checked_model(parse_onnx(data), name, choice)


def find_helper(kind: ModelKind, variant: str) -> ModelFile | None:
    """The probe recogniser, and probe crossfaces."""
    if kind is ModelKind.ARCFACE:
        return model_file(build.arcface())
    return model_file(build.crossface(variant), f"crossface-{variant}")


def crops_for(swapper: ModelFile) -> Sequence[PhotoCrop]:
    """What a swapper's engine is given of :func:`photo`."""
    return [PhotoCrop.of(photo().rgb, photo().landmarks, swapper.description)]


def engine_of(data: bytes, **options: Any) -> CropEngine:
    """An engine of a probe swapper, for the persona of :func:`photo` where it takes one."""
    swapper = model_file(data)
    crops = () if swapper.description.kind is ModelKind.DFM else crops_for(swapper)
    return build_engine(NetworkLoader(), swapper, find_helper, crops, **options)


class Spy:
    """Notes what an engine is asked."""

    def __init__(self, engine: FaceEngine) -> None:
        self._engine = engine
        self.name, self.notes = engine.name, engine.notes
        self.face: Face
        self.result: SwapResult

    def new_state(self) -> Any:
        return self._engine.new_state()

    def crop_for(self, face: Face, width: int, height: int) -> CropRequest | None:
        self.face = face
        return self._engine.crop_for(face, width, height)

    def swap(self, *arguments: Any) -> SwapResult:
        self.result = self._engine.swap(*arguments)
        return self.result


class ProbeStage:
    """A lane whose engine is a probe."""

    def __init__(self, engine: CropEngine, **settings: Any) -> None:
        self.engine = engine
        self.spy = Spy(engine)
        self.loader = PersonaLoader(lambda _key: self.spy)
        self.pipeline = FacePipeline(compositor, detector(), landmarker(), self.loader)
        chosen = FilterSettings(persona="probe").replace(**{**PLAIN, **settings})
        self.loader.wait(PersonaKey.of(chosen))
        self.lane = self.pipeline.new_lane(chosen)
        self.count = 0
        self.before: ByteArray
        self.frame: FrameView

    def show(self, rgb: ByteArray) -> Report:
        self.count += 1
        self.before, self.frame = rgb, rgba_frame(rgb, self.count)
        return self.pipeline.process(self.frame, self.lane)

    @property
    def after(self) -> ByteArray:
        """(h, w, 3) uint8 RGB."""
        return compositor.read(self.frame, Rect(0, 0, *SIZE))

    def crop_matrix(self, contract: Contract, size: int | None = None) -> npt.NDArray[np.float64]:
        """(2, 3), frame -> crop, by the contract and the landmarks that the engine was given."""
        return contract_matrix(contract, self.spy.face.landmarks, size or contract.size)

    def at(self, contract: Contract, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Points (n, 2) of the crop, pixels of the contract's own size, in the frame."""
        matrix = self.crop_matrix(contract)
        moved: npt.NDArray[np.float64] = (np.asarray(points) - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
        return moved


def contract_matrix(
    contract: Contract, landmarks: npt.NDArray[np.floating], size: int
) -> npt.NDArray[np.float64]:
    """(2, 3), picture -> crop of that size."""
    if contract.template == "whole face":
        return whole_face(ibug_points(landmarks.astype(np.float32)).astype(np.float64), size)
    live = five_points(landmarks.astype(np.float32)).astype(np.float64)
    return fitted(live, FIVE_POINTS[contract.template] * size)


def swapper_of(name: str, function: build.Function, **options: Any) -> bytes:
    """A probe of any kind that makes faces."""
    if name == "dfm":
        return build.dfm(function, **options)
    return build.swapper(name, function, **options)


def vectors() -> Mapping[str, npt.NDArray[np.float64]]:
    """By swapper: the vector that it must be given for :func:`photo`."""
    crop = reference_crop(photo().rgb, photo().landmarks, FIVE_POINTS["insightface 112"], 112)
    raw = build.recognised(crop)

    def normed(vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return vector / np.linalg.norm(vector)

    return {
        "inswapper": normed(normed(raw) @ build.EMAP.astype(np.float64)),
        "hyperswap": normed(raw),
        "simswap_256": normed(build.crossed("simswap", raw)),
        "simswap_512": normed(build.crossed("simswap", raw)),
        "ghost": build.crossed("ghost", raw),
        "hififace": normed(build.crossed("hififace", raw)),
    }


def reference_crop(
    image: ByteArray, landmarks: npt.NDArray[np.floating], template: npt.NDArray[np.float64], size: int
) -> ByteArray:
    """A crop by plain bilinear sampling in NumPy, averaging over a pixel where the crop is coarser."""
    matrix = fitted(five_points(landmarks.astype(np.float32)).astype(np.float64), template * size)
    inverse = np.linalg.inv(matrix[:, :2])
    fine = 4
    at = (np.arange(size * fine) + 0.5) / fine - 0.5
    x, y = np.meshgrid(at, at)
    source = (np.stack([x, y], -1) - matrix[:, 2]) @ inverse.T
    source = np.clip(source, 0, np.array(image.shape[1::-1]) - 1.001)
    base = np.floor(source).astype(int)
    part = source - base
    total = np.zeros((*at.shape, len(at), 3))
    for dy in (0, 1):
        for dx in (0, 1):
            weight = np.abs(1 - dx - part[..., 0]) * np.abs(1 - dy - part[..., 1])
            total += weight[..., None] * image[base[..., 1] + dy, base[..., 0] + dx]
    mean = total.reshape(size, fine, size, fine, 3).mean(axis=(1, 3))
    crop: ByteArray = np.rint(mean).astype(np.uint8)
    return crop
