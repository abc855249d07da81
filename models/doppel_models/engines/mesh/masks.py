"""Masks in texture space: the feathered outline of the swapped face."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from doppel_models import canonical
from doppel_models.engines.mesh import regions
from doppel_models.types import FloatArray

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
    """(SIZE, SIZE) 0..1: a face's mask; towards the outline it falls to 0, the wider the softer."""
    width = 0.02 + 0.14 * softness
    rows = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE
    # Wider over the forehead, where hairlines differ, than along the jaw.
    taper = (1 + 0.8 * regions.smoothstep((0.35 - rows) / 0.25)[:, None]).astype(np.float32)
    return regions.smoothstep((distance() - 0.006) / (width * taper))


@functools.lru_cache(maxsize=8)
def rim(softness: float) -> FloatArray:
    """(SIZE, SIZE) 0..1: the mask of a worn mask, whose edge may be seen."""
    return regions.smoothstep((distance() - 0.004) / (0.012 + 0.05 * softness))


def support(known: FloatArray) -> FloatArray:
    """(SIZE, SIZE) distance to where the persona's skin ends: the outline, or hair over it."""
    seen = ((known > 0.5) & (distance() > 0.004)).astype(np.uint8)
    inner = np.asarray(cv2.distanceTransform(seen, cv2.DIST_L2, 5), np.float32) / SIZE
    return np.minimum(inner, distance())
