from __future__ import annotations

import itertools

import numpy as np
import pytest
from doppel_models.tensor import TensorFormat

IMAGENET = TensorFormat(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
FORMATS = [
    TensorFormat(layout, channels, mean, std, dtype)
    for layout, channels, (mean, std), dtype in itertools.product(
        ("nchw", "nhwc"),
        ("rgb", "bgr"),
        (((0.0,) * 3, (1.0,) * 3), ((0.5,) * 3, (0.5,) * 3), (IMAGENET.mean, IMAGENET.std)),
        ("float32", "float16"),
    )
]


@pytest.mark.parametrize("form", FORMATS, ids=str)
def test_every_byte_comes_back(form: TensorFormat) -> None:
    values = np.arange(256, dtype=np.uint8)
    picture = np.stack([np.roll(values, shift).reshape(8, 32) for shift in (0, 85, 170)], -1)
    tensor = form.encode(picture)
    assert tensor.shape == form.shape(32, 8)
    assert tensor.dtype == form.dtype
    np.testing.assert_array_equal(form.decode(tensor), picture)


def test_a_channel_is_normalised_by_its_own_mean_and_deviation_wherever_it_stands() -> None:
    red = np.zeros((2, 3, 3), np.uint8)
    red[..., 0] = 255
    expected = [(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225]
    np.testing.assert_allclose(IMAGENET.encode(red)[0, :, 1, 2], expected, rtol=1e-6)
    swapped = TensorFormat("nhwc", "bgr", IMAGENET.mean, IMAGENET.std)
    np.testing.assert_allclose(swapped.encode(red)[0, 1, 2], expected[::-1], rtol=1e-6)


def test_what_a_network_makes_of_nothing_is_still_a_picture() -> None:
    broken = np.full((1, 3, 2, 2), np.nan, np.float32)
    broken[0, 1], broken[0, 2] = np.inf, -7.0
    np.testing.assert_array_equal(TensorFormat().decode(broken)[0, 0], [0, 255, 0])
