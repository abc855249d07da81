"""The kernels' sources and the structures that they share with Python."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from doppel_models.tensor import TensorFormat
from doppel_worker.gpu import describe, structs
from doppel_worker.gpu.compositor_cuda import CudaCompositor
from doppel_worker.gpu.kernel_source import KERNEL_FOLDER, kernel_source

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


def test_every_half_is_read_and_written_as_numpy_does_it() -> None:
    """All 65536 of them, by way of masks whose values are halves."""
    device = KernelDevice()
    compositor = CudaCompositor(device)
    halves = np.arange(65536, dtype=np.uint16).view(np.float16).reshape(1, 256, 256, 1)
    picture = np.repeat(halves, 3, axis=3)
    fmt = TensorFormat(layout="nhwc", dtype="float16")
    with np.errstate(invalid="ignore"):
        expected = fmt.decode(picture)[..., 0]
    to = compositor.ops.tensor((256, 256), "uint8")
    device.launch(
        "mask_bytes", 256, 256,
        _mask(describe.mask(compositor.ops.upload(halves)), describe.mask(to), 256, 256),
    )  # fmt: skip
    assert (copied(device, to) == expected).all()


def test_values_are_rounded_to_halves_as_numpy_does_it() -> None:
    device = KernelDevice()
    compositor = CudaCompositor(device)
    bytes_ = np.tile(np.arange(256, dtype=np.uint8), (2, 1))
    for scale, offset in ((1 / 255, 0.0), (2 / 255, 1.0), (1 / (255 * 0.225), 1.8), (1e-7, 0.0), (3e2, 5e3)):
        to = compositor.ops.tensor((2, 256), "float16")
        target = describe.mask(to)
        target["scale"], target["offset"] = np.float32(scale), np.float32(offset)
        device.launch(
            "mask_bytes", 256, 2, _mask(describe.mask(compositor.ops.upload(bytes_)), target, 256, 2)
        )
        with np.errstate(over="ignore"):
            exact = (bytes_ * np.float32(scale) - np.float32(offset)).astype(np.float16)
        assert (copied(device, to).view(np.uint16) == exact.view(np.uint16)).all()


def _mask(source: structs.Struct, to: structs.Struct, width: int, height: int) -> structs.Struct:
    params = structs.struct(structs.MASK, to=to[0], width=width, height=height)
    params["from"] = source
    return params
