"""The look at a device before it is trusted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from doppel_models.engines.mesh import drawing
from doppel_worker.errors import DeviceError
from doppel_worker.gpu import self_test
from doppel_worker.gpu.compositor_cuda import CudaCompositor
from doppel_worker.gpu.device import Device
from doppel_worker.gpu.structs import KERNELS, Struct

from tests.support.gpu import devices
from tests.support.kernel_device import KernelDevice

_NOT_LOOKED_AT = {"shrink_picture", "live_texture"} | {name for name in KERNELS if name.startswith("patch_")}


@pytest.mark.parametrize("make", devices(), ids=lambda make: make.__name__)
def test_a_device_that_works_is_trusted(make: Callable[[], Device]) -> None:
    self_test.check(CudaCompositor(make()))


class Deaf(KernelDevice):
    """Does not run one of the kernels, and says nothing."""

    deaf = ""

    def launch(self, kernel: str, width: int, height: int, params: Struct) -> None:
        if kernel != self.deaf:
            super().launch(kernel, width, height, params)


@pytest.mark.parametrize("kernel", sorted(set(KERNELS) - _NOT_LOOKED_AT))
def test_a_kernel_that_does_nothing_is_found_out(kernel: str) -> None:
    device = Deaf()
    device.deaf = kernel
    with pytest.raises(DeviceError, match="do not give the CPU's picture"):
        self_test.check(CudaCompositor(device))


def test_the_face_of_the_test_is_seen() -> None:
    plan, crop = self_test._face()
    shown = drawing.Drawing().draw(plan, crop, drawing.lit_texture(plan))
    assert np.count_nonzero(shown.mask > 200) > 2000
