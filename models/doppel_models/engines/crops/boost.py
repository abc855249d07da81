"""Pixel boost: a crop of N times a network's size, swapped as N * N interleaved crops of its own size.

Each of them shows the whole face, N pixels apart, so the network sees what it was trained for, and together
they hold the detail that one of them cannot. The costs are N * N runs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from doppel_models.types import ByteArray, FloatArray

FACTORS = (1, 2, 3, 4)


def enlarged(matrix: FloatArray, factor: int) -> FloatArray:
    """A crop's matrix (2, 3) for a crop of ``factor`` times the size that shows the same.

    Pixel p is the middle of pixels ``factor * p`` to ``factor * p + factor - 1`` of the larger crop.
    """
    if factor == 1:
        return matrix
    larger = matrix * np.float32(factor)
    larger[:, 2] += np.float32((factor - 1) / 2)
    return larger


def split(crop: ByteArray, factor: int) -> list[ByteArray]:
    """The ``factor`` ** 2 interleaved crops, row by row; sides must be multiples of ``factor``."""
    return [np.ascontiguousarray(crop[y::factor, x::factor]) for y in range(factor) for x in range(factor)]


def join(parts: Sequence[ByteArray], factor: int) -> ByteArray:
    """The crop (h * ``factor``, w * ``factor``, ...) whose parts (h, w, ...) :func:`split` makes."""
    first = parts[0]
    height, width = first.shape[:2]
    whole = np.empty((height * factor, width * factor, *first.shape[2:]), first.dtype)
    for number, part in enumerate(parts):
        whole[number // factor :: factor, number % factor :: factor] = part
    return whole
