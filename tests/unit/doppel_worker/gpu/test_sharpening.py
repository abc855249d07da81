"""The sharpness on the device against the CPU's: at most 1 of 255 apart."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from doppel_models.tensor import TensorFormat
from doppel_models.types import ByteArray
from doppel_worker import sharpen
from doppel_worker.compositor import ColorShift
from doppel_worker.gpu import describe
from doppel_worker.gpu.compositor_cuda import CudaCompositor
from doppel_worker.gpu.device import Device
from doppel_worker.gpu.sharpening import sharpened
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.compositor_frames import noise
from tests.support.gpu import devices
from tests.support.kernel_device import KernelDevice

FORMATS = {
    "unit": TensorFormat(),
    "dfm": TensorFormat(layout="nhwc", channels="bgr"),
    "imagenet": TensorFormat(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
    "half": TensorFormat(channels="bgr", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), dtype="float16"),
}


@pytest.fixture(scope="module", params=devices(), ids=lambda make: make.__name__)
def compositor(request: pytest.FixtureRequest) -> CudaCompositor:
    device: Device = request.param()
    return CudaCompositor(device)


def masks(seed: int, height: int, width: int) -> ByteArray:
    """Patches of all levels, 0 among them, often up to the edge."""
    mask = cv2.GaussianBlur(noise(seed, height, width), (0, 0), 3).astype(np.float32)
    return np.asarray(np.clip((mask - 122) * 20, 0, 255), np.uint8)


@pytest.mark.parametrize("name", FORMATS)
@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 70)),
    amount=st.sampled_from([0.1, 0.5, 1.0]),
    shift=st.sampled_from([ColorShift(), ColorShift((0.9, 1.1, 1.02), (4.5, -9.25, 0.5))]),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_networks_picture_is_sharpened_as_on_the_cpu(
    compositor: CudaCompositor,
    name: str,
    size: tuple[int, int],
    amount: float,
    shift: ColorShift,
    seed: int,
) -> None:
    width, height = size
    fmt, mask = FORMATS[name], masks(seed, height, width)
    tensor = fmt.encode(noise(seed + 1, height, width, 3))
    compositor.ops.forget_uploads()
    picture = describe.read(fmt, compositor.ops.upload(tensor))
    made = sharpened(compositor.ops, picture, compositor.ops.upload(mask), amount, shift)
    expected = sharpen.sharpened(shift.apply(fmt.decode(tensor)), mask, amount)
    assert np.abs(compositor.ops.fetch_bytes(made).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("width", [40, 400, 900], ids=["tiny", "usual", "huge"])
def test_faces_of_every_size_are_sharpened_as_on_the_cpu(compositor: CudaCompositor, width: int) -> None:
    """The width of what counts as detail grows with the crop."""
    height = width // 4
    rgb, mask = noise(1, height, width, 3), np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, (width // 2, 0), (width // 3, height - 5), 0, 0, 360, 200, -1)  # cut by the upper edge
    compositor.ops.forget_uploads()
    above, over = compositor.ops.upload(rgb), compositor.ops.upload(mask)
    made = compositor.ops.fetch_bytes(sharpened(compositor.ops, describe.picture(above), over, 1.0))
    expected = sharpen.sharpened(rgb, mask, 1.0)
    assert np.abs(made.astype(int) - expected).max() <= 1
    assert (made[mask == 0] == rgb[mask == 0]).all()
    assert np.abs(made.astype(int) - rgb)[mask > 0].mean() > 20
    compositor.ops.forget_uploads()


def test_what_lies_outside_the_mask_is_not_looked_at() -> None:
    compositor = CudaCompositor(KernelDevice())
    fmt = TensorFormat()
    tensor = np.array(fmt.encode(noise(3, 32, 32, 3)))
    mask = np.zeros((32, 32), np.uint8)
    mask[8:24, 8:24] = 255
    clean = compositor.ops.upload(tensor)
    tensor[..., mask == 0] = np.nan
    results = [
        compositor.ops.fetch_bytes(
            sharpened(compositor.ops, describe.read(fmt, picture), compositor.ops.upload(mask), 1.0)
        )
        for picture in (clean, compositor.ops.upload(tensor))
    ]
    assert (results[0][mask > 0] == results[1][mask > 0]).all()
