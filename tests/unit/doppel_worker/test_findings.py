from __future__ import annotations

import json
import os
import subprocess
import sys

import onnxruntime
import pytest
from doppel_models.providers import CUDA_PROVIDER
from doppel_worker import findings
from doppel_worker.devices import Choice, choose


def test_the_program_prints_what_doctor_reads() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", "doppel_worker.findings"], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    rows = {row[0]: row for row in json.loads(done.stdout.splitlines()[-1])}
    assert rows["provider CPUExecutionProvider"][1:] == ["ok", "usable", ""]
    assert "auto takes " in rows["devices"][2]


def test_a_provider_that_falls_back_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    if CUDA_PROVIDER in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    # Doctor looks at what is listed; this runtime lists what it cannot start.
    listed = [CUDA_PROVIDER, "CPUExecutionProvider"]
    monkeypatch.setattr(findings.onnxruntime, "get_available_providers", lambda: listed)
    with pytest.warns(UserWarning, match=CUDA_PROVIDER):
        told = {one[0]: one for one in findings.findings()}
    _, state, detail, todo = told[f"provider {CUDA_PROVIDER}"]
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
