"""What the worker finds out about its providers and devices, for ``installer doctor``.

``python -m doppel_worker.findings`` prints a JSON list of ``[subject, state, detail, todo]``; the state is
``ok``, ``note`` or ``bad``.
"""

from __future__ import annotations

import json
import sys

import onnxruntime
from doppel_models import weights
from doppel_models.errors import SessionError
from doppel_models.providers import (
    COREML_PROVIDER,
    CPU_PROVIDER,
    CUDA_PROVIDER,
    DIRECTML_PROVIDER,
    OPENVINO_PROVIDER,
)
from doppel_models.session import Network, SessionConfig

from doppel_worker.devices import choose, list_devices
from doppel_worker.open_device import open_device

Finding = tuple[str, str, str, str]
_INSTALL = "python3 -m installer install"
_USED = (CUDA_PROVIDER, DIRECTML_PROVIDER, COREML_PROVIDER, OPENVINO_PROVIDER, CPU_PROVIDER)
"""Of those that ONNX Runtime may have; the others are not asked for."""


def findings() -> list[Finding]:
    """Everything, the providers first."""
    return [*_providers(), *_devices()]


def _providers() -> list[Finding]:
    found: list[Finding] = []
    for name in onnxruntime.get_available_providers():
        if name not in _USED:
            continue
        # A provider that is listed may still fall back in silence: only a built session tells.
        try:
            network = Network(
                "doctor",
                weights.FACE_DETECTOR.read(),
                SessionConfig(tuple(dict.fromkeys((name, CPU_PROVIDER)))),
            )
        except SessionError as error:
            found.append((f"provider {name}", "bad", str(error), _INSTALL))
            continue
        if network.fallback is None:
            found.append((f"provider {name}", "ok", "usable", ""))
            continue
        why, _, todo = network.fallback.reason.partition(": ")
        detail = "listed, but a session with it falls back to the CPU" + (f": {why}" if why else "")
        found.append((f"provider {name}", "note", detail, _without_doctor(todo) or _INSTALL))
    return found


def _devices() -> list[Finding]:
    """What the worker would work on, and why it is not the GPU."""
    choice = choose()
    names = ", ".join(f"{device.id} ({device.name})" for device in list_devices())
    found: list[Finding] = [("devices", "ok", f"{names}; auto takes {choice.device.id}", "")]
    if choice.device.kind == "cuda":
        found.append(_kernels(choice.device.id))
    if choice.fallback:
        detail, _, todo = choice.fallback.partition("; ")
        found.append(("GPU at work", "note", detail, _without_doctor(todo) or _INSTALL))
    return found


def _kernels(device: str) -> Finding:
    """Whether the device does the work on the pictures as the processor does it."""
    told: list[str] = []
    opened = open_device(device, told.append)
    if opened.info.id == device:
        return ("GPU at work", "ok", f"{device} gives the CPU's pictures", "")
    detail, _, todo = told[0].partition("; ")
    return ("GPU at work", "note", detail, _without_doctor(todo) or _INSTALL)


def _without_doctor(todo: str) -> str:
    """Advice without "or run doctor": that is what is running."""
    return todo.replace(", or run doctor", "").replace("or run doctor", "").strip()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(findings()) + "\n")
