"""Index tables of the 478-point face mesh, and weights that follow from them.

Right and left are the person's. The tables are those of MediaPipe's face mesh connections
(``face_mesh_connections.py``), written as pairs of an upper and a lower point where a slit opens between
them.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt

from doppel_models import canonical
from doppel_models.types import FloatArray

Indices = npt.NDArray[np.intp]

OVAL: Indices = np.array(
    [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176,
     149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
)  # fmt: skip
"""The outline of the mesh, clockwise in the picture from the middle of the forehead."""

RIGHT_EYE_UPPER: Indices = np.array([33, 246, 161, 160, 159, 158, 157, 173, 133])
RIGHT_EYE_LOWER: Indices = np.array([33, 7, 163, 144, 145, 153, 154, 155, 133])
LEFT_EYE_UPPER: Indices = np.array([362, 398, 384, 385, 386, 387, 388, 466, 263])
LEFT_EYE_LOWER: Indices = np.array([362, 382, 381, 380, 374, 373, 390, 249, 263])
LIPS_INNER_UPPER: Indices = np.array([78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308])
LIPS_INNER_LOWER: Indices = np.array([78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308])
LIPS_OUTER_UPPER: Indices = np.array([61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291])
LIPS_OUTER_LOWER: Indices = np.array([61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291])
RIGHT_BROW: Indices = np.array([70, 63, 105, 66, 107, 55, 65, 52, 53, 46])
LEFT_BROW: Indices = np.array([300, 293, 334, 296, 336, 285, 295, 282, 283, 276])


def ring(upper: Indices, lower: Indices) -> Indices:
    """The closed outline of a slit from its upper and lower points, which share both corners."""
    return np.concatenate([upper, lower[-2:0:-1]])


RIGHT_EYE = ring(RIGHT_EYE_UPPER, RIGHT_EYE_LOWER)
LEFT_EYE = ring(LEFT_EYE_UPPER, LEFT_EYE_LOWER)
MOUTH = ring(LIPS_INNER_UPPER, LIPS_INNER_LOWER)
LIPS = ring(LIPS_OUTER_UPPER, LIPS_OUTER_LOWER)


def opening(points: FloatArray, upper: Indices, lower: Indices) -> float:
    """How far a slit stands open: its mean inner height over its length, 0 when shut."""
    gap = points[upper[1:-1], :2] - points[lower[1:-1], :2]
    length = points[upper[0]] - points[upper[-1]]
    height = float(np.sqrt(np.einsum("ij,ij->i", gap, gap)).mean())
    return height / max(math.sqrt(float(length @ length)), 1e-6)


_SLITS = (
    (LIPS_INNER_UPPER, LIPS_INNER_LOWER),
    (RIGHT_EYE_UPPER, RIGHT_EYE_LOWER),
    (LEFT_EYE_UPPER, LEFT_EYE_LOWER),
)
"""In the order of :func:`openings`."""
ABOVE = np.concatenate([upper[1:-1] for upper, _ in _SLITS])
BELOW = np.concatenate([lower[1:-1] for _, lower in _SLITS])
"""The points of all slits that face each other."""
PAIRS = tuple(len(upper) - 2 for upper, _ in _SLITS)
"""How many of them are the first slit's, the second's, the third's."""
ENDS = np.concatenate([upper[[0, -1]] for upper, _ in _SLITS])
"""Both ends of each slit."""
_OF_SLITS = np.concatenate([ABOVE, BELOW, ENDS])


def openings(points: FloatArray) -> tuple[float, float, float]:
    """:func:`opening` of the mouth, the right and the left eye at once, in a third of the time."""
    # Plain floats: for so few numbers NumPy's functions take longer to be called than to run.
    taken = points.take(_OF_SLITS, axis=0).tolist()
    gaps = [
        math.hypot(a[0] - b[0], a[1] - b[1]) for a, b in zip(taken[:_COUNT], taken[_COUNT:], strict=False)
    ]
    ends = taken[2 * _COUNT :]
    found, start = [], 0
    for slit, count in enumerate(PAIRS):
        length = math.dist(ends[2 * slit], ends[2 * slit + 1])
        found.append(sum(gaps[start : start + count]) / count / max(length, 1e-6))
        start += count
    mouth, right, left = found
    return mouth, right, left


_COUNT = len(ABOVE)


def smoothstep(x: npt.NDArray[np.floating]) -> FloatArray:
    """0 below 0, 1 above 1, smooth in between."""
    t = np.clip(x, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


@functools.cache
def inner_weight() -> FloatArray:
    """(468,) how far a point follows the persona's proportions: 1 for inner features, 0 on the outline."""
    uv = canonical.load().uv
    distance = np.linalg.norm(uv[:, None] - uv[OVAL][None], axis=2).min(axis=1)
    return smoothstep((distance - 0.01) / 0.13)
