"""Models are tested before they make faces; float16 gives way to float32 where it shows."""

from __future__ import annotations

import numpy as np
import pytest
from doppel_ipc.verdict import Verdict
from doppel_models.engines.crops.loading import NetworkLoader, build_engine
from doppel_models.errors import EngineError, SessionError
from doppel_models.files.kinds import ModelKind

from tests.support.probes import build
from tests.support.probes.graph import Graph
from tests.support.probes.stage import ProbeStage, crops_for, engine_of, find_helper, model_file, picture


def not_a_number(graph: Graph, target: str, _source: str | None) -> str:
    return graph.op("Sqrt", graph.add(target, -0.9))


def in_memory(graph: Graph, value: str) -> str:
    """Rows turned over twice: this ONNX Runtime does in float16 itself, else it computes in float32."""
    size = 128
    order = graph.numbers(*range(size - 1, -1, -1))
    return graph.op("Gather", graph.op("Gather", value, order, axis=2), order, axis=2)


def overflowing(graph: Graph, target: str, _source: str | None) -> str:
    """The filmed picture, by way of numbers that float16 cannot hold."""
    large = graph.mul(graph.mul(target, 60000.0), 4.0)
    return graph.mul(graph.mul(in_memory(graph, large), 1 / 4000.0), 1 / 60.0)


def coarse(graph: Graph, target: str, _source: str | None) -> str:
    """The filmed picture, by way of numbers whose last digits float16 does not have."""
    return graph.add(in_memory(graph, graph.add(target, 127.0)), -127.0)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (not_a_number, "not a number"),
        (build.paint(np.zeros((256, 256, 3))), "black"),
        (build.paint(np.full((256, 256, 3), 0.6)), "one colour"),
        (build.paint(np.full((256, 256, 3), 7.0)), "one colour"),
    ],
)
def test_a_model_that_makes_no_picture_is_refused(function: build.Function, words: str) -> None:
    with pytest.raises(EngineError, match=words):
        engine_of(build.swapper("uniface", function))


@pytest.mark.parametrize("function", [not_a_number, build.paint(np.zeros((512, 512, 3)))])
def test_an_enhancer_that_makes_no_picture_is_refused(function: build.Function) -> None:
    swapper = build.swapper("uniface", build.scale_channels)
    with pytest.raises(EngineError, match="failed its test"):
        engine_of(swapper, enhancer=model_file(build.enhancer("gfpgan", function)))


@pytest.mark.parametrize("ports", [False, True])
def test_float16_is_used_where_it_shows_the_same(ports: bool) -> None:
    engine = engine_of(build.swapper("inswapper", build.scale_channels, half=True, half_ports=ports))
    assert engine.notes == ()
    assert engine.parts.swapper.model.weights == "float16"
    stage = ProbeStage(engine)
    assert stage.show(picture()).verdict is Verdict.SWAPPED


@pytest.mark.parametrize(
    ("function", "words"), [(overflowing, "float16 its picture"), (coarse, "differs by")]
)
@pytest.mark.parametrize("ports", [False, True])
def test_float16_that_shows_something_else_is_run_in_float32_and_told(
    function: build.Function, words: str, ports: bool
) -> None:
    engine = engine_of(build.swapper("inswapper", function, half=True, half_ports=ports))
    assert len(engine.notes) == 1
    assert "runs in float32" in engine.notes[0]
    assert words in engine.notes[0]
    stage = ProbeStage(engine)
    report = stage.show(picture())
    assert report.verdict is Verdict.SWAPPED
    assert any("float32" in event.message for event in report.events)
    x, y = np.rint(stage.spy.face.landmarks[4, :2]).astype(int)
    around = (slice(y - 20, y + 20), slice(x - 20, x + 20))
    expected = stage.before[around].mean(axis=(0, 1))
    assert np.abs(stage.after[around].mean(axis=(0, 1)) - expected).max() < 2


def test_a_network_is_loaded_once_and_let_go_with_its_last_engine() -> None:
    loader, swapper = NetworkLoader(), model_file(build.swapper("uniface", build.scale_channels))
    one = build_engine(loader, swapper, find_helper, crops_for(swapper))
    two = build_engine(loader, swapper, find_helper, crops_for(swapper), pixel_boost=2)
    assert one.parts.swapper is two.parts.swapper
    assert loader.count == 1
    del one, two
    assert loader.count == 0


def test_helpers_of_the_wrong_kind_are_refused() -> None:
    recogniser = model_file(build.arcface(), name="face.onnx")
    swapper = build.swapper("uniface", build.scale_channels)
    with pytest.raises(EngineError, match=r"face.onnx is arcface, not a model that restores faces"):
        engine_of(swapper, enhancer=recogniser)
    with pytest.raises(EngineError, match=r"not a model that finds what is in front"):
        engine_of(swapper, occluder=recogniser)


def test_a_missing_helper_is_named() -> None:
    swapper = model_file(build.swapper("simswap_512", build.scale_channels), name="sim.onnx")

    def only_recogniser(kind: ModelKind, variant: str) -> object:
        return find_helper(kind, variant) if kind is ModelKind.ARCFACE else None

    with pytest.raises(EngineError, match=r"sim.onnx .*crossface model for simswap"):
        build_engine(NetworkLoader(), swapper, only_recogniser, crops_for(swapper))


def test_a_recogniser_without_an_answer_is_refused() -> None:
    def broken(kind: ModelKind, _variant: str) -> object:
        graph = Graph()
        taken = graph.input("input", (1, 3, 112, 112))
        cells = graph.op("AveragePool", taken, kernel_shape=[7, 7], strides=[7, 7])
        two = graph.op("Gather", cells, graph.numbers(0, 1), axis=1)
        graph.output(graph.mul(graph.reshape(two, 1, 512), 0.0), "output", (1, 512))
        return model_file(graph.bytes())

    swapper = model_file(build.swapper("inswapper", build.scale_channels))
    with pytest.raises(EngineError, match="empty identity"):
        build_engine(NetworkLoader(), swapper, broken, crops_for(swapper))


def test_a_model_that_turns_black_while_it_runs_covers_the_frame() -> None:
    def only_bright(graph: Graph, target: str, _source: str | None) -> str:
        """Black as soon as the picture's mean is below a half of the drawn test face's."""
        mean = graph.op("ReduceMean", target, axes=[1, 2, 3], keepdims=1)
        return graph.mul(target, graph.op("Relu", graph.op("Sign", graph.add(mean, -0.3))))

    stage = ProbeStage(engine_of(build.swapper("uniface", only_bright)))
    dark = (picture() // 3).astype(np.uint8)
    report = stage.show(dark)
    assert report.verdict is Verdict.COVERED
    assert "black" in report.status


def test_a_picture_of_another_size_is_refused() -> None:
    def shrunk(graph: Graph, target: str, _source: str | None) -> str:
        return graph.op("AveragePool", target, kernel_shape=[2, 2], strides=[2, 2])

    # ONNX Runtime itself may find that the file does not keep what it says.
    with pytest.raises((EngineError, SessionError)):
        engine_of(build.swapper("uniface", shrunk))
