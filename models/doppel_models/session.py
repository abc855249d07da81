"""The one place that makes ONNX Runtime sessions.

ONNX Runtime falls back to the CPU in silence when a provider's libraries cannot be loaded, so the provider
really in use is read back from the built session; a fallback is a value (:attr:`Network.fallback`) that the
caller must hand on to the user.

A network on a GPU is best run by :meth:`Network.run_bound`: its inputs and outputs stay where they are, and
it runs on the stream that the pictures come by (``SessionConfig.stream``): nothing is copied, nothing waits.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from doppel_models import providers
from doppel_models.errors import SessionError
from doppel_models.providers import CPU_PROVIDER, CUDA_PROVIDER
from doppel_models.recording import Bound, RecordingGate
from doppel_models.sentences import Sentence, sentence
from doppel_models.session_options import provider_settings, session_options
from doppel_models.tensor import DeviceTensor

_BINDINGS_KEPT = 16
_NO_GRAPH = -1
"""ONNX Runtime's number for a run that is neither recorded nor played back."""
_RECORDED_AFTER = 3
"""Runs until a network is surely recorded: ONNX Runtime lets one or two pass, which allocate memory."""


@dataclasses.dataclass(frozen=True, slots=True)
class SessionConfig:
    """How sessions are built."""

    providers: tuple[str, ...] = (CPU_PROVIDER,)
    """ONNX Runtime's provider names, the wanted one first."""
    intra_op_threads: int = 1
    """Threads of one network. One is best on small machines: two help alone, but lose under load."""
    device_id: int = 0
    """Which of the provider's devices."""
    stream: int = 0
    """CUDA: the stream that networks run on, a handle; 0: one of ONNX Runtime's own. With a stream, a bound
    run returns at once: what follows on the stream waits for it."""
    cuda_graph: bool = False
    """CUDA: record a network whose shapes are fixed at its first runs, and play it back from then on. Only
    bound runs, always with the same memory. Where a network cannot be recorded, it runs as usual."""
    gate: RecordingGate = dataclasses.field(default_factory=RecordingGate, compare=False)
    """Of the device: networks that are loaded or run in other ways are not recorded beside."""
    meanwhile: Callable[[], AbstractContextManager[None]] = dataclasses.field(
        default=contextlib.nullcontext, compare=False
    )
    """Around each plain run: lets others work while the thread waits for a device."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fallback:
    """A network runs on another provider than the one that was asked for."""

    network: str
    wanted: str
    used: str
    reason: str = ""
    """Why, and what to do; empty: nobody knows."""

    def told(self) -> Sentence:
        """For the user."""
        if not self.reason:
            return sentence(
                "device.network",
                "{network} runs on {used}, because {wanted} could not be started",
                network=self.network,
                used=self.used,
                wanted=self.wanted,
            )
        return sentence(
            "device.network-because",
            "{network} runs on {used}, because {wanted} could not be started: {why}",
            network=self.network,
            used=self.used,
            wanted=self.wanted,
            why=self.reason,
        )

    def __str__(self) -> str:
        return str(self.told())


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
        if CUDA_PROVIDER in usable:
            providers.load_cuda_libraries()
        self.cuda_graph = False
        """True when runs are recorded and played back."""
        self.graph_failure = ""
        """Why they are not any more, though it was asked for: what recording or playing back failed with."""
        self.gate = config.gate
        """Shared with the other networks of the device."""
        self._meanwhile = config.meanwhile
        with self.gate.loading():
            self._session = self._build(model, config, usable)
        self.provider: str = self._session.get_providers()[0]
        """The provider in use, as ONNX Runtime reports it after the session was built."""
        self.fallback: Fallback | None = None
        """Set when :attr:`provider` is not the one that was asked for."""
        if self.provider != wanted:
            self.fallback = Fallback(name, wanted, self.provider, providers.why_not(wanted))
        self.inputs = tuple(_spec(node) for node in self._session.get_inputs())
        self.outputs = tuple(_spec(node) for node in self._session.get_outputs())
        self._output_names = [spec.name for spec in self.outputs]
        self._bindings: dict[tuple[object, ...], Bound] = {}
        self._waits = not (config.stream and self.provider == CUDA_PROVIDER)
        self._plain_options = self._run_options(_NO_GRAPH, waits=True)

    def run(self, *inputs: npt.NDArray[Any]) -> Sequence[npt.NDArray[np.float32]]:
        """Run the network on its inputs, in the order of :attr:`inputs`; returns all outputs in theirs.

        Raises:
            SessionError: the number, shapes or types of the inputs do not fit, or the provider failed.
        """
        if len(inputs) != len(self.inputs):
            raise SessionError(f"{self.name}: got {len(inputs)} inputs, expected {len(self.inputs)}")
        feed = {spec.name: value for spec, value in zip(self.inputs, inputs, strict=True)}
        try:
            with self._meanwhile(), self.gate.loading() if self.cuda_graph else contextlib.nullcontext():
                outputs: Sequence[npt.NDArray[np.float32]] = self._session.run(
                    self._output_names, feed, self._plain_options
                )
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            raise SessionError(_failed(self.name, error)) from error
        return outputs

    def run_bound(
        self, inputs: Sequence[DeviceTensor | npt.NDArray[Any]], outputs: Sequence[DeviceTensor]
    ) -> None:
        """Run the network on memory where it lies, in the order of :attr:`inputs` and :attr:`outputs`.

        Args:
            inputs: tensors of a device, or arrays, which are copied at each run.
            outputs: written in place. Their shapes must be those that the network gives.

        On a stream of one's own (``SessionConfig.stream``) it returns before the network is done.

        Raises:
            SessionError: the number, shapes or types do not fit, or the provider failed.
        """
        if (len(inputs), len(outputs)) != (len(self.inputs), len(self.outputs)):
            raise SessionError(
                f"{self.name}: got {len(inputs)} inputs and {len(outputs)} outputs,"
                f" expected {len(self.inputs)} and {len(self.outputs)}"
            )
        try:
            bound = self._binding(inputs, outputs)
            if not all(isinstance(tensor, DeviceTensor) for tensor in inputs):
                # Arrays are copied on another stream than the one that the network runs on.
                bound.binding.synchronize_inputs()
            if not self._run_recorded(bound):
                self._session.run_with_iobinding(bound.binding, bound.options)
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            raise SessionError(_failed(self.name, error)) from error

    def _run_recorded(self, bound: Bound) -> bool:
        """Record a run, or play it back; False: it is to be run as usual."""
        if bound.recorded is None or self.graph_failure:
            return False
        is_recorded = bound.runs >= _RECORDED_AFTER
        with contextlib.nullcontext(True) if is_recorded else self.gate.recording() as may_run:
            if not may_run:
                return False
            try:
                self._session.run_with_iobinding(bound.binding, bound.recorded)
            except Exception as error:  # noqa: BLE001 - ONNX Runtime's exceptions have no common base
                what = "played back" if is_recorded else "recorded"
                self.graph_failure = f"{self.name} cannot be {what} (CUDA graph), and runs as usual: {error}"
                return False
        bound.runs += 1
        return True

    def _binding(
        self, inputs: Sequence[DeviceTensor | npt.NDArray[Any]], outputs: Sequence[DeviceTensor]
    ) -> Bound:
        """The binding for this memory, made once; arrays are bound anew each time."""
        key = tuple(
            (tensor.pointer, tensor.shape, tensor.dtype) if isinstance(tensor, DeviceTensor) else None
            for tensor in (*inputs, *outputs)
        )
        fresh = key not in self._bindings
        if fresh:
            if len(self._bindings) >= _BINDINGS_KEPT and not self.cuda_graph:
                self._bindings.clear()
            # What is recorded holds addresses, and those of arrays change with each run.
            records = self.cuda_graph and None not in key
            self._bindings[key] = Bound(
                self._session.io_binding(),
                self._run_options(_NO_GRAPH, waits=self._waits),
                self._run_options(len(self._bindings), waits=self._waits) if records else None,
            )
        bound = self._bindings[key]
        binding = bound.binding
        for spec, tensor in zip(self.inputs, inputs, strict=True):
            if not isinstance(tensor, DeviceTensor):
                binding.bind_cpu_input(spec.name, np.ascontiguousarray(tensor))
            elif fresh:
                binding.bind_input(spec.name, *_bound(tensor))
        if fresh:
            for spec, tensor in zip(self.outputs, outputs, strict=True):
                binding.bind_output(spec.name, *_bound(tensor))
        return bound

    def _run_options(self, graph: int, *, waits: bool) -> Any:
        """Options of a run: which recording it plays back, and whether it waits for its end."""
        options = ort.RunOptions()
        if self.cuda_graph:
            options.add_run_config_entry("gpu_graph_id", str(graph))
        if not waits:
            options.add_run_config_entry("disable_synchronize_execution_providers", "1")
        return options

    def _build(self, model: bytes, config: SessionConfig, usable: Sequence[str]) -> Any:
        """The session; without CUDA graphs where the network cannot be recorded."""
        fixed = config.cuda_graph and CUDA_PROVIDER in usable
        for graph in (True, False) if fixed else (False,):
            try:
                session = ort.InferenceSession(
                    model,
                    session_options(config.intra_op_threads, config.providers),
                    providers=[
                        (name, provider_settings(name, config.device_id, config.stream, graph=graph))
                        for name in usable
                    ],
                )
            except Exception as error:  # ONNX Runtime's exceptions have no common base
                if graph:
                    continue
                raise SessionError(
                    sentence(
                        "device.no-session",
                        "{network}: ONNX Runtime cannot load the network: {why}",
                        network=self.name,
                        why=error,
                    )
                ) from error
            self.cuda_graph = graph and session.get_providers()[0] == CUDA_PROVIDER
            return session
        raise AssertionError("the last attempt returns or raises")


def _bound(tensor: DeviceTensor) -> tuple[str, int, Any, tuple[int, ...], int]:
    return tensor.device, tensor.device_id, np.dtype(tensor.dtype).type, tensor.shape, tensor.pointer


def _spec(node: Any) -> TensorSpec:
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    return TensorSpec(node.name, shape, node.type)


def _failed(network: str, error: Exception) -> Sentence:
    return sentence("device.failed", "{network}: the network failed: {why}", network=network, why=error)
