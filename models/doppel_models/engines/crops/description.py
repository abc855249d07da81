"""What neural engines differ in: one small row for each kind of model.

Recognition (:mod:`doppel_models.files`) says which inputs and outputs a file has; a row says what the values
in them mean. The values are those of the networks' own training code and of FaceFusion, which runs them all.
"""

from __future__ import annotations

import dataclasses
import enum

from doppel_models.engines.crops import templates
from doppel_models.engines.crops.templates import Template
from doppel_models.errors import EngineError
from doppel_models.files.kinds import ModelDescription, ModelKind, ModelTensor, Role
from doppel_models.tensor import TensorFormat

_HALF = (0.5, 0.5, 0.5)
_UNIT = TensorFormat()
_SIGNED = TensorFormat(mean=_HALF, std=_HALF)
_IMAGENET = TensorFormat(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
_BGR_NHWC = TensorFormat(layout="nhwc", channels="bgr")


class IdentityForm(enum.Enum):
    """What tells a network whose face to make. All vectors start as ArcFace's."""

    NONE = "none"
    """Nothing: it knows one face."""
    EMAP = "emap"
    """The normed vector through the model's own (512, 512) matrix, normed again (InsightFace's inswapper)."""
    ARCFACE = "arcface"
    """The normed vector."""
    CROSSFACE = "crossface"
    """The raw vector through a crossface network."""
    CROSSFACE_NORMED = "crossface-normed"
    """The same, then normed."""
    PICTURE = "picture"
    """The persona's face as a picture."""


@dataclasses.dataclass(frozen=True, slots=True)
class SourcePicture:
    """How a network wants the persona's face."""

    template: Template
    picture: TensorFormat


@dataclasses.dataclass(frozen=True, slots=True)
class Description:
    """What the values in a network's inputs and outputs mean."""

    template: Template
    """Where the face lies in the crop."""
    picture_in: TensorFormat
    picture_out: TensorFormat
    identity: IdentityForm = IdentityForm.NONE
    source: SourcePicture | None = None
    """Of :attr:`IdentityForm.PICTURE`."""
    hull_growth: float = 1.0
    """The landmarks' outline about its middle: more than 1 where a mask of the network's own is finer."""


_ROWS: dict[tuple[ModelKind, int], Description] = {
    (ModelKind.DFM, 0): Description(templates.WHOLE_FACE, _BGR_NHWC, _BGR_NHWC, hull_growth=1.2),
    (ModelKind.INSWAPPER, 0): Description(templates.ARCFACE_128, _UNIT, _UNIT, IdentityForm.EMAP),
    (ModelKind.HYPERSWAP, 0): Description(
        templates.ARCFACE_128, _SIGNED, _SIGNED, IdentityForm.ARCFACE, hull_growth=1.2
    ),
    (ModelKind.SIMSWAP, 256): Description(
        templates.ARCFACE_112_V1, _IMAGENET, _UNIT, IdentityForm.CROSSFACE_NORMED
    ),
    (ModelKind.SIMSWAP, 512): Description(
        templates.ARCFACE_112_V1, _UNIT, _UNIT, IdentityForm.CROSSFACE_NORMED
    ),
    (ModelKind.GHOST, 0): Description(templates.ARCFACE_112_V1, _SIGNED, _SIGNED, IdentityForm.CROSSFACE),
    (ModelKind.HIFIFACE, 0): Description(
        templates.MTCNN_512, _SIGNED, _SIGNED, IdentityForm.CROSSFACE_NORMED
    ),
    (ModelKind.UNIFACE, 0): Description(
        templates.FFHQ_512, _SIGNED, _SIGNED, IdentityForm.PICTURE, SourcePicture(templates.FFHQ_512, _UNIT)
    ),
    (ModelKind.BLENDSWAP, 0): Description(
        templates.FFHQ_512, _UNIT, _UNIT, IdentityForm.PICTURE, SourcePicture(templates.ARCFACE_112_V2, _UNIT)
    ),
    (ModelKind.ENHANCER, 256): Description(templates.ARCFACE_128, _SIGNED, _SIGNED),
    (ModelKind.ENHANCER, 0): Description(templates.FFHQ_512, _SIGNED, _SIGNED),
}
"""By kind and crop size; size 0 stands for every other one."""

ARCFACE = SourcePicture(templates.ARCFACE_112_V2, _SIGNED)
"""How the recogniser wants a face: InsightFace's ``norm_crop``, values / 127.5 - 1."""
XSEG = _BGR_NHWC
"""How XSeg wants its picture."""


def _row(model: ModelDescription) -> Description | None:
    return _ROWS.get((model.kind, model.size)) or _ROWS.get((model.kind, 0))


def source_of(model: ModelDescription) -> SourcePicture | None:
    """How a swapper of :attr:`IdentityForm.PICTURE` wants the persona's face; None: another model."""
    row = _row(model)
    return None if row is None else row.source


def describe(model: ModelDescription) -> Description:
    """The row of a model, with the number types of its own inputs and outputs.

    Raises:
        EngineError: no engine knows such a model, or it has no picture going in or coming out.
    """
    row = _row(model)
    target, face = model.input(Role.TARGET), model.output(Role.FACE)
    if row is None or target is None or face is None or model.size <= 0:
        raise EngineError(f"a {model.title} model cannot swap or restore faces")
    wanted, source = row.source, model.input(Role.SOURCE_PICTURE)
    if wanted is not None and source is not None:
        wanted = dataclasses.replace(wanted, picture=typed(wanted.picture, source))
    return dataclasses.replace(
        row,
        picture_in=typed(row.picture_in, target),
        picture_out=typed(row.picture_out, face),
        source=wanted,
    )


def typed(picture: TensorFormat, tensor: ModelTensor) -> TensorFormat:
    """The same format in the number type of one of a model's tensors.

    Raises:
        EngineError: the type is not one of a picture's.
    """
    if tensor.dtype == "float64":
        raise EngineError("the model works with double precision, which no face model needs; export it again")
    return dataclasses.replace(picture, dtype=tensor.dtype)
