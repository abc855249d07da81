"""``doppel swap`` on a device: the worker's own way, and clear words where there is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from doppel_models.session import SessionConfig
from doppel_worker import open_device
from doppel_worker.cli.app import app
from doppel_worker.devices import DeviceInfo
from doppel_worker.errors import DeviceError, DeviceLostError, MediaError
from doppel_worker.gpu.compositor_cuda import CudaCompositor
from doppel_worker.open_device import OpenDevice
from typer.testing import CliRunner

from tests.support.faces import room
from tests.support.gpu import why_no_gpu
from tests.support.kernel_device import KernelDevice
from tests.support.portrait import FIXTURES, astronaut, paste_head
from tests.support.video import read_video, write_video

PHOTO = FIXTURES / "astronaut.png"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOPPEL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DOPPEL_DEVICE", raising=False)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    canvas = room(320, 240)
    paste_head(canvas, astronaut(), center=(160.0, 120.0), height=110.0)
    path = tmp_path / "in.mp4"
    write_video(path, [canvas] * 4)
    return path


class Failing(KernelDevice):
    """Fails for good after some kernels."""

    left = 10**9

    def __init__(self) -> None:
        super().__init__()
        self.launched: set[object] = set()

    def launch(self, *arguments: object) -> None:
        self.launched.add(arguments[0])
        self.left -= 1
        if self.left < 0:
            raise DeviceLostError("the kernel paste_rect failed: an illegal memory access was encountered")
        super().launch(*arguments)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Failing:
    """``cuda:0`` is a device whose kernels run on the processor."""
    device = Failing()
    info = DeviceInfo("cuda:0", "stand-in", 1024, "CPUExecutionProvider")

    def opened(_wanted: str, _fallback: Callable[[str], None]) -> OpenDevice:
        return OpenDevice(info, CudaCompositor(device), SessionConfig())

    monkeypatch.setattr(open_device, "open_device", opened)
    return device


def run(clip: Path, out: Path, *settings: str) -> dict[str, object]:
    arguments = ["swap", str(clip), str(out), "--persona", str(PHOTO), "--consent", "public-domain", "--json"]
    for setting in settings:
        arguments += ["--set", setting]
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    found: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return found


def test_the_devices_kernels_make_the_cpus_video(clip: Path, gpu: Failing, tmp_path: Path) -> None:
    figures = run(clip, tmp_path / "gpu.mp4", "device=cuda:0")
    assert (figures["device"], figures["swapped"]) == ("cuda:0", 4)
    assert gpu.launched >= {"sample_crop", "mesh_raster", "mesh_draw", "patch_lay", "paste_rect"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(open_device, "open_device", _cpu)
        assert run(clip, tmp_path / "cpu.mp4", "device=cpu")["device"] == "cpu"
    by_gpu, by_cpu = (read_video(tmp_path / f"{name}.mp4") for name in ("gpu", "cpu"))
    for (_, one), (_, other) in zip(by_gpu, by_cpu, strict=True):
        assert np.abs(one.astype(int) - other).mean() < 1


def _cpu(_wanted: str, _fallback: Callable[[str], None]) -> OpenDevice:
    from doppel_worker.compositor_cpu import CpuCompositor

    return OpenDevice(DeviceInfo("cpu", "cpu", None, ""), CpuCompositor(), SessionConfig())


def test_a_device_that_fails_leaves_no_file(clip: Path, gpu: Failing, tmp_path: Path) -> None:
    gpu.left = 60
    with pytest.raises(MediaError, match=r"out\.mp4 was not made: the device failed at frame \d.*device=cpu"):
        run(clip, tmp_path / "out.mp4", "device=cuda:0")
    assert [path.name for path in tmp_path.glob("*.mp4")] == ["in.mp4"]


@pytest.mark.skipif(not why_no_gpu(), reason="this machine has a GPU")
@pytest.mark.parametrize("device", ["cuda:0", "cuda:7"])
def test_a_named_device_that_is_not_there_is_refused(clip: Path, tmp_path: Path, device: str) -> None:
    with pytest.raises(
        DeviceError, match=rf"^{device} cannot be used: .*install.* or leave out device={device}$"
    ):
        run(clip, tmp_path / "out.mp4", f"device={device}")
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.skipif(not why_no_gpu(), reason="this machine has a GPU")
def test_what_auto_means_is_told_where_it_is_not_there(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOPPEL_DEVICE", "cuda:0")
    assert run(clip, tmp_path / "out.mp4")["device"] == "cpu"
