from __future__ import annotations

import json
import os
import subprocess
import sys

import onnxruntime
import pytest
from doppel_models.providers import CUDA_PROVIDER, DIRECTML_PROVIDER
from doppel_worker import findings, open_device
from doppel_worker.devices import Choice, DeviceInfo, choose

from tests.support.kernel_device import KernelDevice


def test_the_program_prints_what_doctor_reads() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", "doppel_worker.findings"], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    rows = {row[0]: row for row in json.loads(done.stdout.splitlines()[-1])}
    assert rows["provider CPUExecutionProvider"][1:] == ["ok", "usable", ""]
    assert "auto takes " in rows["devices"][2]


@pytest.mark.parametrize("provider", [CUDA_PROVIDER, DIRECTML_PROVIDER])
def test_a_provider_that_falls_back_is_told_with_its_reason(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if provider in onnxruntime.get_available_providers():
        pytest.skip(f"this ONNX Runtime has {provider}")
    # Doctor looks at what is listed; this runtime lists what it cannot start.
    listed = [provider, "CPUExecutionProvider"]
    monkeypatch.setattr(findings.onnxruntime, "get_available_providers", lambda: listed)
    with pytest.warns(UserWarning, match=provider):
        told = {one[0]: one for one in findings.findings()}
    _, state, detail, todo = told[f"provider {provider}"]
    assert state in ("note", "bad")
    assert "CPU" in detail
    assert todo
    assert "doctor" not in todo


def test_why_auto_is_not_the_gpu_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    why = "the CPU does the work: no NVIDIA driver was found; install driver 580 or newer, or run doctor"
    monkeypatch.setattr(findings, "choose", lambda: Choice(choose("cpu").device, why))
    told = {one[0]: one for one in findings.findings()}
    assert told["GPU at work"][1:] == (
        "note",
        "the CPU does the work: no NVIDIA driver was found",
        "install driver 580 or newer",
    )


def test_a_gpu_is_tried_with_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = DeviceInfo("cuda:0", "stand-in", 1024, CUDA_PROVIDER)
    monkeypatch.setattr(findings, "choose", lambda: Choice(gpu))
    monkeypatch.setattr(
        open_device, "choose", lambda wanted: Choice(gpu) if wanted != "cpu" else choose("cpu")
    )
    monkeypatch.setattr(open_device, "CudaDevice", lambda _number: KernelDevice())
    told = {one[0]: one for one in findings.findings()}
    assert told["GPU at work"][1:] == ("ok", "cuda:0 gives the CPU's pictures", "")

    class Wrong(KernelDevice):
        def launch(self, kernel: str, *arguments: object) -> None:
            if kernel != "paste_rect":
                super().launch(kernel, *arguments)

    monkeypatch.setattr(open_device, "CudaDevice", lambda _number: Wrong())
    told = {one[0]: one for one in findings.findings()}
    _, state, detail, todo = told["GPU at work"]
    assert state == "note"
    assert "instead of cuda:0: its kernels do not give the CPU's picture (edited plane 0" in detail
    assert todo == "update the graphics driver, or report this with doctor's output"
