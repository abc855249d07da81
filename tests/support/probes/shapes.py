"""Tiny ONNX files with the exact inputs, outputs and signs of every kind of model, and constant outputs.

Sources: the published networks and exporters named in ``doppel_models.files.signatures``, DeepFaceLab's
``export_dfm`` and insightface's model zoo. Only shapes matter here; probes that compute something known
take :func:`sign_nodes`, so that they are recognised like the real files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Value = tuple[str, Sequence[int | str | None], int]
"""Name, shape (a text or None for a free dimension), element type."""
Nodes = list[onnx.NodeProto]
Weights = list[onnx.TensorProto]

FLOAT, HALF, DOUBLE = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE


def model(
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    nodes: Nodes | None = None,
    weights: Weights | None = None,
    *,
    opset: int = 12,
) -> onnx.ModelProto:
    """A model; outputs that no node makes become 0.5 everywhere (free dimensions: 1)."""
    nodes, weights = list(nodes or []), list(weights or [])
    made = {name for node in nodes for name in node.output}
    for index, (name, shape, kind) in enumerate(outputs):
        if name in made:
            continue
        sizes = np.array([size if isinstance(size, int) else 1 for size in shape], np.int64)
        weights.append(numpy_helper.from_array(sizes, f"made_shape_{index}"))
        value = helper.make_tensor("value", kind, [1], [0.5])
        nodes.append(helper.make_node("ConstantOfShape", [f"made_shape_{index}"], [name], value=value))
    graph = helper.make_graph(
        nodes,
        "shapes",
        [helper.make_tensor_value_info(name, kind, shape) for name, shape, kind in inputs],
        [helper.make_tensor_value_info(name, kind, shape) for name, shape, kind in outputs],
        initializer=weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)


def weight(name: str, *shape: int, dtype: type[np.floating] = np.float32) -> onnx.TensorProto:
    """A weight that is 0.01 everywhere."""
    return numpy_helper.from_array(np.full(shape, 0.01, dtype), name)


def sign_nodes(
    kind: str, vector: str = "source", *, dtype: type[np.floating] = np.float32
) -> tuple[Nodes, Weights]:
    """Nodes, used for nothing, by which a 256-pixel swapper with a vector input is recognised."""
    node = helper.make_node
    square = numpy_helper.from_array(np.array([1, 512, 1, 1], np.int64), "sign_square")
    if kind == "ghost":
        nodes = [
            node("Reshape", [vector, "sign_square"], ["sign_a"]),
            node("ConvTranspose", ["sign_a", "generator.up1.weight"], ["sign_b"]),
        ]
        return nodes, [square, weight("generator.up1.weight", 512, 8, 2, 2, dtype=dtype)]
    if kind == "hyperswap":
        nodes = [
            node("Reshape", [vector, "sign_square"], ["sign_a"]),
            node("Conv", ["sign_a", "sign_w"], ["sign_b"], pads=[1, 1, 1, 1]),
            node("DepthToSpace", ["sign_b"], ["sign_c"], blocksize=2, mode="CRD"),
        ]
        return nodes, [square, weight("sign_w", 16, 512, 3, 3, dtype=dtype)]
    if kind == "hififace":
        nodes = [
            node("Concat", [vector, "sign_shape_numbers"], ["sign_a"], axis=1),
            node("Gemm", ["sign_a", "sign_w"], ["sign_b"], transB=1),
        ]
        return nodes, [
            weight("sign_shape_numbers", 1, 257, dtype=dtype),
            weight("sign_w", 8, 769, dtype=dtype),
        ]
    if kind == "simswap":
        nodes = [
            node("Gemm", [vector, "sign_w"], ["sign_a"], transB=1),
            node("Conv", ["sign_picture", "sign_last"], ["sign_b"]),
        ]
        weights = [
            weight("sign_w", 1024, 512, dtype=dtype),
            weight("sign_picture", 1, 64, 7, 7, dtype=dtype),
            weight("sign_last", 3, 64, 7, 7, dtype=dtype),
        ]
        return nodes, weights
    raise ValueError(kind)


def dfm(size: int = 64, *, amp: bool = False, kind: int = FLOAT, named: bool = True) -> onnx.ModelProto:
    """DeepFaceLab's export; ``named``: with its own names of inputs and outputs."""
    names = ["in_face:0", "morph_value:0", "out_face_mask:0", "out_celeb_face:0", "out_celeb_face_mask:0"]
    if not named:
        names = ["x", "m", "y0", "y1", "y2"]
    picture: list[Value] = [(names[0], ["unk__1", size, size, 3], kind)]
    morph: list[Value] = [(names[1], [1], kind)] if amp else []
    outputs = [
        (name, ["unk__2", size, size, channels], kind)
        for name, channels in zip(names[2:], (1, 3, 1), strict=True)
    ]
    return model(picture + morph, outputs)


def inswapper(*, emap: str | None = "buff2fs", half: bool = False, half_io: bool = False) -> onnx.ModelProto:
    """insightface's inswapper_128; ``emap`` None leaves its map of identities out."""
    dtype, kind = (np.float16 if half else np.float32), (HALF if half_io else FLOAT)
    weights = [weight("style.weight", 2048, 512, dtype=dtype)]
    if emap:
        table = np.eye(512, dtype=dtype) * dtype(2)
        weights.insert(0, numpy_helper.from_array(table, emap))
    nodes = [
        helper.make_node("Cast", ["source"], ["latent"], to=HALF if half else FLOAT),
        helper.make_node("Gemm", ["latent", "style.weight"], ["style"], transB=1),
    ]
    return model(
        [("target", [1, 3, 128, 128], kind), ("source", [1, 512], kind)],
        [("output", [1, 3, 128, 128], kind)],
        nodes,
        weights,
        opset=11,
    )


