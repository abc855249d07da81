"""What ONNX Runtime is told when a session is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnxruntime as ort

from doppel_models.providers import CUDA_PROVIDER, DIRECTML_PROVIDER

_ERRORS_ONLY = 3


def provider_settings(provider: str, device_id: int, stream: int, *, graph: bool) -> Mapping[str, str]:
    """A provider's options.

    Args:
        provider: ONNX Runtime's name of it.
        device_id: which of its devices.
        stream: CUDA: a handle of the stream to run on; 0: one of ONNX Runtime's own.
        graph: CUDA: whether runs can be recorded and played back.
    """
    if provider == DIRECTML_PROVIDER:
        return {"device_id": str(device_id)}
    if provider != CUDA_PROVIDER:
        return {}
    options = {
        "device_id": str(device_id),
        # Doubling steps would keep twice what is needed, beside OBS and a game.
        "arena_extend_strategy": "kSameAsRequested",
        "cudnn_conv_algo_search": "HEURISTIC",
        "enable_cuda_graph": "1" if graph else "0",
    }
    if stream:
        options["user_compute_stream"] = str(stream)
    return options


def session_options(threads: int, providers: Sequence[str]) -> ort.SessionOptions:
    """A session's options, with so many threads for one network."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = _ERRORS_ONLY
    # Waiting threads would spin at the cost of OBS's own.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if DIRECTML_PROVIDER in providers:
        options.enable_mem_pattern = False  # DirectML allows none
    # Not "session.set_denormal_as_zero": it leaves the calling thread's processor in that mode for good.
    return options
