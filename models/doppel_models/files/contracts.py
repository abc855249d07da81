"""The contracts of the families of models: what their files have in common, whatever their names.

Each function knows one contract. It returns what the file can be (one description; several where the contents
leave a choice) or nothing, and raises where the file is surely of its kind but cannot be used.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Sequence

from doppel_models.errors import ModelFileError
from doppel_models.files import ports
from doppel_models.files.kinds import VECTOR_LENGTH, Dtype, ModelDescription, ModelKind, ModelTensor, Role
from doppel_models.files.onnx_file import OnnxFile
from doppel_models.files.ports import Port, Ports
from doppel_models.files.signatures import unused_weights, vector_swappers

EMAP = "buff2fs"
"""What inswapper's initializer with the map of identities is called in the original file."""
ARCFACE_SIZE = 112
ENHANCER_SIZES = (256, 512, 1024, 2048)
_EMAP_SHAPE = (VECTOR_LENGTH, VECTOR_LENGTH)
_DFM_SIZES = range(64, 1025)
# In DeepFaceLab's order, which counts where a re-export has renamed them.
_DFM_OUTPUTS = {
    "out_face_mask": Role.TARGET_MASK,
    "out_celeb_face": Role.FACE,
    "out_celeb_face_mask": Role.FACE_MASK,
}
# Convolutions of the residual networks that recognise faces: insightface's iresnet50 and iresnet100.
_ARCFACE_NETS = {53: "r50", 103: "r100"}
_GHOST_OUTPUTS = {"781": "1", "1165": "2", "1549": "3"}
"""Names of the output in the original exports of Ghost's three networks."""
_CROSSFACE_FOR = (ModelKind.SIMSWAP, ModelKind.GHOST, ModelKind.HIFIFACE)


def _as_dfm(file: OnnxFile, found: Ports) -> tuple[ModelDescription, ...]:
    pictures = [port for port in found.inputs if port.channels_last == 3]
    others = [port for port in found.inputs if port not in pictures]
    if len(pictures) != 1 or len(found.outputs) != 3 or len(others) > 1:
        return ()
    roles = [_DFM_OUTPUTS.get(port.name.partition(":")[0]) for port in found.outputs]
    named = len(set(roles) - {None}) == 3 and all(port.rank == 4 for port in found.outputs)
    if not named and [port.channels_last for port in found.outputs] != [1, 3, 1]:
        return ()
    if others and not others[0].is_number:
        return ()
    size = ports.square(pictures[0], *found.outputs)
    if size not in _DFM_SIZES:
        raise ModelFileError(
            f"it is a DeepFaceLab model for pictures of {size or 'unknown'} pixels; 64 to 1024 can be used"
        )
    inputs = {pictures[0].name: Role.TARGET, **{port.name: Role.MORPH for port in others}}
    outputs = [role for role in roles if role] if named else list(_DFM_OUTPUTS.values())
    return (
        _describe(file, found, ModelKind.DFM, "amp" if others else "", size, inputs, outputs, layout="nhwc"),
    )


def _as_xseg(file: OnnxFile, found: Ports) -> tuple[ModelDescription, ...]:
    if len(found.inputs) != 1 or len(found.outputs) != 1:
        return ()
    if found.inputs[0].channels_last != 3 or found.outputs[0].channels_last != 1:
        return ()
    size = ports.square(found.inputs[0], found.outputs[0])
    if size not in _DFM_SIZES:
        raise ModelFileError(f"it is an XSeg network, but for pictures of {size or 'unknown'} pixels")
    inputs = {found.inputs[0].name: Role.TARGET}
    return (_describe(file, found, ModelKind.XSEG, "", size, inputs, (Role.FACE_MASK,), layout="nhwc"),)


