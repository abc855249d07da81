from __future__ import annotations

import json

import onnxruntime as ort
import pytest
from doppel_models import providers, weights
from doppel_models.session import Network
from doppel_worker import devices, open_device
from doppel_worker.cli.app import app
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.devices import DeviceInfo, choose, list_devices
from doppel_worker.errors import DeviceError
from typer.testing import CliRunner

from tests.support.gpu import why_no_gpu

no_cuda = pytest.mark.skipif(
    providers.CUDA_PROVIDER in ort.get_available_providers() and not why_no_gpu(),
    reason="this machine has CUDA",
)


def network(info: DeviceInfo) -> Network:
    return Network("detector", weights.FACE_DETECTOR.read(), info.session_config())


def test_the_cpu_is_there_with_a_name_and_comes_last() -> None:
    last = list_devices()[-1]
    assert (last.id, last.kind, last.provider) == ("cpu", "cpu", providers.CPU_PROVIDER)
    assert "cores" in last.name


@pytest.mark.parametrize("wanted", ["gpu", "cuda:", "cuda:x", "CPU", "", "cuda:0; rm", "cpu:1"])
def test_what_is_no_device_is_refused_in_words(wanted: str) -> None:
    with pytest.raises(DeviceError, match=r"is no device; use auto, cpu or e\.g\. cuda:0"):
        choose(wanted)


@no_cuda
@pytest.mark.parametrize("wanted", ["cuda", "cuda:0", "cuda:7"])
def test_a_gpu_that_cannot_be_had_becomes_the_cpu_and_the_user_learns_why(wanted: str) -> None:
    told: list[str] = []
    opened = open_device.open_device(wanted, told.append)
    assert opened.info.id == "cpu"
    assert isinstance(opened.compositor, CpuCompositor)
    assert len(told) == 1
    assert told[0].startswith(f"the CPU does the work instead of {wanted}: ")
    assert "install" in told[0], "what to do is said"


@no_cuda
def test_a_gpu_whose_kernels_cannot_be_run_becomes_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listed by its driver, but CUDA's runtime is not there."""
    listed = (DeviceInfo("cuda:0", "NVIDIA Test", 8192, providers.CUDA_PROVIDER),)
    monkeypatch.setattr(devices, "_cuda", lambda: (listed, ""))
    assert choose().device.id == "cuda:0"
    told: list[str] = []
    assert open_device.open_device("auto", told.append).info.id == "cpu"
    assert "instead of cuda:0" in told[0]


@no_cuda
def test_a_provider_that_falls_back_in_silence_is_told_and_the_cpu_works_alone() -> None:
    info = DeviceInfo("cuda:0", "NVIDIA Test", 8192, providers.CUDA_PROVIDER)
    opened = open_device.OpenDevice(info, CpuCompositor(), info.session_config())
    told: list[str] = []
    assert open_device.checked(opened, [network(info)], told.append).info.id == "cpu"
    assert "because CUDAExecutionProvider could not be started: " in told[0]
    told.clear()
    good = open_device.open_device("cpu", told.append)
    assert open_device.checked(good, [network(good.info)], told.append) is good
    assert told == []


def test_providers_beside_cuda_are_devices_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [providers.DIRECTML_PROVIDER, providers.CPU_PROVIDER]
    monkeypatch.setattr(ort, "get_available_providers", lambda: names)
    choice = choose("auto")
    assert (choice.device.id, choice.fallback) == ("directml:0", "")
    assert choice.device.session_config().providers == (providers.DIRECTML_PROVIDER, providers.CPU_PROVIDER)
    assert choose("openvino").fallback.startswith("the CPU does the work instead of openvino: ")


def test_the_command_lists_them() -> None:
    done = CliRunner().invoke(app, ["devices", "--json"])
    assert done.exit_code == 0
    result = json.loads(done.stdout)
    assert result["devices"][-1]["id"] == "cpu"
    assert result["auto"] in [device["id"] for device in result["devices"]]
    assert "cpu" in CliRunner().invoke(app, ["devices"]).stdout
