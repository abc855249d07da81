"""Writes small ONNX graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[int | str | None]
FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16


class Graph:
    """A graph that grows node by node; every method returns the name of a value."""

    def __init__(self, *, half: bool = False) -> None:
        """``half``: constants are float16, and pictures and vectors are cast to it inside."""
        self.half = half
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, shape: Shape, elem: int = FLOAT) -> str:
        self._inputs.append(helper.make_tensor_value_info(name, elem, shape))
        wanted = HALF if self.half else FLOAT
        return name if elem == wanted else self.op("Cast", name, to=wanted)

    def input_double(self, name: str) -> str:
        """A scalar of double precision, as CodeFormer's weight."""
        self._inputs.append(helper.make_tensor_value_info(name, TensorProto.DOUBLE, (1,)))
        return name

    def output(self, value: str, name: str, shape: Shape, elem: int = FLOAT) -> None:
        op = "Identity" if elem == (HALF if self.half else FLOAT) else "Cast"
        attributes = {} if op == "Identity" else {"to": elem}
        self._nodes.append(helper.make_node(op, [value], [name], **attributes))
        self._outputs.append(helper.make_tensor_value_info(name, elem, shape))

    def constant(self, value: npt.ArrayLike, name: str = "", dtype: npt.DTypeLike = None) -> str:
        name = name or f"c{len(self._constants)}"
        wanted = dtype or (np.float16 if self.half else np.float32)
        self._constants.append(numpy_helper.from_array(np.asarray(value, wanted), name))
        return name

    def numbers(self, *values: int) -> str:
        return self.constant(values, dtype=np.int64)

    def op(self, operator: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        names = [f"v{len(self._nodes)}_{k}" for k in range(outputs)]
        self._nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        return names[0]

    def append(self, nodes: Sequence[onnx.NodeProto], weights: Sequence[onnx.TensorProto]) -> None:
        """Nodes and weights with names of their own."""
        self._nodes += nodes
        self._constants += weights

    def add(self, a: str, b: str | npt.ArrayLike) -> str:
        return self.op("Add", a, b if isinstance(b, str) else self.constant(b))

    def mul(self, a: str, b: str | npt.ArrayLike) -> str:
        return self.op("Mul", a, b if isinstance(b, str) else self.constant(b))

    def matmul(self, a: str, b: str | npt.ArrayLike) -> str:
        return self.op("MatMul", a, b if isinstance(b, str) else self.constant(b))

    def reshape(self, a: str, *shape: int) -> str:
        return self.op("Reshape", a, self.numbers(*shape))

    def nothing_of(self, value: str) -> str:
        """A number that is 0 but depends on a value, so that nothing can be left out."""
        flat = self.op("Flatten", value, axis=0)
        total = self.op("ReduceMean", flat, axes=[0, 1], keepdims=0)
        return self.op("Sub", total, self.op("Identity", total))

    def bytes(self, opset: int = 11) -> bytes:
        graph = helper.make_graph(
            self._nodes, "probe", self._inputs, self._outputs, initializer=self._constants
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)
        onnx.checker.check_model(model)
        data: bytes = model.SerializeToString()
        return data
