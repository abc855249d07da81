"""A picture that is told from its cover and from a swapped one however small it is: black and white squares.

Each pixel is a square, and no two neighbours are alike. The average of any two or more of them is grey, so a
mosaic of it shows none; nor does a picture that was painted over.
"""

from __future__ import annotations

import numpy as np
from doppel_models.types import ByteArray


def squares(width: int, height: int, number: int = 0) -> ByteArray:
    """The picture, uint8 RGB; an odd ``number`` has black and white exchanged."""
    rows, columns = np.indices((height, width))
    white = (rows + columns + number) % 2 == 0
    return np.repeat(np.where(white, 255, 0).astype(np.uint8)[..., None], 3, axis=2)


def contrast(shown: ByteArray, width: int, height: int) -> float:
    """How much of the squares a picture shows in its lower half: 0 none, 1 all of them.

    Args:
        shown: (rows, columns, 3) uint8; the source of ``width`` x ``height`` fills it as far as its aspect
            allows, in the middle.
        width: of the source, in squares; more than one.
        height: of the source.
    """
    rows, columns = shown.shape[:2]
    scale = min(rows / height, columns / width)
    top, left = (rows - scale * height) / 2, (columns - scale * width) / 2
    y, x = np.indices((height, width))
    y, x = y[height // 2 :], x[height // 2 :]
    luma = shown.astype(np.float64).mean(axis=2)
    middle = luma[(top + scale * (y + 0.5)).astype(int), (left + scale * (x + 0.5)).astype(int)]
    return abs(float(np.where((x + y) % 2 == 0, middle, -middle).mean())) / 127.5
