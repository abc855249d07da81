from __future__ import annotations

import cv2
import numpy as np
import pytest
from doppel_models.types import ByteArray

from tests.support.checkerboard import contrast, squares

SIZES = pytest.mark.parametrize(("width", "height"), [(16, 9), (33, 17)])


def drawn(picture: ByteArray) -> ByteArray:
    """As OBS draws it: as large as fits into the middle of the canvas."""
    height, width = picture.shape[:2]
    scale = min(640 / width, 360 / height)
    matrix = np.array(
        [
            [scale, 0, (640 - scale * width) / 2 + scale / 2 - 0.5],
            [0, scale, (360 - scale * height) / 2 + scale / 2 - 0.5],
        ]
    )
    return np.asarray(cv2.warpAffine(picture, matrix, (640, 360), flags=cv2.INTER_LINEAR), np.uint8)


@SIZES
def test_the_squares_are_seen_also_darker_blurred_and_a_little_beside_their_place(
    width: int, height: int
) -> None:
    for number in (0, 1):
        shown = drawn(squares(width, height, number))
        assert contrast(shown, width, height) > 0.9
        assert contrast(cv2.GaussianBlur(shown // 2 + 64, (9, 9), 0), width, height) > 0.3
        assert contrast(np.roll(shown, 5, axis=0), width, height) > 0.3


@SIZES
def test_covered_and_painted_over_they_are_not_seen(width: int, height: int) -> None:
    picture = squares(width, height)
    mosaic = picture.copy()
    for y in range(0, height, 2):
        for x in range(0, width, 2):
            mosaic[y : y + 2, x : x + 2] = picture[y : y + 2, x : x + 2].mean()
    painted = picture.copy()
    painted[height // 8 :] = 70
    for other in (mosaic, painted):
        assert contrast(drawn(other), width, height) < 0.1
