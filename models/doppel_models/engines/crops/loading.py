"""From model files to an engine: networks loaded once, tested, and joined with a persona's photos."""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Callable, Sequence

import numpy as np

from doppel_models.engines.crops import self_test
from doppel_models.engines.crops.description import Description, IdentityForm, describe
from doppel_models.engines.crops.engine import CropEngine, Parts
from doppel_models.engines.crops.extras import Enhancer, Occluder
from doppel_models.engines.crops.identity import Identity, Recogniser, mean_vector
from doppel_models.engines.crops.network import RoleNetwork, Tensor
from doppel_models.engines.crops.photo import PhotoCrop
from doppel_models.errors import EngineError, SessionError
from doppel_models.files.kinds import (
    ONE_PHOTO_SWAPPERS,
    SWAPPERS,
    VECTOR_LENGTH,
    ModelKind,
    Role,
)
from doppel_models.files.model import ModelFile
from doppel_models.sentences import sentence
from doppel_models.session import Network, SessionConfig
from doppel_models.types import ByteArray, FloatArray

FindModel = Callable[[ModelKind, str], ModelFile | None]
"""A helper model of a kind and variant (empty: any), or None."""


class NetworkLoader:
    """Networks of model files. Each is loaded and tested once, and kept as long as an engine uses it."""

    def __init__(self, config: SessionConfig | None = None) -> None:
        """Use these providers."""
        self._config = config or SessionConfig()
        self._loaded: weakref.WeakValueDictionary[tuple[str, str], LoadedNetwork]
        self._loaded = weakref.WeakValueDictionary()

    @property
    def count(self) -> int:
        """Networks in use."""
        return len(self._loaded)

    def load(self, source: ModelFile) -> LoadedNetwork:
        """The network of a file, ready to run.

        Raises:
            EngineError: it failed its test.
            SessionError: ONNX Runtime cannot run it.
        """
        key = (source.sha256, str(source.description))
        loaded = self._loaded.get(key)
        if loaded is None:
            loaded = self._loaded[key] = self._load(source)
        return loaded

    def _load(self, source: ModelFile) -> LoadedNetwork:
        title = f"{source.name} ({source.description.title})"
        network = RoleNetwork(Network(title, source.data, self._config), source.description)
        fallback = network.network.fallback
        notes: tuple[str, ...] = () if fallback is None else (fallback.told(),)
        if source.description.kind not in SWAPPERS | {ModelKind.ENHANCER}:
            return LoadedNetwork(network, notes)
        row = describe(source.description)
        if "float16" in (source.description.weights, row.picture_in.dtype, row.picture_out.dtype):
            network, note = self._wide_enough(network, source)
            notes += (note,) if note else ()
        else:
            problem = _tested(network)[0]
            if problem:
                raise self_test.refuse(title, problem)
        return LoadedNetwork(network, notes)

    def _wide_enough(self, narrow: RoleNetwork, source: ModelFile) -> tuple[RoleNetwork, str]:
        """A float16 network if it gives what it gives in float32, else that one, and why."""
        title = narrow.network.name
        # Imported where it is needed: it brings `onnx`, an eighth of a worker's start.
        from doppel_models.engines.crops import half

        data, model = half.as_float32(source.data, source.description)
        wide = RoleNetwork(Network(title, data, self._config), model)
        problem, rgb = _tested(wide)
        if problem:
            raise self_test.refuse(title, problem)
        narrow_problem, narrow_rgb = _tested(narrow)
        if narrow_problem:
            return wide, sentence(
                "engine.float32", "{model} runs in float32: in float16 {why}", model=title, why=narrow_problem
            )
        drift = self_test.drift(narrow_rgb, rgb)
        if drift > self_test.MAX_DRIFT:
            return wide, sentence(
                "engine.float32-drift",
                "{model} runs in float32: in float16 its picture differs by {levels} of 255",
                model=title,
                levels=round(drift),
            )
        return narrow, ""


@dataclasses.dataclass(frozen=True, slots=True, weakref_slot=True)
class LoadedNetwork:
    """A network, and what the user should know of how it runs."""

    network: RoleNetwork
    notes: tuple[str, ...]


