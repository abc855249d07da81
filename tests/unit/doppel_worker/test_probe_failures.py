"""Models' masks and helpers that leave nothing of a face, or are no numbers: the filmed face never shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from doppel_ipc.verdict import Verdict
from doppel_models.engines.mesh import regions
from doppel_models.errors import EngineError
from doppel_models.files.kinds import Role
from doppel_models.files.model import ModelFile

from tests.support.probes import build
from tests.support.probes.graph import Graph
from tests.support.probes.looks import area, change, green
from tests.support.probes.stage import ProbeStage, engine_of, model_file, picture


def xseg_of(answer: Callable[[Graph, str], str]) -> ModelFile:
    """An XSeg model: (graph, zeros of the picture's size) -> its mask."""
    graph = Graph()
    taken = graph.input("input", ("batch", 256, 256, 3))
    graph.output(answer(graph, graph.matmul(taken, np.zeros((3, 1)))), "output", ("batch", 256, 256, 1))
    return model_file(graph.bytes())


@pytest.mark.parametrize("by", ["a model's own mask", "XSeg"])
def test_a_face_of_which_models_leave_nothing_to_swap_is_blurred_and_not_shown(by: str) -> None:
    """A mask that is wrong must not show the filmed face as if something were before it."""
    own = by != "XSeg"
    data = build.dfm(build.paint(green(224)), mask=np.full((224, 224), 0.05 if own else 1.0))
    options = {} if own else {"occluder": xseg_of(lambda _graph, zeros: zeros)}
    stage = ProbeStage(engine_of(data, **options))
    stage.show(picture())
    inside = area(stage, regions.OVAL, 0.8)
    detail = [
        float(np.abs(cv2.Laplacian(np.float32(image.mean(axis=2)), cv2.CV_32F))[inside].mean())
        for image in (stage.before, stage.after)
    ]
    assert change(stage)[inside].mean() > 6
    assert detail[1] < 0.35 * detail[0]


def test_masks_that_are_not_numbers_are_refused() -> None:
    def wrong(graph: Graph, zeros: str) -> str:
        return graph.op("Sqrt", graph.add(zeros, -1.0))

    with pytest.raises(EngineError, match="not a number"):
        engine_of(build.dfm(build.paint(green(224)), mask=np.full((224, 224), np.nan)))
    with pytest.raises(EngineError, match="not a number"):
        engine_of(build.swapper("uniface", build.scale_channels), occluder=xseg_of(wrong))


def test_a_mask_that_is_no_number_any_more_covers_the_frame() -> None:
    stage = ProbeStage(engine_of(build.dfm(build.paint(green(224)))))
    network = stage.engine.parts.swapper
    real = network.run

    def broken(inputs: Any) -> Any:
        outputs = real(inputs)
        outputs[Role.FACE_MASK] = outputs[Role.FACE_MASK] * np.float32(np.nan)
        return outputs

    network.run = broken
    report = stage.show(picture())
    assert report.verdict is Verdict.COVERED
    assert "not a number" in report.status


def test_an_enhancer_that_turns_black_while_it_runs_covers_the_frame() -> None:
    def only_bright(graph: Graph, target: str, _source: str | None) -> str:
        mean = graph.op("ReduceMean", target, axes=[1, 2, 3], keepdims=1)
        return graph.mul(target, graph.op("Relu", graph.op("Sign", graph.add(mean, -0.3))))

    helper = model_file(build.enhancer("gfpgan", only_bright))
    stage = ProbeStage(engine_of(build.swapper("uniface", build.scale_channels), enhancer=helper))
    report = stage.show((picture() // 2).astype(np.uint8))
    assert report.verdict is Verdict.COVERED
    assert "black" in report.status
