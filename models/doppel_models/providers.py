"""ONNX Runtime's execution providers: what they are called, and why one cannot be used."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import sys

import onnxruntime as ort

from doppel_models.sentences import sentence

CPU_PROVIDER = "CPUExecutionProvider"
CUDA_PROVIDER = "CUDAExecutionProvider"
DIRECTML_PROVIDER = "DmlExecutionProvider"
COREML_PROVIDER = "CoreMLExecutionProvider"
OPENVINO_PROVIDER = "OpenVINOExecutionProvider"

_PACKAGES = {
    CUDA_PROVIDER: sentence("device.get-cuda", "install Doppel with --device gpu"),
    DIRECTML_PROVIDER: sentence(
        "device.get-directml", "it comes with the package onnxruntime-directml, on Windows"
    ),
    COREML_PROVIDER: sentence("device.get-coreml", "it comes with ONNX Runtime on macOS"),
    OPENVINO_PROVIDER: sentence("device.get-openvino", "it comes with the package onnxruntime-openvino"),
}


@functools.cache
def load_cuda_libraries() -> None:
    """Load CUDA's and cuDNN's libraries from the worker's own packages, where they are.

    Without this ONNX Runtime finds them only where the system's linker does.
    """
    preload = getattr(ort, "preload_dlls", None)
    if preload is not None:
        # It prints what it does not find, and raises nothing that matters: sessions tell in the end.
        with contextlib.suppress(OSError), contextlib.redirect_stdout(sys.stderr):
            preload()


def why_not(provider: str) -> str:
    """Why a provider cannot be used, and what to do; empty where no reason is known."""
    if provider not in ort.get_available_providers():
        return sentence(
            "device.not-built",
            "this ONNX Runtime was built without it; {what}",
            what=_PACKAGES.get(provider) or sentence("device.unknown", "it is not known"),
        )
    if provider != CUDA_PROVIDER:
        return ""
    load_cuda_libraries()
    version = str(getattr(ort, "cuda_version", "")).split(".")[0] or "13"
    for what, names in _cuda_libraries(version):
        if not any(_loads(name) for name in names):
            return sentence(
                "device.no-library",
                "{library} not found: install Doppel again with --device gpu, or run doctor",
                library=what,
            )
    if not any(_loads(name) for name in ("libcuda.so.1", "nvcuda.dll")):
        return sentence(
            "device.no-driver", "NVIDIA driver not found: install driver 580 or newer, or run doctor"
        )
    return sentence(
        "device.refused",
        "the GPU refused it: is its driver 580 or newer, and has it free memory? or run doctor",
    )


def _cuda_libraries(version: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What the provider needs: a name for people, and the files' names on Linux and Windows."""
    return (
        (f"CUDA {version} runtime", (f"libcudart.so.{version}", f"cudart64_{version}.dll")),
        (f"cuBLAS of CUDA {version}", (f"libcublas.so.{version}", f"cublas64_{version}.dll")),
        ("cuDNN 9", ("libcudnn.so.9", "cudnn64_9.dll")),
    )


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
