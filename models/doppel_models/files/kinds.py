"""What a model file can be, and the description that recognition makes of one.

A description says everything that an engine needs to feed the network and to understand its answer, but not
what the values mean (template, mean, channel order): that belongs to the kind and stands with the engines.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Literal

Dtype = Literal["float32", "float16", "float64"]

VECTOR_LENGTH = 512
"""Length of every identity vector: ArcFace's, and what the one-photo swappers take."""


class ModelKind(enum.StrEnum):
    """A family of networks with one contract."""

    DFM = "dfm"
    """A model trained for one face by DeepFaceLab, as DeepFaceLive exports it."""
    INSWAPPER = "inswapper"
    HYPERSWAP = "hyperswap"
    SIMSWAP = "simswap"
    GHOST = "ghost"
    HIFIFACE = "hififace"
    UNIFACE = "uniface"
    BLENDSWAP = "blendswap"
    ARCFACE = "arcface"
    """Recogniser: a face of 112 pixels -> its identity vector."""
    CROSSFACE = "crossface"
    """Converts an ArcFace vector to the identity space of another swapper, which is its ``variant``."""
    ENHANCER = "enhancer"
    """GFPGAN, GPEN, CodeFormer, RestoreFormer: a face -> the same face, restored."""
    XSEG = "xseg"
    """A face -> what of it is not covered by something else."""
    FACE_PARSING = "face-parsing"
    DETECTOR = "detector"
    LIVEPORTRAIT = "liveportrait"


ONE_PHOTO_SWAPPERS = frozenset(
    {
        ModelKind.INSWAPPER,
        ModelKind.HYPERSWAP,
        ModelKind.SIMSWAP,
        ModelKind.GHOST,
        ModelKind.HIFIFACE,
        ModelKind.UNIFACE,
        ModelKind.BLENDSWAP,
    }
)
"""Kinds that swap to the face of a photo."""
SWAPPERS = ONE_PHOTO_SWAPPERS | {ModelKind.DFM}
"""Kinds that make a swapped face."""
USED = SWAPPERS | {ModelKind.ARCFACE, ModelKind.CROSSFACE, ModelKind.ENHANCER, ModelKind.XSEG}
"""Kinds that Doppel can use; the others are recognised only to be refused in clear words."""

NEEDS: dict[ModelKind, tuple[ModelKind, ...]] = {
    ModelKind.INSWAPPER: (ModelKind.ARCFACE,),
    ModelKind.HYPERSWAP: (ModelKind.ARCFACE,),
    ModelKind.SIMSWAP: (ModelKind.ARCFACE, ModelKind.CROSSFACE),
    ModelKind.GHOST: (ModelKind.ARCFACE, ModelKind.CROSSFACE),
    ModelKind.HIFIFACE: (ModelKind.ARCFACE, ModelKind.CROSSFACE),
}
"""What else a kind needs. The crossface must be the one whose ``variant`` is the swapper's kind."""


class Role(enum.StrEnum):
    """What an input or output is for."""

    TARGET = "target"
    """Input: the filmed face that is to be changed, or judged."""
    SOURCE_VECTOR = "source-vector"
    """Input (1, 512): the identity."""
    SOURCE_PICTURE = "source-picture"
    """Input: the persona's face as a picture."""
    MORPH = "morph"
    """Input (1,): DeepFaceLab AMP's morph factor, 0..1."""
    WEIGHT = "weight"
    """Input, a scalar or (1,): an enhancer's fidelity, 0..1."""
    FACE = "face"
    """Output: the swapped or restored face."""
    FACE_MASK = "face-mask"
    """Output: where the swapped face is (or, of XSeg, where the filmed face is not covered)."""
    TARGET_MASK = "target-mask"
    """Output: where the filmed face is (DFM)."""
    VECTOR = "vector"
    """Output (1, 512) of a recogniser or crossface, and a crossface's input."""
    OTHER = "other"
    """Nothing that Doppel uses."""


@dataclasses.dataclass(frozen=True, slots=True)
class ModelTensor:
    """One input or output of a network."""

    role: Role
    name: str
    shape: tuple[int | None, ...]
    """As written in the file; None where a dimension is free (mostly the batch)."""
    dtype: Dtype


@dataclasses.dataclass(frozen=True, slots=True)
class ModelDescription:
    """What a model file is."""

    kind: ModelKind
    variant: str
    """Which of its kind, for people (``amp``, ``256``, ``gfpgan or gpen``); of a crossface: the
    :class:`ModelKind` of the swapper whose identity space it makes."""
    size: int
    """Width and height of its target crop in pixels; 0 where there is no picture (crossface)."""
    layout: Literal["nchw", "nhwc"]
    """Layout of its pictures. A mask has the layout of the pictures."""
    weights: Dtype
    """Type of most of its weights; inputs and outputs have types of their own."""
    inputs: tuple[ModelTensor, ...]
    """In the file's order, which is that of ONNX Runtime."""
    outputs: tuple[ModelTensor, ...]
    """In the file's order."""
    opset: int
    """Version of ONNX's standard operators."""
    emap: str | None = None
    """Name of the (512, 512) initializer that maps an identity vector to inswapper's space; see
    ``onnx_file.OnnxFile.initializer``."""
    source_size: int = 0
    """Width and height of a :attr:`Role.SOURCE_PICTURE`; 0 where there is none."""
    notes: tuple[str, ...] = ()
    """What was assumed and what may be wrong: for the user."""

    @property
    def needs(self) -> tuple[ModelKind, ...]:
        """Other files without which it does not work (:data:`NEEDS`)."""
        return NEEDS.get(self.kind, ())

    @property
    def key(self) -> str:
        """What a user says it is where its contents leave a choice: ``ghost``, ``crossface-ghost``."""
        return f"{self.kind}-{self.variant}" if self.kind == ModelKind.CROSSFACE else str(self.kind)

    @property
    def title(self) -> str:
        """Kind and variant for people."""
        return model_title(self.kind, self.variant)

    def input(self, role: Role) -> ModelTensor | None:
        """The input of that role, if it has one."""
        return next((tensor for tensor in self.inputs if tensor.role == role), None)

    def output(self, role: Role) -> ModelTensor | None:
        """The output of that role, if it has one."""
        return next((tensor for tensor in self.outputs if tensor.role == role), None)


def model_title(kind: ModelKind, variant: str) -> str:
    """A kind and variant for people."""
    if kind == ModelKind.CROSSFACE:
        return f"crossface for {variant}"
    return f"{kind} {variant}".strip()
