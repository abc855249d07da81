from __future__ import annotations

import json

import numpy as np
import pytest
from doppel_models.files.kinds import ModelKind
from doppel_models.files.model import checked_model
from doppel_models.files.onnx_file import parse_onnx
from doppel_models.session import Network, SessionConfig
from doppel_worker.cli import surrogates
from doppel_worker.cli.app import app
from doppel_worker.errors import MediaError
from typer.testing import CliRunner


@pytest.mark.parametrize(("name", "kind", "size"), [("inswapper", "inswapper", 128), ("dfm", "dfm", 224)])
def test_a_surrogate_is_taken_for_what_it_stands_for_and_gives_a_picture(
    name: str, kind: str, size: int
) -> None:
    data, _ = surrogates.SURROGATES[name](1 / 16)
    description = checked_model(parse_onnx(data), name).description
    assert (description.kind, description.size) == (ModelKind(kind), size)
    network = Network(name, data, SessionConfig())
    random = np.random.default_rng(0)
    for output in network.run(*(random.random(spec.shape, np.float32) for spec in network.inputs)):
        assert np.isfinite(output).all()
        assert -1e-6 <= output.min() < output.max() <= 1 + 1e-6


def test_its_cost_grows_with_the_square_of_its_width() -> None:
    """Counted at small widths: the true one has 554 MB of weights. 174.6 billion at full width."""
    eighth, quarter = (surrogates.inswapper(width)[1] for width in (1 / 8, 1 / 4))
    assert 3.5 < quarter / eighth < 4.0
    assert pytest.approx(16 * quarter, rel=0.05) == 174.6e9


def test_the_pipeline_is_measured_beside_the_bare_network() -> None:
    options = ["--width", "0.02", "--frames", "4", "--warm-up", "2", "--device", "cpu", "--json"]
    done = CliRunner().invoke(app, ["bench-network", *options])
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert (figures["swapped"], figures["provider"]) == (4, "CPUExecutionProvider")
    assert figures["pipeline_ms"] > 0 < figures["network_ms"]
    assert {"track", "read", "swap", "paste"} <= set(figures["stage_ms"])


def test_an_unknown_surrogate_is_refused_by_name() -> None:
    done = CliRunner().invoke(app, ["bench-network", "--model", "nothing"])
    assert isinstance(done.exception, MediaError)
    assert "inswapper and dfm" in str(done.exception)