def _as_vector_swapper(file: OnnxFile, found: Ports) -> tuple[ModelDescription, ...]:
    pictures = [port for port in found.inputs if port.channels_first == 3]
    vectors = [port for port in found.inputs if port.is_vector]
    if len(found.inputs) != 2 or len(pictures) != 1 or len(vectors) != 1:
        return ()
    faces = [port for port in found.outputs if port.channels_first in (3, None) and port.rank == 4]
    if not faces:
        return ()
    face, graph = faces[0], file.model.graph
    masks = [port for port in found.outputs if port is not face and port.channels_first == 1]
    emap = _emap(file)
    size = ports.square(pictures[0], face) or (128 if emap else 0)
    if not size:
        raise ModelFileError(
            "it is a one-photo swapper that does not say its picture's size; take an export of fixed size"
        )
    inputs = {pictures[0].name: Role.TARGET, vectors[0].name: Role.SOURCE_VECTOR}
    outputs = tuple(
        Role.FACE if port is face else Role.FACE_MASK if masks and port is masks[0] else Role.OTHER
        for port in found.outputs
    )

    def make(kind: ModelKind, variant: str, *notes: str, emap: str | None = None) -> ModelDescription:
        made = _describe(file, found, kind, variant, size, inputs, outputs, notes=notes)
        return dataclasses.replace(made, emap=emap)

    if size == 128:
        if emap is None:
            raise ModelFileError(
                f"it is inswapper without its map of identities (initializer {EMAP!r}, 512x512), which a tool"
                " has taken out; take the original file"
            )
        return (make(ModelKind.INSWAPPER, "128", emap=emap),)
    if size == 512:
        return (make(ModelKind.SIMSWAP, "512"),)
    if size != 256:
        raise ModelFileError(
            f"it is a one-photo swapper for pictures of {size} pixels; known are those of 128, 256 and 512"
        )
    kinds = vector_swappers(graph, vectors[0].name)
    ghost = _GHOST_OUTPUTS.get(face.name, "")
    if ghost and not kinds:
        kinds = (ModelKind.GHOST,)
    if masks and not kinds:
        kinds = (ModelKind.HYPERSWAP,)
    if len(kinds) == 1:
        variant = ghost if kinds[0] == ModelKind.GHOST else ""
        return (make(kinds[0], f"{variant} 256".strip()),)
    choice = kinds or (ModelKind.SIMSWAP, ModelKind.GHOST, ModelKind.HIFIFACE, ModelKind.HYPERSWAP)
    note = "which swapper it is was said by the user: its contents leave it open"
    return tuple(make(kind, "256", note) for kind in choice)


def _as_picture_swapper(file: OnnxFile, found: Ports) -> tuple[ModelDescription, ...]:
    if len(found.inputs) != 2 or any(port.channels_first != 3 for port in found.inputs):
        return ()
    if not found.outputs or found.outputs[0].channels_first not in (3, None) or found.outputs[0].rank != 4:
        return ()
    sizes = [ports.square(port) for port in found.inputs]
    outputs = (Role.FACE, *(Role.OTHER for _ in found.outputs[1:]))
    if sorted(sizes) == [ARCFACE_SIZE, 256]:
        source, target = sorted(found.inputs, key=ports.square)
        inputs = {target.name: Role.TARGET, source.name: Role.SOURCE_PICTURE}
        made = _describe(file, found, ModelKind.BLENDSWAP, "256", 256, inputs, outputs)
        return (dataclasses.replace(made, source_size=ARCFACE_SIZE),)
    if sizes == [256, 256]:
        names = {port.name.lower(): port.name for port in found.inputs}
        if set(names) != {"source", "target"}:
            shown = ", ".join(port.name[:40] for port in found.inputs)
            raise ModelFileError(
                f"it is a swapper of two pictures of 256 pixels (uniface), but its inputs ({shown}) do not"
                " say which is the source and which the target; take an export that names them so"
            )
        inputs = {names["target"]: Role.TARGET, names["source"]: Role.SOURCE_PICTURE}
        made = _describe(file, found, ModelKind.UNIFACE, "256", 256, inputs, outputs)
        return (dataclasses.replace(made, source_size=256),)
    return ()


def _as_arcface(file: OnnxFile, found: Ports) -> tuple[ModelDescription, ...]:
    if len(found.inputs) != 1 or found.inputs[0].channels_first != 3 or len(found.outputs) != 1:
        return ()
    if not found.outputs[0].is_vector or ports.square(found.inputs[0]) not in (0, ARCFACE_SIZE):
        return ()
    operators = Counter(node.op_type for node in file.model.graph.node)
    variant = _ARCFACE_NETS.get(operators["Conv"], "")
    note = (
        "swappers expect the identities of w600k_r50; another recogniser of the same shape gives another face"
    )
    inputs = {found.inputs[0].name: Role.TARGET}
    return (
        _describe(
            file, found, ModelKind.ARCFACE, variant, ARCFACE_SIZE, inputs, (Role.VECTOR,), notes=(note,)
        ),
    )


