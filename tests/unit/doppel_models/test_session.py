from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from doppel_models import weights
from doppel_models.errors import SessionError
from doppel_models.providers import CPU_PROVIDER
from doppel_models.recording import RecordingGate
from doppel_models.session import Network, SessionConfig
from doppel_models.tensor import DeviceTensor

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
        text = str(network.fallback)
        assert text.startswith(f"detector runs on {CPU_PROVIDER}, because {CUDA} could not be started: ")
        assert "install" in text, "what to do is said"


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


def described(array: np.ndarray) -> DeviceTensor:
    return DeviceTensor(array.ctypes.data, array.shape, "float32", "cpu", 0, array)


def test_bound_runs_read_and_write_the_memory_they_are_given() -> None:
    """As on a GPU, by this processor's memory: addresses in, addresses out."""
    network = detector().networks[0]
    random = np.random.default_rng(0)
    picture = random.random((1, 128, 128, 3), np.float32)
    outputs = [np.full(spec.shape, np.nan, np.float32) for spec in network.outputs]
    for _ in range(3):
        picture[:] = random.random(picture.shape, np.float32)
        network.run_bound([described(picture)], [described(array) for array in outputs])
        for bound, plain in zip(outputs, network.run(picture), strict=True):
            assert (bound == plain).all()
    # An array in this process's memory may stand among them, another one at each run.
    for _ in range(2):
        other = random.random(picture.shape, np.float32)
        network.run_bound([other], [described(array) for array in outputs])
        assert (outputs[0] == network.run(other)[0]).all()


def test_bound_runs_that_do_not_fit_are_an_error_with_the_networks_name() -> None:
    network = detector().networks[0]
    picture = np.zeros((1, 128, 128, 3), np.float32)
    with pytest.raises(SessionError, match="face detector: got 1 inputs and 0 outputs, expected 1 and 2"):
        network.run_bound([described(picture)], [])
    wrong = [described(np.zeros((1, 1), np.float32)) for _ in network.outputs]
    with pytest.raises(SessionError, match="face detector: the network failed"):
        network.run_bound([described(picture)], wrong)


def test_what_cuda_alone_is_asked_for_does_not_disturb_the_cpu() -> None:
    config = SessionConfig((CUDA, CPU_PROVIDER), device_id=0, cuda_graph=True)
    network = Network("detector", weights.FACE_DETECTOR.read(), config)
    assert network.cuda_graph == (network.provider == CUDA)
    assert len(network.run(np.zeros((1, 128, 128, 3), np.float32))) == 2


class Recorded:
    """ONNX Runtime's session on the CPU, which says what a GPU's would be asked to record.

    Only the calls are those of a GPU: nothing is recorded here.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self.asked: list[str] = []
        """``gpu_graph_id`` of each run."""
        self.fails = ""

    def run_with_iobinding(self, binding: Any, options: Any) -> None:
        graph = options.get_run_config_entry("gpu_graph_id")
        self.asked.append(graph)
        if self.fails and graph != "-1":
            raise RuntimeError(self.fails)
        self._session.run_with_iobinding(binding, options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


@pytest.fixture
def recorded() -> tuple[Network, Recorded, Callable[[], bool]]:
    """A network as a GPU would record it, its session, and a run that says whether its outputs are right."""
    network = Network("face detector", weights.FACE_DETECTOR.read(), SessionConfig())
    network.cuda_graph = True
    session = network._session = Recorded(network._session)
    random = np.random.default_rng(0)
    picture = np.empty((1, 128, 128, 3), np.float32)
    outputs = [np.empty(spec.shape, np.float32) for spec in network.outputs]

    def run() -> bool:
        picture[:] = random.random(picture.shape, np.float32)
        for array in outputs:
            array[:] = np.nan
        network.run_bound([described(picture)], [described(array) for array in outputs])
        plain = network.run(picture)
        return all((bound == wanted).all() for bound, wanted in zip(outputs, plain, strict=True))

    return network, session, run


def test_a_network_is_recorded_at_one_place_in_memory_and_never_with_arrays(
    recorded: tuple[Network, Recorded, Callable[[], bool]],
) -> None:
    network, session, run = recorded
    assert all(run() for _ in range(5))
    assert session.asked == ["0"] * 5
    outputs = [described(np.empty(spec.shape, np.float32)) for spec in network.outputs]
    network.run_bound([np.zeros((1, 128, 128, 3), np.float32)], outputs)
    assert session.asked[-1] == "-1"
    network.run_bound([described(np.zeros((1, 128, 128, 3), np.float32))], outputs)
    assert session.asked[-1] not in ("-1", "0"), "another place is another recording"


@pytest.mark.parametrize("before", [0, 1, 5], ids=["first run", "recording", "playing back"])
def test_a_recording_that_fails_costs_no_frame_and_is_told(
    recorded: tuple[Network, Recorded, Callable[[], bool]], before: int
) -> None:
    network, session, run = recorded
    for _ in range(before):
        run()
    session.fails = "operation not permitted when stream is capturing"
    assert run(), "the same frame is run as usual"
    what = "played back" if before == 5 else "recorded"
    assert network.graph_failure == (
        f"face detector cannot be {what} (CUDA graph), and runs as usual: {session.fails}"
    )
    session.fails = ""
    del session.asked[:]
    assert run()
    assert session.asked == ["-1"], "it is not tried again"


def test_nothing_is_recorded_while_something_is_loaded_on_the_device(
    recorded: tuple[Network, Recorded, Callable[[], bool]],
) -> None:
    network, session, run = recorded
    with network.gate.loading():
        assert run()
        assert run()
    assert session.asked == ["-1", "-1"]
    assert all(run() for _ in range(4))
    assert session.asked[2:] == ["0"] * 4
    # What is recorded is played back beside whatever is loaded.
    with network.gate.loading():
        assert run()
    assert session.asked[-1] == "0"
    assert not network.graph_failure


def test_loading_waits_for_a_recording_to_end() -> None:
    gate, order = RecordingGate(), []

    def load() -> None:
        with gate.loading():
            order.append("loaded")

    with gate.recording() as may:
        assert may
        with gate.recording() as second:
            assert not second
        thread = threading.Thread(target=load)
        thread.start()
        thread.join(0.05)
        assert thread.is_alive()
        order.append("recorded")
    thread.join(60)
    assert order == ["recorded", "loaded"]
