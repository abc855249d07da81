"""Zones of the face in texture space, for what is in front of it (``occlusion``)."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from doppel_models.engines.mesh import masks, regions, relight
from doppel_models.types import FloatArray

SIZE = masks.SIZE
_BORDER = 0.035


@functools.cache
def inside() -> npt.NDArray[np.bool_]:
    """(SIZE, SIZE) the texels of the face."""
    return np.asarray(masks.distance() > 0.006, np.bool_)


@functools.cache
def area() -> int:
    """Number of the face's texels."""
    return int(np.count_nonzero(inside()))


@functools.cache
def inside_share() -> FloatArray:
    """(SIZE, SIZE) weights that give the mean over :func:`inside`."""
    return inside().astype(np.float32) / np.float32(area())


@functools.cache
def border() -> npt.NDArray[np.bool_]:
    """(SIZE, SIZE) the texels along the outline."""
    return np.asarray(inside() & (masks.distance() < _BORDER), np.bool_)


@functools.cache
def trust() -> FloatArray:
    """(SIZE, SIZE) 0..1: low at the temples, where landmarks slide over hair and ears as the head turns."""
    rows, columns = (np.mgrid[0:SIZE, 0:SIZE] + 0.5) / SIZE
    side = regions.smoothstep(((np.abs(columns - 0.5) - 0.26) / 0.12).astype(np.float32))
    height = regions.smoothstep(((0.62 - rows) / 0.08).astype(np.float32))
    return np.asarray(1 - 0.7 * side * height, np.float32)


@functools.cache
def cheeks() -> npt.NDArray[np.intp]:
    """Flat indices of the cheeks' texels."""
    rows, columns = (np.mgrid[0:SIZE, 0:SIZE] + 0.5) / SIZE
    middle = (rows > 0.42) & (rows < 0.70) & (np.abs(columns - 0.5) < 0.3)
    return np.flatnonzero(middle & (relight.skin_weight() > 0.5))


@functools.cache
def hair_zone() -> npt.NDArray[np.bool_]:
    """(SIZE, SIZE) the texels above the brows."""
    rows, columns = (np.mgrid[0:SIZE, 0:SIZE] + 0.5) / SIZE
    return np.asarray(inside() & (rows < 0.24 + 0.3 * np.maximum(np.abs(columns - 0.5) - 0.36, 0)), np.bool_)


@functools.cache
def hair_roots() -> npt.NDArray[np.intp]:
    """Flat indices of the texels from which hair can hang down."""
    return np.flatnonzero(hair_zone() & (masks.distance() < 0.05))