def build_engine(
    loader: NetworkLoader,
    swapper: ModelFile,
    find: FindModel,
    photos: Sequence[PhotoCrop] = (),
    *,
    enhancer: ModelFile | None = None,
    occluder: ModelFile | None = None,
    pixel_boost: int = 1,
) -> CropEngine:
    """An engine for one persona.

    Args:
        loader: of the networks.
        swapper: the model that makes the face.
        find: finds the helpers that it needs.
        photos: of the persona, cut out for this one-photo swapper; the best one first.
        enhancer: restores the swapped face.
        occluder: finds what is in front of it.
        pixel_boost: 1 to 4 times the model's resolution.

    Raises:
        EngineError: a model is of the wrong kind, fails its test, or lacks a helper or a photo.
        SessionError: ONNX Runtime cannot run a model.
    """
    _check_kind(swapper, SWAPPERS, sentence("engine.makes-faces", "makes a face"))
    one_photo = swapper.description.kind in ONE_PHOTO_SWAPPERS
    if one_photo and not photos:
        raise EngineError(
            sentence(
                "engine.needs-photo",
                "{model} swaps to the face of a photo, and this persona has none",
                model=swapper.name,
            )
        )
    if not one_photo and photos:
        raise EngineError(
            sentence(
                "engine.one-face",
                "{model} was trained for one face and cannot wear a photo's; choose it as the persona",
                model=swapper.name,
            )
        )
    loaded = {Role.FACE: loader.load(swapper)}
    row = describe(loaded[Role.FACE].network.model)
    identity: Identity | None = None
    recogniser: Recogniser | None = None
    source: ByteArray | None = None
    if row.identity is IdentityForm.PICTURE and row.source is not None:
        source = photos[0].rgb
    elif row.identity is not IdentityForm.NONE:
        network = loader.load(_needed(find, swapper, ModelKind.ARCFACE, ""))
        loaded[Role.VECTOR] = network
        recogniser = Recogniser(network.network)
        raw = mean_vector([recogniser.vector(photo.rgb) for photo in photos])
        identity = _identity(loader, swapper, row, find, raw)
    parts = Parts(loaded[Role.FACE].network, row, identity, source, recogniser)
    if enhancer is not None:
        _check_kind(enhancer, {ModelKind.ENHANCER}, sentence("engine.restores-faces", "restores faces"))
        loaded[Role.WEIGHT] = loader.load(enhancer)
        parts = dataclasses.replace(parts, enhancer=Enhancer(loaded[Role.WEIGHT].network))
    if occluder is not None:
        _check_kind(
            occluder,
            {ModelKind.XSEG},
            sentence("engine.finds-things", "finds what is in front of a face"),
        )
        loaded[Role.FACE_MASK] = loader.load(occluder)
        finder = Occluder(loaded[Role.FACE_MASK].network)
        finder.uncovered(self_test.drawn_face(row.template, swapper.description.size))
        parts = dataclasses.replace(parts, occluder=finder)
    notes = [note for one in loaded.values() for note in one.notes]
    return CropEngine(parts, pixel_boost, tuple(dict.fromkeys(notes)), tuple(loaded.values()))


def _identity(
    loader: NetworkLoader, swapper: ModelFile, row: Description, find: FindModel, raw: FloatArray
) -> Identity:
    if row.identity is IdentityForm.EMAP:
        return Identity(raw, row.identity, emap=swapper.emap)
    if row.identity is IdentityForm.ARCFACE:
        return Identity(raw, row.identity)
    kind = str(swapper.description.kind)
    crossface = loader.load(_needed(find, swapper, ModelKind.CROSSFACE, kind))
    return Identity(raw, row.identity, crossface=crossface.network)


def _needed(find: FindModel, swapper: ModelFile, kind: ModelKind, variant: str) -> ModelFile:
    found = find(kind, variant)
    if found is None:
        what = {
            ModelKind.ARCFACE: sentence("engine.recogniser", "an ArcFace recogniser (w600k_r50)"),
            ModelKind.CROSSFACE: sentence("engine.crossface", "the crossface model for {kind}", kind=variant),
        }[kind]
        raise EngineError(
            sentence(
                "engine.also-needs",
                "{model} ({title}) also needs {what}; add it with `doppel models add FILE`, or put it into"
                " the same folder",
                model=swapper.name,
                title=swapper.description.title,
                what=what,
            )
        )
    return found


def _check_kind(source: ModelFile, kinds: frozenset[ModelKind] | set[ModelKind], does: str) -> None:
    if source.description.kind not in kinds:
        raise EngineError(
            sentence(
                "engine.wrong-kind",
                "{model} is {title}, not a model that {does}",
                model=source.name,
                title=source.description.title,
                does=does,
            )
        )


def _tested(network: RoleNetwork) -> tuple[str, ByteArray]:
    """What is wrong with a swapper's or enhancer's picture of a drawn face (empty: nothing), and the picture.

    Raises:
        SessionError: it cannot be run.
    """
    row = describe(network.model)
    size = network.model.size
    vector = np.random.default_rng(5).normal(size=(1, VECTOR_LENGTH))
    inputs: dict[Role, Tensor] = {
        Role.TARGET: row.picture_in.encode(self_test.drawn_face(row.template, size)),
        # As long as ArcFace's own vectors where they are not normed.
        Role.SOURCE_VECTOR: vector / np.linalg.norm(vector) * (20 if _raw(row) else 1),
        Role.MORPH: np.full(1, 0.75),
    }
    weight = network.model.input(Role.WEIGHT)
    if weight is not None:
        inputs[Role.WEIGHT] = np.ones([part or 1 for part in weight.shape])
    if row.source is not None:
        face = self_test.drawn_face(row.source.template, network.model.source_size)
        inputs[Role.SOURCE_PICTURE] = row.source.picture.encode(face)
    outputs = network.run(inputs)
    out = outputs[Role.FACE]
    if out.shape != row.picture_out.shape(size, size):
        raise SessionError(f"{network.network.name} gives a picture of shape {out.shape}")
    rgb = row.picture_out.decode(out)
    masks = [outputs[role] for role in (Role.FACE_MASK, Role.TARGET_MASK) if role in outputs]
    return self_test.problem_of(out, rgb, masks), rgb


def _raw(row: Description) -> bool:
    return row.identity is IdentityForm.CROSSFACE
