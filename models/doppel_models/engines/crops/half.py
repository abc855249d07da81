"""A float16 model as float32: the same weights, without float16's small range and coarse steps."""

from __future__ import annotations

import dataclasses

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from doppel_models.errors import EngineError
from doppel_models.files.kinds import ModelDescription, ModelTensor


def as_float32(data: bytes, model: ModelDescription) -> tuple[bytes, ModelDescription]:
    """A checked file with every float16 weight, value and conversion in float32, and its description.

    Raises:
        EngineError: the result is too large for one file.
    """
    copy = onnx.ModelProto()
    copy.ParseFromString(data)
    _convert(copy.graph)
    try:
        wide = bytes(copy.SerializeToString())
    except ValueError as error:
        raise EngineError("the model is too large to be run in float32") from error
    description = dataclasses.replace(
        model,
        weights="float32",
        inputs=tuple(_single(tensor) for tensor in model.inputs),
        outputs=tuple(_single(tensor) for tensor in model.outputs),
    )
    return wide, description


def _single(tensor: ModelTensor) -> ModelTensor:
    return dataclasses.replace(tensor, dtype="float32") if tensor.dtype == "float16" else tensor


def _convert(graph: onnx.GraphProto) -> None:
    for tensor in graph.initializer:
        _widen(tensor)
    for value in (*graph.input, *graph.output, *graph.value_info):
        kind = value.type.tensor_type
        if kind.elem_type == TensorProto.FLOAT16:
            kind.elem_type = TensorProto.FLOAT
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                _widen(attribute.t)
            for tensor in attribute.tensors:
                _widen(tensor)
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT16:
                attribute.i = TensorProto.FLOAT
            for inner in (*((attribute.g,) if attribute.HasField("g") else ()), *attribute.graphs):
                _convert(inner)


def _widen(tensor: onnx.TensorProto) -> None:
    if tensor.data_type == TensorProto.FLOAT16:
        tensor.CopyFrom(
            numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name)
        )