def _as_crossface(file: OnnxFile, found: Ports) -> tuple[ModelDescription, ...]:
    if len(found.inputs) != 1 or len(found.outputs) != 1:
        return ()
    if not found.inputs[0].is_vector or not found.outputs[0].is_vector:
        return ()
    inputs = {found.inputs[0].name: Role.VECTOR}
    note = "for which swapper it is was said by the user: all crossface networks look alike"
    return tuple(
        _describe(file, found, ModelKind.CROSSFACE, kind, 0, inputs, (Role.VECTOR,), notes=(note,))
        for kind in _CROSSFACE_FOR
    )


def _as_enhancer(file: OnnxFile, found: Ports) -> tuple[ModelDescription, ...]:
    pictures = [port for port in found.inputs if port.channels_first == 3]
    others = [port for port in found.inputs if port not in pictures]
    if len(pictures) != 1 or len(others) > 1 or (others and not others[0].is_number):
        return ()
    if not found.outputs or found.outputs[0].channels_first != 3:
        return ()
    size = ports.square(pictures[0], found.outputs[0])
    if size not in ENHANCER_SIZES or ports.square(found.outputs[0]) not in (0, size):
        return ()
    if others:
        variant = "codeformer"
    elif size == 512:
        variant = "gfpgan, gpen or restoreformer"
    else:
        variant = f"gpen {size}"
    note = "any network from a picture to one of the same size looks like this; try it before you use it live"
    inputs = {pictures[0].name: Role.TARGET, **{port.name: Role.WEIGHT for port in others}}
    outputs = (Role.FACE, *(Role.OTHER for _ in found.outputs[1:]))
    return (_describe(file, found, ModelKind.ENHANCER, variant, size, inputs, outputs, notes=(note,)),)


CONTRACTS: tuple[Callable[[OnnxFile, Ports], tuple[ModelDescription, ...]], ...] = (
    _as_dfm,
    _as_xseg,
    _as_vector_swapper,
    _as_picture_swapper,
    _as_arcface,
    _as_crossface,
    _as_enhancer,
)
"""In the order in which they are tried; no file satisfies two."""


def _emap(file: OnnxFile) -> str | None:
    """Name of inswapper's map of identities: by its name, else the one table of its shape."""
    graph = file.model.graph
    if any(tensor.name == EMAP and tuple(tensor.dims) == _EMAP_SHAPE for tensor in graph.initializer):
        return EMAP
    unused = unused_weights(graph, _EMAP_SHAPE)
    if not unused:
        unused = [tensor.name for tensor in graph.initializer if tuple(tensor.dims) == _EMAP_SHAPE]
    return unused[0] if len(unused) == 1 else None


def _describe(
    file: OnnxFile,
    found: Ports,
    kind: ModelKind,
    variant: str,
    size: int,
    inputs: dict[str, Role],
    outputs: Sequence[Role],
    *,
    layout: str = "nchw",
    notes: tuple[str, ...] = (),
) -> ModelDescription:
    return ModelDescription(
        kind=kind,
        variant=str(variant),
        size=size,
        layout="nhwc" if layout == "nhwc" else "nchw",
        weights=_weights(file),
        inputs=tuple(_tensor(port, inputs[port.name]) for port in found.inputs),
        outputs=tuple(_tensor(port, role) for port, role in zip(found.outputs, outputs, strict=True)),
        opset=file.opset,
        notes=notes,
    )


def _tensor(port: Port, role: Role) -> ModelTensor:
    if port.dtype is None:
        raise ModelFileError(f"its {port} is not of floating-point numbers, which Doppel needs")
    return ModelTensor(role, port.name, port.shape, port.dtype)


def _weights(file: OnnxFile) -> Dtype:
    """The type that most of the weights' numbers have."""
    counts: Counter[Dtype] = Counter()
    for tensor in file.model.graph.initializer:
        dtype = ports.DTYPES.get(tensor.data_type)
        if dtype is not None:
            counts[dtype] += math.prod(tensor.dims)
    return counts.most_common(1)[0][0] if counts else "float32"
