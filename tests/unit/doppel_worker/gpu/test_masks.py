"""Masks on the device against OpenCV's."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from doppel_worker.errors import FrameError
from doppel_worker.gpu.compositor_cuda import CudaCompositor
from doppel_worker.gpu.device import Device
from doppel_worker.gpu.masks import DeviceMasks
from doppel_worker.gpu.tensors import DeviceTensors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.gpu import copied, devices

some = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
sizes = st.tuples(st.integers(1, 60), st.integers(1, 60))


@pytest.fixture(scope="module", params=devices(), ids=lambda make: make.__name__)
def tensors(request: pytest.FixtureRequest) -> DeviceTensors:
    device: Device = request.param()
    return CudaCompositor(device).ops


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@given(sizes, st.integers(0, 9), st.integers(0, 2**16))
@some
def test_a_mask_is_drawn_in_as_by_opencv(
    tensors: DeviceTensors, size: tuple[int, int], radius: int, seed: int
) -> None:
    mask = noise(seed, *size)
    square = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    drawn = DeviceMasks(tensors).eroded(tensors.upload(mask), radius)
    assert (copied(tensors.device, drawn) == cv2.erode(mask, square)).all()


@given(sizes, st.floats(0.4, 6), st.integers(0, 2**16))
@some
def test_a_mask_is_softened_as_by_opencv(
    tensors: DeviceTensors, size: tuple[int, int], sigma: float, seed: int
) -> None:
    mask = noise(seed, *size)
    side = 2 * max(1, int(np.ceil(3 * sigma))) + 1
    exact = cv2.GaussianBlur(
        mask.astype(np.float32), (side, side), sigma, borderType=cv2.BORDER_REPLICATE
    ).reshape(size)
    soft = copied(tensors.device, DeviceMasks(tensors).blurred(tensors.upload(mask), sigma))
    assert np.abs(soft - exact).max() <= 0.51


@given(sizes, st.sampled_from(["float32", "float16", "uint8"]), st.integers(0, 2**16))
@some
def test_a_networks_mask_times_ours(
    tensors: DeviceTensors, size: tuple[int, int], dtype: str, seed: int
) -> None:
    own, ours = noise(seed, *size), noise(seed + 1, *size)
    given_by_network = own if dtype == "uint8" else (own / 255).astype(dtype)
    masks = DeviceMasks(tensors)
    # As a network gives it: with a batch and a channel.
    shaped = tensors.upload(given_by_network.reshape(1, 1, *size))
    result = copied(tensors.device, masks.product(masks.from_network(shaped), tensors.upload(ours)))
    assert (result == np.rint(own.astype(float) * ours / 255)).all()


def test_masks_that_do_not_fit_are_refused(tensors: DeviceTensors) -> None:
    masks = DeviceMasks(tensors)
    with pytest.raises(FrameError, match="do not fit"):
        masks.product(tensors.upload(noise(0, 4, 5)), tensors.upload(noise(0, 5, 4)))
    with pytest.raises(FrameError, match="a blur of 0"):
        masks.blurred(tensors.upload(noise(0, 4, 5)), 0.0)