def vector_swapper(
    sign: str | None,
    size: int = 256,
    *,
    target: str = "target",
    source: str = "source",
    outputs: Sequence[str] = ("output",),
    mask: bool = False,
) -> onnx.ModelProto:
    """A swapper with an identity vector; ``sign`` is the kind whose nodes it has."""
    nodes, weights = sign_nodes(sign, source) if sign else ([], [])
    faces: list[Value] = [(name, [1, 3, size, size], FLOAT) for name in outputs]
    if mask:
        faces.append(("mask", [1, 1, size, size], FLOAT))
    inputs: list[Value] = [(target, [1, 3, size, size], FLOAT), (source, [1, 512], FLOAT)]
    # HyperSwap's exporter names the source first.
    return model(inputs[::-1] if sign == "hyperswap" else inputs, faces, nodes, weights, opset=15)


def picture_swapper(source: int, names: tuple[str, str] = ("source", "target")) -> onnx.ModelProto:
    """BlendSwap (source 112) or UniFace (source 256)."""
    inputs: list[Value] = [(names[0], [1, 3, source, source], FLOAT), (names[1], [1, 3, 256, 256], FLOAT)]
    return model(inputs, [("output", [1, 3, 256, 256], FLOAT)])


def arcface(convolutions: int = 0) -> onnx.ModelProto:
    """insightface's w600k_r50 (``input.1``, ``683``); with 53 convolutions it counts as r50."""
    nodes = [helper.make_node("Conv", ["image", "w"], [f"c{index}"]) for index in range(convolutions)]
    weights = [weight("image", 1, 3, 1, 1), weight("w", 1, 3, 1, 1)] if convolutions else []
    return model([("input.1", ["None", 3, 112, 112], FLOAT)], [("683", [1, 512], FLOAT)], nodes, weights)


def crossface() -> onnx.ModelProto:
    """A converter of identity vectors."""
    return model([("input", [1, 512], FLOAT)], [("output", [1, 512], FLOAT)])


def enhancer(
    size: int = 512, weight_input: Value | None = None, extra: Sequence[Value] = ()
) -> onnx.ModelProto:
    """GFPGAN, GPEN or RestoreFormer; CodeFormer with ``weight_input``."""
    inputs: list[Value] = [("input", [1, 3, size, size], FLOAT), *([weight_input] if weight_input else [])]
    return model(inputs, [("output", [1, 3, size, size], FLOAT), *extra])


def xseg() -> onnx.ModelProto:
    """DeepFaceLab's XSeg."""
    return model(
        [("in_face:0", ["unk__1", 256, 256, 3], FLOAT)], [("out_mask:0", ["unk__2", 256, 256, 1], FLOAT)]
    )


def parsing() -> onnx.ModelProto:
    """BiSeNet."""
    return model([("input", [1, 3, 512, 512], FLOAT)], [("out", [1, 19, 512, 512], FLOAT)])


def detector() -> onnx.ModelProto:
    """SCRFD with key points: scores, boxes and points of three strides."""
    outputs: list[Value] = [
        (f"{part}_{stride}", [(640 // stride) ** 2 * 2, width], FLOAT)
        for part, width in (("score", 1), ("bbox", 4), ("kps", 10))
        for stride in (8, 16, 32)
    ]
    return model([("input.1", [1, 3, "?", "?"], FLOAT)], outputs)


def liveportrait() -> onnx.ModelProto:
    """LivePortrait's appearance extractor."""
    return model([("img", [1, 3, 256, 256], FLOAT)], [("output", [1, 32, 16, 64, 64], FLOAT)])


USED: dict[str, Callable[[], onnx.ModelProto]] = {
    "dfm": dfm,
    "dfm-amp": lambda: dfm(224, amp=True),
    "dfm-renamed": lambda: dfm(320, named=False),
    "dfm-fp16": lambda: dfm(kind=HALF),
    "inswapper": inswapper,
    "inswapper-fp16": lambda: inswapper(half=True),
    "inswapper-fp16-io": lambda: inswapper(half=True, half_io=True),
    "inswapper-renamed-emap": lambda: inswapper(emap="onnx::MatMul_7"),
    "hyperswap": lambda: vector_swapper("hyperswap", mask=True),
    "hyperswap-no-mask": lambda: vector_swapper("hyperswap"),
    "hyperswap-mask-alone": lambda: vector_swapper(None, mask=True),
    "simswap-256": lambda: vector_swapper("simswap"),
    "simswap-512": lambda: vector_swapper(None, 512, target="input", source="onnx::Gemm_1"),
    "ghost": lambda: vector_swapper("ghost"),
    "ghost-original": lambda: vector_swapper(None, outputs=["1165"]),
    "hififace": lambda: vector_swapper("hififace"),
    "uniface": lambda: picture_swapper(256),
    "blendswap": lambda: picture_swapper(112),
    "arcface": lambda: arcface(53),
    "gfpgan": enhancer,
    "gpen-256": lambda: enhancer(256),
    "gpen-2048": lambda: enhancer(2048),
    "codeformer": lambda: enhancer(512, ("weight", [1], DOUBLE), [("logits", [1, 256, 1024], FLOAT)]),
    "codeformer-scalar": lambda: enhancer(512, ("w", [], FLOAT)),
    "xseg": xseg,
}
"""Models that are recognised without a question."""
