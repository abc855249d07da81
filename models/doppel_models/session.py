"""The one place that makes ONNX Runtime sessions.

ONNX Runtime falls back to the CPU in silence when a provider's libraries cannot be loaded, so the provider
really in use is read back from the built session; a fallback is a value (:attr:`Network.fallback`) that the
caller must hand on to the user.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from doppel_models.errors import SessionError

CPU_PROVIDER = "CPUExecutionProvider"
_ORT_ERRORS_ONLY = 3


@dataclasses.dataclass(frozen=True, slots=True)
class SessionConfig:
    """How sessions are built."""

    providers: tuple[str, ...] = (CPU_PROVIDER,)
    """ONNX Runtime's provider names, the wanted one first."""
    intra_op_threads: int = 1
    """Threads of one network. One is best on small machines: two help alone, but lose under load."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fallback:
    """A network runs on another provider than the one that was asked for."""

    network: str
    wanted: str
    used: str

    def __str__(self) -> str:
        return f"{self.network} runs on {self.used}, because {self.wanted} could not be started"


@dataclasses.dataclass(frozen=True, slots=True)
class TensorSpec:
    """Name, shape (``None`` where a dimension is free) and ONNX Runtime's type of an input or output."""

    name: str
    shape: tuple[int | None, ...]
    type: str


class Network:
    """A network that is ready to run. One thread at a time."""

    def __init__(self, name: str, model: bytes, config: SessionConfig) -> None:
        """Build the session.

        Args:
            name: how messages call the network.
            model: the ONNX file's bytes; bytes and not a path, so that a model cannot name files beside it.
            config: providers and threads.

        Raises:
            SessionError: ONNX Runtime refuses the model or none of the providers can be used.
        """
        self.name = name
        wanted = config.providers[0]
        usable = [provider for provider in config.providers if provider in ort.get_available_providers()]
        if not usable:
            raise SessionError(
                f"{name}: this ONNX Runtime has no {' or '.join(config.providers)};"
                f" it has {', '.join(ort.get_available_providers())}"
            )
        try:
            self._session = ort.InferenceSession(model, _options(config), providers=usable)
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            raise SessionError(f"{name}: ONNX Runtime cannot load the network: {error}") from error
        self.provider: str = self._session.get_providers()[0]
        """The provider in use, as ONNX Runtime reports it after the session was built."""
        self.fallback: Fallback | None = None
        """Set when :attr:`provider` is not the one that was asked for."""
        if self.provider != wanted:
            self.fallback = Fallback(name, wanted, self.provider)
        self.inputs = tuple(_spec(node) for node in self._session.get_inputs())
        self.outputs = tuple(_spec(node) for node in self._session.get_outputs())
        self._output_names = [spec.name for spec in self.outputs]

    def run(self, *inputs: npt.NDArray[Any]) -> Sequence[npt.NDArray[np.float32]]:
        """Run the network on its inputs, in the order of :attr:`inputs`; returns all outputs in theirs.

        Raises:
            SessionError: the number, shapes or types of the inputs do not fit, or the provider failed.
        """
        if len(inputs) != len(self.inputs):
            raise SessionError(f"{self.name}: got {len(inputs)} inputs, expected {len(self.inputs)}")
        feed = {spec.name: value for spec, value in zip(self.inputs, inputs, strict=True)}
        try:
            outputs: Sequence[npt.NDArray[np.float32]] = self._session.run(self._output_names, feed)
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            raise SessionError(f"{self.name}: the network failed: {error}") from error
        return outputs


def _options(config: SessionConfig) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = config.intra_op_threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = _ORT_ERRORS_ONLY
    # Waiting threads would spin at the cost of OBS's own.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Not "session.set_denormal_as_zero": it leaves the calling thread's processor in that mode for good.
    return options


def _spec(node: Any) -> TensorSpec:
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    return TensorSpec(node.name, shape, node.type)
