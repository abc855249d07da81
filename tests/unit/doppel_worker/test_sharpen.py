from __future__ import annotations

import cv2
import numpy as np
import pytest
from doppel_models.types import ByteArray
from doppel_worker.sharpen import sharpened


def soft_steps(size: int = 200) -> tuple[ByteArray, ByteArray]:
    """Soft stripes inside a round mask, and noise outside it that must not be seen."""
    rgb = np.zeros((size, size, 3), np.uint8)
    rgb[:, (np.arange(size) // 10) % 2 == 0] = (180, 120, 90)
    rgb[:, (np.arange(size) // 10) % 2 == 1] = (120, 80, 60)
    rgb = cv2.GaussianBlur(rgb, (0, 0), 1.5)
    mask = np.zeros((size, size), np.uint8)
    cv2.circle(mask, (size // 2, size // 2), size // 3, 255, -1)
    rgb[mask == 0] = np.random.default_rng(1).integers(0, 256, (int((mask == 0).sum()), 3))
    return np.asarray(rgb, np.uint8), mask


def steepness(rgb: ByteArray, mask: ByteArray) -> float:
    inner = cv2.erode(mask, np.ones((9, 9), np.uint8)) > 0
    return float(np.abs(cv2.Sobel(rgb.astype(np.float32), cv2.CV_32F, 1, 0))[inner].max())


def test_edges_get_steeper_with_the_amount() -> None:
    rgb, mask = soft_steps()
    found = [steepness(sharpened(rgb, mask, amount), mask) for amount in (0, 0.5, 1)]
    assert found[0] * 1.1 < found[1] < found[2]


def test_flat_skin_and_what_is_outside_the_mask_stay() -> None:
    rgb, mask = soft_steps()
    rgb[mask > 0] = (150, 100, 80)
    assert np.array_equal(sharpened(rgb, mask, 1.0), rgb)


def test_the_edge_of_the_mask_gets_no_rim() -> None:
    rgb, mask = soft_steps()
    other = rgb.copy()
    other[mask == 0] = 255 - other[mask == 0]
    inside = mask > 0
    assert np.array_equal(sharpened(rgb, mask, 1.0)[inside], sharpened(other, mask, 1.0)[inside])


@pytest.mark.parametrize("size", [1, 2, 33])
def test_any_size_and_an_empty_mask_are_taken(size: int) -> None:
    rgb = np.full((size, size, 3), 77, np.uint8)
    for level in (0, 1, 255):
        assert np.array_equal(sharpened(rgb, np.full((size, size), level, np.uint8), 0.7), rgb)
