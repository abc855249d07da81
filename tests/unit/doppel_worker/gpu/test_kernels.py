"""The kernels' sources and the structures that they share with Python."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from doppel_ipc.pixel_format import PixelFormat
from doppel_models.tensor import TensorFormat
from doppel_worker.compositor import Rect
from doppel_worker.gpu import describe, structs, taking
from doppel_worker.gpu.compositor_cuda import CudaCompositor
from doppel_worker.gpu.kernel_source import KERNEL_FOLDER, kernel_source

from tests.support import reference_compositor as reference
from tests.support.gpu import copied
from tests.support.kernel_device import KernelDevice, available_compilers

SOURCES = sorted(path.name for path in KERNEL_FOLDER.glob("*.cu"))
TOOLKIT = shutil.which("nvcc")


@pytest.mark.parametrize("compiler", available_compilers())
def test_parameters_have_the_same_size_in_python_and_in_c(compiler: str) -> None:
    device = KernelDevice(compiler)
    for kernel, (_, dtype) in structs.KERNELS.items():
        assert device.size_of(kernel) == dtype.itemsize, kernel


@pytest.mark.skipif(TOOLKIT is None, reason="nvcc is not installed")
@pytest.mark.parametrize("source", SOURCES)
def test_nvcc_takes_every_kernel_without_a_warning(tmp_path: Path, source: str) -> None:
    """For the oldest GPUs that CUDA 13 serves, and for the newest."""
    (tmp_path / source).write_text(kernel_source(source))
    targets = [f"-gencode=arch=compute_{number},code=sm_{number}" for number in (75, 89, 100)]
    command = [
        str(TOOLKIT), "-std=c++17", *targets, "-Werror", "all-warnings", "-Wno-deprecated-gpu-targets",
        "-fatbin", "-o", str(tmp_path / "kernel.fatbin"), str(tmp_path / source),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_holds_all_that_is_compiled(source: str) -> None:
    """It is what CuPy knows it by in its cache. It is written to a file in the system's own encoding."""
    text = kernel_source(source)
    assert "#include" not in text
    assert "struct TensorLayout" in text
    assert text.isascii()


def test_every_half_is_read_as_numpy_does_it() -> None:
    """All 65536 of them, as a picture whose thumbnail is as large as itself."""
    compositor = CudaCompositor(KernelDevice())
    halves = np.arange(65536, dtype=np.uint16).view(np.float16).reshape(1, 256, 256, 1)
    picture = np.repeat(halves, 3, axis=3)
    fmt = TensorFormat(layout="nhwc", dtype="float16")
    with np.errstate(invalid="ignore"):
        expected = fmt.decode(picture)
    (seen,) = compositor.ops.thumbnails([(compositor.ops.upload(picture), fmt)], 256)
    assert (seen.rgb == expected).all()
    assert not seen.finite


def test_values_are_rounded_to_halves_as_numpy_does_it() -> None:
    device = KernelDevice()
    compositor = CudaCompositor(device)
    frame = reference.make_frame(PixelFormat.BGRA, 256, 2)
    frame.planes[0][:, :1024] = np.repeat(np.arange(256, dtype=np.uint8), 4)
    rect = Rect(0, 0, 256, 2)
    bytes_ = compositor.read(frame, rect)
    assert (np.sort(bytes_[0, :, 0]) == np.arange(256)).all()
    fmt = TensorFormat(layout="nhwc", dtype="float16")
    for scale, offset in ((1 / 255, 0.0), (2 / 255, 1.0), (1 / (255 * 0.225), 1.8), (1e-7, 0.0), (3e2, 5e3)):
        to = compositor.ops.tensor(fmt.shape(256, 2), "float16")
        target = describe.written(fmt, to)
        target["scale"], target["offset"] = np.float32(scale), np.float32(offset)
        taking.Taking(device, compositor._frames, compositor._scratch).rectangle(frame, rect, target)
        with np.errstate(over="ignore"):
            exact = (bytes_ * np.float32(scale) - np.float32(offset)).astype(np.float16)
        assert (copied(device, to)[0].view(np.uint16) == exact.view(np.uint16)).all()
