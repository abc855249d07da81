"""Makes probe files: a contract around a function of a picture in RGB, 0..1."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tests.support.probes.contracts import CONTRACTS, ENHANCERS, Range
from tests.support.probes.graph import FLOAT, HALF, Graph
from tests.support.probes.shapes import sign_nodes

Picture = npt.NDArray[np.float64]
Function = Callable[[Graph, str, "str | None"], str]
"""(graph, picture (1, 3, h, w) RGB 0..1, source vector (1, 512) or source picture) -> such a picture."""

BLOCKS = 8
"""Blocks of a picture of numbers, on each side."""
SPREAD = 3.0
"""How much brighter a block is for a number of 1."""
_RNG = np.random.default_rng(7)
PROJECTION = (_RNG.normal(size=(512, 3 * BLOCKS * BLOCKS)) / np.sqrt(512)).astype(np.float32)
"""Of an identity vector to the blocks, (channel, row, column)."""
EMAP = (2 * _RNG.normal(size=(512, 512)) / np.sqrt(512)).astype(np.float32)
"""It makes vectors about twice as long, so that it matters that they are normed."""
CROSSING = {
    kind: (_RNG.normal(size=(512, 512)) / np.sqrt(512)).astype(np.float32)
    for kind in ("simswap", "ghost", "hififace")
}
BEND = 2.0
"""Of :func:`crossface`: so strong that a normed vector is told from the raw one by its direction, too."""
RECOGNISER_GAIN = 0.35
GAINS = (1.0, 0.6, 0.3)
"""Of :func:`scale_channels`: red, green, blue."""


def paint(picture: Picture) -> Function:
    """Always the same picture (h, w, 3), 0..1."""

    def function(graph: Graph, target: str, _source: str | None) -> str:
        constant = graph.constant(picture.transpose(2, 0, 1)[None])
        return graph.add(constant, graph.nothing_of(target))

    return function


def scale_channels(graph: Graph, target: str, _source: str | None) -> str:
    """The filmed picture with its channels darkened by :data:`GAINS`."""
    return graph.mul(target, np.array(GAINS)[None, :, None, None])


def show_vector(size: int) -> Function:
    """Gray blocks that are brighter by :data:`SPREAD` times each number that the vector projects to."""

    def function(graph: Graph, target: str, source: str | None) -> str:
        assert source is not None
        numbers = graph.mul(graph.matmul(source, PROJECTION), SPREAD)
        small = graph.add(graph.reshape(numbers, 1, 3, BLOCKS, BLOCKS), 0.5)
        # Each number fills its block: a product with ones makes the enlargement plain.
        row = graph.reshape(small, 1, 3, BLOCKS, 1, BLOCKS, 1)
        step = size // BLOCKS
        wide = graph.mul(row, np.ones((1, 1, 1, step, 1, step)))
        return graph.add(graph.reshape(wide, 1, 3, size, size), graph.nothing_of(target))

    return function


def show_source(graph: Graph, target: str, source: str | None) -> str:
    """The source picture in its corner, channels darkened by :data:`GAINS`; the filmed one around it."""
    assert source is not None
    return graph.add(graph.mul(source, np.array(GAINS)[None, :, None, None]), graph.nothing_of(target))


def swapper(name: str, function: Function, *, half: bool = False, **options: object) -> bytes:
    """The file of a one-photo swapper, by its name in :data:`~.contracts.CONTRACTS`.

    Args:
        name: which.
        function: what it does.
        half: weights and inner values are float16, inputs and outputs stay float32.
        options: ``half_ports`` (inputs and outputs are float16), ``mask`` ((h, w) 0..1, hyperswap's second
            output), ``emap_name``.
    """
    contract, graph = CONTRACTS[name], Graph(half=half)
    elem = HALF if options.get("half_ports") else FLOAT
    size, source_size = contract.size, contract.source_size
    taken = graph.input(contract.target, (1, 3, size, size), elem)
    picture = _undone(graph, taken, contract.taken)
    shape = (1, 3, source_size, source_size) if source_size else (1, 512)
    source = graph.input(contract.source, shape, elem)
    face = function(graph, picture, source)
    if not source_size:
        face = graph.add(face, graph.nothing_of(source))
        if contract.kind != "inswapper":
            graph.append(*sign_nodes(contract.kind, source, dtype=np.float16 if half else np.float32))
    graph.output(_done(graph, face, contract.given), contract.face, (1, 3, size, size), elem)
    if contract.kind == "inswapper":
        graph.constant(EMAP, str(options.get("emap_name", "buff2fs")))
    if contract.kind == "hyperswap":
        mask = np.asarray(options.get("mask", np.ones((size, size))), np.float64)
        value = graph.add(graph.constant(mask[None, None]), graph.nothing_of(picture))
        graph.output(value, "mask", (1, 1, size, size), elem)
    return graph.bytes()


def dfm(
    function: Function,
    *,
    size: int = 224,
    mask: Picture | None = None,
    target_mask: Picture | None = None,
    amp: bool = False,
) -> bytes:
    """A DeepFaceLab model; with ``amp`` the face is ``morph`` times what ``function`` gives."""
    graph = Graph()
    taken = graph.input("in_face:0", ("batch", size, size, 3))
    bgr = graph.op("Transpose", taken, perm=[0, 3, 1, 2])
    reverse = graph.numbers(2, 1, 0)
    face = function(graph, graph.op("Gather", bgr, reverse, axis=1), None)
    if amp:
        face = graph.mul(face, graph.input("morph_value:0", (1,)))
    out = graph.op("Transpose", graph.op("Gather", face, reverse, axis=1), perm=[0, 2, 3, 1])
    for value, name in ((target_mask, "out_face_mask:0"), (None, ""), (mask, "out_celeb_face_mask:0")):
        if not name:
            graph.output(out, "out_celeb_face:0", ("batch", size, size, 3))
            continue
        area = np.ones((size, size)) if value is None else value
        full = graph.add(graph.constant(area[None, :, :, None]), graph.nothing_of(taken))
        graph.output(full, name, ("batch", size, size, 1))
    return graph.bytes(12)


def arcface(then: tuple[Picture, Picture] | None = None) -> bytes:
    """A recogniser: means of 16 x 16 cells (7 x 7 pixels) of the red and the blue channel, times a gain.

    ``then``: a matrix (512, 512) that the vector goes through, and what is added to it.
    """
    graph = Graph()
    taken = graph.input("input.1", (1, 3, 112, 112))
    cells = graph.op("AveragePool", taken, kernel_shape=[7, 7], strides=[7, 7])
    chosen = graph.op("Gather", cells, graph.numbers(0, 2), axis=1)
    vector = graph.mul(graph.reshape(chosen, 1, 512), RECOGNISER_GAIN)
    if then is not None:
        vector = graph.add(graph.matmul(vector, then[0].astype(np.float32)), then[1][None])
    graph.output(vector, "683", (1, 512))
    return graph.bytes()


def crossface(kind: str) -> bytes:
    """The raw vector times a matrix of that kind, plus itself squared: no linear map."""
    graph = Graph()
    vector = graph.input("input", (1, 512))
    bent = graph.mul(graph.mul(vector, vector), BEND)
    graph.output(graph.add(graph.matmul(vector, CROSSING[kind]), bent), "output", (1, 512))
    return graph.bytes()


def enhancer(name: str, function: Function) -> bytes:
    """A restorer, by its name in :data:`~.contracts.ENHANCERS`."""
    contract, graph = ENHANCERS[name], Graph()
    size = contract.size
    picture = _undone(graph, graph.input("input", (1, 3, size, size)), contract.taken)
    face = function(graph, picture, None)
    if name == "codeformer":
        weight = graph.op("Cast", graph.input_double("weight"), to=FLOAT)
        face = graph.add(face, graph.nothing_of(graph.reshape(weight, 1, 1)))
    graph.output(_done(graph, face, contract.given), "output", (1, 3, size, size))
    return graph.bytes()


def xseg() -> bytes:
    """What is in front of the face is where blue (the first channel) is brighter than red by 0.3."""
    graph = Graph()
    taken = graph.input("input", ("batch", 256, 256, 3))
    difference = graph.matmul(taken, np.array([[-1.0], [0.0], [1.0]]))
    over = graph.mul(graph.add(difference, 0.3), 50.0)
    graph.output(graph.op("Sigmoid", over), "output", ("batch", 256, 256, 1))
    return graph.bytes()


def recognised(crop: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """(512,) what :func:`arcface` says of a crop (112, 112, 3) uint8 RGB."""
    values = crop.astype(np.float64) / 127.5 - 1
    cells = values.reshape(16, 7, 16, 7, 3).mean(axis=(1, 3))
    return np.concatenate([cells[:, :, 0].reshape(-1), cells[:, :, 2].reshape(-1)]) * RECOGNISER_GAIN


def crossed(kind: str, vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(512,) what :func:`crossface` makes of a vector."""
    return vector @ CROSSING[kind].astype(np.float64) + BEND * vector**2


def blocks_of(vector: npt.NDArray[np.float64]) -> Picture:
    """(BLOCKS, BLOCKS, 3) 0..1: the colours that :func:`show_vector` gives a vector."""
    numbers = (vector @ PROJECTION.astype(np.float64)).reshape(3, BLOCKS, BLOCKS)
    shown: Picture = np.clip(0.5 + SPREAD * numbers, 0, 1).transpose(1, 2, 0)
    return shown


def _undone(graph: Graph, value: str, taken: Range) -> str:
    mean, deviation = (np.array(v)[None, :, None, None] for v in taken)
    return graph.add(graph.mul(value, deviation), mean)


def _done(graph: Graph, value: str, given: Range) -> str:
    mean, deviation = (np.array(v)[None, :, None, None] for v in given)
    return graph.mul(graph.add(value, -mean), 1 / deviation)
