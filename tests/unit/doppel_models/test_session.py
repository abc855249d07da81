from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from doppel_models import weights
from doppel_models.errors import SessionError
from doppel_models.session import CPU_PROVIDER, Network, SessionConfig

from tests.support.networks import detector

CUDA = "CUDAExecutionProvider"


def test_the_provider_in_use_is_the_one_asked_for() -> None:
    network = detector().networks[0]
    assert network.provider == CPU_PROVIDER
    assert network.fallback is None


def test_a_network_that_runs_elsewhere_than_asked_says_so() -> None:
    network = Network("detector", weights.FACE_DETECTOR.read(), SessionConfig((CUDA, CPU_PROVIDER)))
    if network.provider == CUDA:
        assert network.fallback is None
    else:
        assert str(network.fallback) == (
            f"detector runs on {CPU_PROVIDER}, because {CUDA} could not be started"
        )


@pytest.mark.skipif("QNNExecutionProvider" in ort.get_available_providers(), reason="this runtime has it")
def test_a_provider_that_the_runtime_lacks_is_an_error_when_it_is_the_only_one() -> None:
    with pytest.raises(SessionError, match="has no QNNExecutionProvider"):
        Network("detector", weights.FACE_DETECTOR.read(), SessionConfig(("QNNExecutionProvider",)))


@pytest.mark.parametrize("model", [b"", b"not a network", weights.FACE_DETECTOR.read()[:5000]])
def test_a_broken_model_is_an_error_with_the_networks_name(model: bytes) -> None:
    with pytest.raises(SessionError, match="swapper: ONNX Runtime cannot load"):
        Network("swapper", model, SessionConfig())


def test_inputs_that_do_not_fit_are_an_error_with_the_networks_name() -> None:
    network = detector().networks[0]
    with pytest.raises(SessionError, match="face detector: got 0 inputs, expected 1"):
        network.run()
    with pytest.raises(SessionError, match="face detector: the network failed"):
        network.run(np.zeros((1, 64, 64, 3), np.float32))


def test_inputs_and_outputs_are_described() -> None:
    network = detector().networks[0]
    assert [(spec.name, spec.shape) for spec in network.inputs] == [("input", (1, 128, 128, 3))]
    assert {spec.name: spec.shape for spec in network.outputs} == {
        "regressors": (1, 896, 16),
        "classificators": (1, 896, 1),
    }
