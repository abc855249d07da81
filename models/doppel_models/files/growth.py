"""Refuses steps that make far more of their inputs than any model of a face does.

A few bytes can ask for terabytes (``Resize`` by 1000, ``ConstantOfShape`` of a huge shape), and ONNX Runtime
works some of that out while it loads a model, where nothing can stop it. So the shapes between the steps are
worked out here first, by the ``onnx`` package, on a copy without the large weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import onnx
import onnx.numpy_helper
import onnx.shape_inference

from doppel_models.errors import ModelFileError

MAX_MADE = 1 << 26
"""Values of one tensor that a model makes of written numbers alone: 256 MiB as float32."""
MAX_VALUES = 1 << 29
"""Values of one tensor between two steps; GPEN at 2048 pixels has 2**27."""
_SMALL = 1024
_VALUES_SINCE = 13
"""The operators' version from which on the ``onnx`` package follows sizes that other steps work out."""
_SIZED_BY_A_VALUE = frozenset({"ConstantOfShape", "Expand", "Range", "Tile"})
"""Operators whose output can be huge though all inputs are tiny."""


def check_growth(model: onnx.ModelProto) -> None:
    """Refuse a model whose steps make huge tensors.

    Shapes that cannot be worked out are passed over: they depend on inputs, whose sizes are bounded.

    Raises:
        ModelFileError: with the step or the tensor.
    """
    _check_made(model.graph)
    skeleton = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    graph = skeleton.graph
    graph.node.extend(model.graph.node)
    graph.input.extend(_of_one_picture(model.graph.input))
    graph.output.extend(_of_one_picture(model.graph.output))
    listed = {value.name for value in graph.input}
    for tensor in model.graph.initializer:
        if math.prod(tensor.dims) <= _SMALL:
            graph.initializer.append(tensor)
        elif tensor.name not in listed:
            # Its shape is enough.
            graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    _check_shapes(skeleton)
    if any(item.domain in ("", "ai.onnx") and item.version < _VALUES_SINCE for item in skeleton.opset_import):
        for item in skeleton.opset_import:
            item.version = max(item.version, _VALUES_SINCE)
        # A step whose meaning has changed since is passed over.
        _check_shapes(skeleton)


def _check_shapes(skeleton: onnx.ModelProto) -> None:
    try:
        inferred = onnx.shape_inference.infer_shapes(skeleton, data_prop=True)
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError, MemoryError):
        # ONNX Runtime will say better what is wrong with it.
        return
    for value in inferred.graph.value_info:
        dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        if math.prod(size for size in dims if size > 0) > MAX_VALUES:
            raise ModelFileError(
                f"between its steps it makes {value.name[:40]!r} of shape {str(dims)[:80]}, which is too much"
                " for a picture of a face; that is refused"
            )


def inner_graphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """The graphs within a step."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _of_one_picture(values: Iterable[onnx.ValueInfoProto]) -> Iterator[onnx.ValueInfoProto]:
    """Inputs or outputs with a free first dimension as 1, which Doppel always feeds."""
    for value in values:
        copy = onnx.ValueInfoProto()
        copy.CopyFrom(value)
        dims = copy.type.tensor_type.shape.dim
        if dims and dims[0].dim_value <= 0:
            dims[0].dim_value = 1
        yield copy


def _check_made(graph: onnx.GraphProto) -> None:
    written = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.output:
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    written[node.output[0]] = attribute.t
        elif node.op_type in _SIZED_BY_A_VALUE:
            numbers: list[int] = []
            for name in node.input:
                tensor = written.get(name)
                if tensor is not None and tensor.data_type == onnx.TensorProto.INT64 and len(tensor.dims) < 2:
                    numbers += [abs(int(v)) for v in onnx.numpy_helper.to_array(tensor).reshape(-1)[:16]]
            if math.prod(n for n in numbers if n > 1) > MAX_MADE:
                raise ModelFileError(
                    f"its step {node.op_type} makes more than {MAX_MADE:,} values; that is refused"
                )
        for inner in inner_graphs(node):
            _check_made(inner)
