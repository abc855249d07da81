"""Tells the 256-pixel swappers that take an identity vector apart by their nodes.

SimSwap, Ghost, HifiFace and HyperSwap have the same inputs and mostly the same output, but want other crops
and other vectors. What their published networks do with the identity vector differs:

=========  ======================================================================================
ghost      a transposed convolution of 512 channels and 2x2 makes the first picture of the vector
           (``AADGenerator.up1``, github.com/ai-forever/ghost)
hyperswap  a convolution and a pixel shuffle make it (``PixelShuffleUpSample``,
           github.com/facefusion/facefusion-labs); its second output is a mask
hififace   the vector is joined with 257 numbers of the face's shape, which gives 769
           (``ShapeAwareIdentityExtractor``, github.com/xuehy/HiFiFace-pytorch)
simswap    linear layers of 1024x512 scale its blocks (``ApplyStyle``), and the last convolution is 7x7
           from 64 channels to 3 (github.com/neuralchen/SimSwap)
=========  ======================================================================================

A file without any of these signs is not guessed: its user is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import onnx

from doppel_models.files.kinds import VECTOR_LENGTH, ModelKind

SHAPE_NUMBERS = 257
"""Coefficients of the 3-D face model that HifiFace joins with the identity."""
_PASSING = frozenset(
    {"Reshape", "Unsqueeze", "Squeeze", "Flatten", "Cast", "Identity", "Expand", "Transpose", "Div", "Mul"}
)
"""Operators that hand a vector on; Div and Mul normalise it."""
_LINEAR = frozenset({"Gemm", "MatMul"})
_STYLE = (1024, VECTOR_LENGTH)
_LAST_OF_SIMSWAP = (3, 64, 7, 7)
_MAX_STEPS = 10_000


def vector_swappers(graph: onnx.GraphProto, vector: str) -> tuple[ModelKind, ...]:
    """The kinds whose sign a network carries.

    Args:
        graph: the network.
        vector: name of its identity input.
    """
    shapes = _weight_shapes(graph)
    users: dict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            users[name].append(node)
    first = list(_first_steps(users, vector))
    weights = {shape for node in first for name in node.input if (shape := shapes.get(name)) is not None}
    found = []
    if any(node.op_type == "ConvTranspose" for node in first) and any(
        len(shape) == 4 and shape[0] == VECTOR_LENGTH and shape[2:] == (2, 2) for shape in weights
    ):
        found.append(ModelKind.GHOST)
    if any(
        node.op_type == "Conv" and any(user.op_type == "DepthToSpace" for user in users[node.output[0]])
        for node in first
        if node.output
    ):
        found.append(ModelKind.HYPERSWAP)
    if any(node.op_type == "Concat" for node in first) and any(
        VECTOR_LENGTH + SHAPE_NUMBERS in shapes.get(name, ())
        for node in graph.node
        if node.op_type in _LINEAR
        for name in node.input
    ):
        found.append(ModelKind.HIFIFACE)
    has_style = any(
        node.op_type in _LINEAR and any(shapes.get(name) in (_STYLE, _STYLE[::-1]) for name in node.input)
        for node in first
    )
    if has_style and any(
        node.op_type == "Conv" and any(shapes.get(name) == _LAST_OF_SIMSWAP for name in node.input)
        for node in graph.node
    ):
        found.append(ModelKind.SIMSWAP)
    return tuple(found)


def unused_weights(graph: onnx.GraphProto, shape: tuple[int, ...]) -> list[str]:
    """Names of the weights of a shape that no node uses: tables for whoever runs the network."""
    used = {name for node in graph.node for name in node.input} | {value.name for value in graph.output}
    return [t.name for t in graph.initializer if tuple(t.dims) == shape and t.name not in used]


def _weight_shapes(graph: onnx.GraphProto) -> dict[str, tuple[int, ...]]:
    """Shapes of all weights; a weight that is cast (float16 files) counts under its new name as well."""
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for node in graph.node:
        if not node.output:
            continue
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    shapes[node.output[0]] = tuple(attribute.t.dims)
        elif node.op_type in ("Cast", "Identity") and node.input and node.input[0] in shapes:
            shapes[node.output[0]] = shapes[node.input[0]]
    return shapes


def _first_steps(users: dict[str, list[onnx.NodeProto]], vector: str) -> Iterator[onnx.NodeProto]:
    """The nodes that first do something to a vector, behind those that only hand it on."""
    seen = {vector}
    waiting = [vector]
    for _ in range(_MAX_STEPS):
        if not waiting:
            return
        for node in users[waiting.pop()]:
            if node.op_type not in _PASSING:
                yield node
                continue
            fresh = [name for name in node.output if name not in seen]
            seen.update(fresh)
            waiting += fresh
