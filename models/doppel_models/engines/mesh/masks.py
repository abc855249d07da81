"""Masks in texture space: the feathered outline of the swapped face."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from doppel_models import canonical
from doppel_models.engines.mesh import regions
from doppel_models.types import ByteArray, FloatArray

SIZE = 64


@functools.cache
def distance() -> FloatArray:
    """(SIZE, SIZE) distance to the outline, 0 outside, in units of the texture's side."""
    fine = 8
    outline = np.rint(canonical.load().uv[regions.OVAL] * (SIZE * fine) - 0.5).astype(np.int32)
    canvas = np.zeros((SIZE * fine, SIZE * fine), np.uint8)
    cv2.fillPoly(canvas, [outline], 255)
    distance = cv2.distanceTransform(canvas, cv2.DIST_L2, 5) / (SIZE * fine)
    return np.asarray(cv2.resize(distance, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.float32)


@functools.lru_cache(maxsize=8)
def feather(softness: float) -> FloatArray:
    """(SIZE, SIZE) 0..1: a face's mask; it falls to 0 towards the outline over a width set by ``softness``."""
    width = 0.02 + 0.14 * softness
    rows = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE
    # Wider over the forehead, where hairlines differ, than along the jaw.
    taper = 1 + 0.8 * regions.smoothstep((0.35 - rows) / 0.25)[:, None]
    return regions.smoothstep((distance() - 0.006) / (width * taper))


@functools.lru_cache(maxsize=8)
def rim(softness: float) -> FloatArray:
    """(SIZE, SIZE) 0..1: the mask of a worn mask, whose edge may be seen."""
    return regions.smoothstep((distance() - 0.004) / (0.012 + 0.05 * softness))


def patch_mask(outline: FloatArray, origin: tuple[int, int], size: tuple[int, int], soft: float) -> ByteArray:
    """(h, w) uint8: 255 inside a closed outline (N, 2) of the crop, feathered by ``soft`` pixels.

    Args:
        outline: pixels of the crop.
        origin: (x, y) of the patch in the crop.
        size: (width, height) of the patch.
        soft: standard deviation of the feather, pixels.
    """
    canvas = np.zeros((size[1], size[0]), np.uint8)
    fixed = np.rint((outline - np.array(origin, np.float32)) * 16).astype(np.int32)
    cv2.fillPoly(canvas, [fixed], 255, cv2.LINE_AA, 4)
    if soft > 0.3:
        k = 2 * int(np.ceil(2 * soft)) + 1
        canvas = np.asarray(cv2.GaussianBlur(canvas, (k, k), soft), np.uint8)
    return canvas
