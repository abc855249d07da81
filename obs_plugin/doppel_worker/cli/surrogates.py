"""Networks of the true architecture and cost of real ones, with random weights, made when they are needed.

A speed can be measured with them where no model may be shipped. What they draw means nothing.

- ``inswapper``: InsightFace's inswapper_128 from its published graph: 3 -> 128 -> 256 -> 512 -> 1024
  channels, six residual blocks of two 3x3 convolutions at 32x32 whose normalised features are scaled and
  shifted by the identity vector, and back. 175 billion multiplications, 138 million weights.
- ``dfm``: a model as DeepFaceLab's SAEHD exports it, of 224 pixels, encoder and decoder of 80 dimensions,
  inner width 320, with mask decoders of 22.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_OPSET = 13


class _Net:
    """A graph that grows node by node, and counts its multiplications. Tensors are (1, channels, n, n)."""

    def __init__(self, seed: int) -> None:
        self._some = np.random.default_rng(seed).standard_normal(65521, np.float32)
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self.multiplications = 0

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"v{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, value: object, dtype: type[np.generic] = np.float32, name: str = "") -> str:
        name = name or f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def random(self, *shape: int, scale: float) -> str:
        # The same few numbers over and over: drawing 138 million takes longer than running them.
        return self.constant(np.resize(self._some * np.float32(scale), shape))

    def conv(self, x: str, taken: int, given: int, kernel: int, size: int, stride: int = 1) -> str:
        """``size``: of the result, pixels. Padding is the caller's where ``kernel`` // 2 is not wanted."""
        self.multiplications += size * size * taken * given * kernel * kernel
        weight = self.random(given, taken, kernel, kernel, scale=(2 / (taken * kernel * kernel)) ** 0.5)
        bias = self.constant(np.zeros(given))
        pads = [kernel // 2] * 4
        return self.node("Conv", x, weight, bias, strides=[stride, stride], pads=pads)

    def dense(self, x: str, taken: int, given: int, bias: float = 0.0) -> str:
        self.multiplications += taken * given
        weight = self.random(taken, given, scale=taken**-0.5)
        return self.node("Gemm", x, weight, self.constant(np.full(given, bias)))

    def leaky(self, x: str) -> str:
        return self.node("LeakyRelu", x, alpha=0.2)

    def model(
        self, inputs: Sequence[tuple[str, Sequence[int]]], outputs: Sequence[tuple[str, str, Sequence[int]]]
    ) -> bytes:
        """Outputs: value, name, shape."""
        for value, name, _ in outputs:
            self._nodes.append(helper.make_node("Identity", [value], [name]))
        graph = helper.make_graph(
            self._nodes,
            "surrogate",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for _, name, shape in outputs],
            self._weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
        return bytes(model.SerializeToString())


def inswapper(width: float = 1.0, seed: int = 0) -> tuple[bytes, int]:
    """A file like inswapper_128's, and its multiplications.

    Args:
        width: share of the channels; 1 is the true cost.
        seed: of the weights.
    """
    net = _Net(seed)
    c1, c2, c3, c4 = (max(4, round(count * width)) for count in (128, 256, 512, 1024))
    x = net.leaky(net.conv("target", 3, c1, 7, 128))
    x = net.leaky(net.conv(x, c1, c2, 3, 128))
    x = net.leaky(net.conv(x, c2, c3, 3, 64, stride=2))
    x = net.leaky(net.conv(x, c3, c4, 3, 32, stride=2))
    for _ in range(6):
        x = net.node("Add", x, _styled(net, net.node("Relu", _styled(net, x, c4)), c4))
    twice = net.constant([1, 1, 2, 2])
    for taken, given, size in ((c4, c3, 64), (c3, c2, 128)):
        x = net.node("Resize", x, "", twice, mode="linear")
        x = net.leaky(net.conv(x, taken, given, 3, size))
    x = net.leaky(net.conv(x, c2, c1, 3, 128))
    x = net.node("Tanh", net.conv(x, c1, 3, 7, 128))
    x = net.node("Mul", net.node("Add", x, net.constant(1.0)), net.constant(0.5))
    rotation = np.linalg.qr(np.random.default_rng(seed).standard_normal((512, 512)))[0]
    net.constant(rotation, name="buff2fs")
    picture = (1, 3, 128, 128)
    data = net.model([("target", picture), ("source", (1, 512))], [(x, "output", picture)])
    return data, net.multiplications


def _styled(net: _Net, x: str, channels: int) -> str:
    """A convolution whose normalised result is scaled and shifted by the identity."""
    x = net.conv(x, channels, channels, 3, 32)
    axes = [2, 3]
    centred = net.node("Sub", x, net.node("ReduceMean", x, axes=axes, keepdims=1))
    square = net.node("ReduceMean", net.node("Mul", centred, centred), axes=axes, keepdims=1)
    spread = net.node("Sqrt", net.node("Add", square, net.constant(1e-5)))
    x = net.node("Div", centred, spread)
    shape = net.constant([1, channels, 1, 1], np.int64)
    scale = net.node("Reshape", net.dense("source", 512, channels, bias=1.0), shape)
    shift = net.node("Reshape", net.dense("source", 512, channels), shape)
    return net.node("Add", net.node("Mul", x, scale), shift)


def dfm(width: float = 1.0, seed: int = 0) -> tuple[bytes, int]:
    """A file like a trained ``.dfm`` of 224 pixels, and its multiplications; see :func:`inswapper`."""
    net = _Net(seed)
    base, inner, mask = (max(4, round(count * width)) for count in (80, 320, 22))
    x = net.node("Transpose", "in_face:0", perm=[0, 3, 1, 2])
    taken = 3
    for factor, size in ((1, 112), (2, 56), (4, 28), (8, 14)):
        x = net.leaky(net.conv(x, taken, base * factor, 5, size, stride=2))
        taken = base * factor
    x = net.dense(net.node("Flatten", x), 14 * 14 * taken, inner)
    x = net.node("Reshape", net.dense(x, inner, 7 * 7 * inner), net.constant([1, inner, 7, 7], np.int64))
    x = _doubled(net, x, inner, inner, 7)
    face = _decoder(net, x, inner, (8 * base, 4 * base, 2 * base), 3, residual=True)
    masks = [_decoder(net, x, inner, (8 * mask, 4 * mask, 2 * mask), 1, residual=False) for _ in range(2)]
    picture, one = (1, 224, 224, 3), (1, 224, 224, 1)
    data = net.model(
        [("in_face:0", picture)],
        [
            (masks[0], "out_face_mask:0", one),
            (face, "out_celeb_face:0", picture),
            (masks[1], "out_celeb_face_mask:0", one),
        ],
    )
    return data, net.multiplications


def _doubled(net: _Net, x: str, taken: int, given: int, size: int) -> str:
    """DeepFaceLab's upscale: four times the channels, laid out as twice the size."""
    x = net.leaky(net.conv(x, taken, 4 * given, 3, size))
    return net.node("DepthToSpace", x, blocksize=2)


def _decoder(net: _Net, x: str, taken: int, widths: Sequence[int], channels: int, *, residual: bool) -> str:
    """From 14 pixels to (1, 224, 224, channels), 0..1."""
    size = 14
    for given in widths:
        x = _doubled(net, x, taken, given, size)
        size, taken = 2 * size, given
        if residual:
            inside = net.conv(net.leaky(net.conv(x, given, given, 3, size)), given, given, 3, size)
            x = net.leaky(net.node("Add", x, inside))
    x = net.node("DepthToSpace", net.conv(x, taken, 4 * channels, 3, size), blocksize=2)
    return net.node("Transpose", net.node("Sigmoid", x), perm=[0, 2, 3, 1])


SURROGATES = {"inswapper": inswapper, "dfm": dfm}
