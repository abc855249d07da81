"""A small software rasteriser: attributes of a triangle mesh at every pixel, nearest triangle in front.

Triangles are drawn from back to front (painter's order): face meshes have no interlocking triangles at the
poses an engine swaps, and the order of whole triangles is far cheaper than a depth buffer in NumPy. Work is
done on spans: all rows of all triangles at once, then all pixels of all rows at once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from doppel_models.types import FloatArray

ComplexArray = npt.NDArray[np.complex64]

_EDGE_SLACK = np.float32(1e-2)
"""Pixels by which spans are widened, so that shared edges leave no holes."""
_TINY = np.float32(1e-6)
_FAR = np.float32(1e9)


def rasterize(
    points: FloatArray,
    attributes: FloatArray,
    triangles: npt.NDArray[np.int32],
    width: int,
    height: int,
) -> FloatArray:
    """Interpolate two attributes over the front-facing triangles of a mesh.

    Args:
        points: (N, 3) float32, x and y in pixels (pixel centres at whole numbers), z smaller is nearer.
        attributes: (N, 2) float32 per vertex, all above 0.
        triangles: (T, 3) counter-clockwise in a picture with y down, as the canonical face's are.
        width: of the result, pixels.
        height: of the result, pixels.

    Returns:
        (height, width, 2) float32 attributes, 0 where no triangle is.
    """
    corners = np.ascontiguousarray(triangles.T)
    x, y, z = (np.take(column, corners) for column in np.ascontiguousarray(points.T))
    area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
    keep = np.flatnonzero(area < -_TINY)
    depth = z[0] + z[1] + z[2]
    keep = keep[np.argsort(-depth[keep])]
    x, y, area = np.take(x, keep, axis=1), np.take(y, keep, axis=1), area[keep]
    values = np.ascontiguousarray(attributes, np.float32).view(np.complex64)[:, 0]
    planes = _planes(x, y, area, np.take(values, np.take(corners, keep, axis=1)))
    edges = _edges(x, y)

    # All rows of all triangles. Each edge bounds the span of a row from the left or from the right.
    first = np.maximum(np.ceil(np.minimum(np.minimum(y[0], y[1]), y[2])), 0).astype(np.int32)
    last = np.minimum(np.floor(np.maximum(np.maximum(y[0], y[1]), y[2])), height - 1).astype(np.int32)
    owner, step = _expand(np.maximum(last - first + 1, 0))
    row = np.take(first, owner) + step
    row_f = row.astype(np.float32)
    bound = np.take(edges, owner, axis=0)
    low, high = (bound[:, k] + bound[:, k + 1] * row_f for k in (0, 6))
    for k in (2, 4):
        np.maximum(low, bound[:, k] + bound[:, k + 1] * row_f, out=low)
        np.minimum(high, bound[:, k + 6] + bound[:, k + 7] * row_f, out=high)
    start = np.maximum(np.ceil(low - _EDGE_SLACK), 0).astype(np.int32)
    end = np.minimum(np.floor(high + _EDGE_SLACK), width - 1).astype(np.int32)
    count = np.maximum(end - start + 1, 0)

    # All pixels of all rows: numbered through, so that place and value are linear in the number.
    plane = np.take(planes, owner, axis=0)
    ends = np.cumsum(count)
    before = (ends - count).astype(np.int32)
    slope = np.ascontiguousarray(plane[:, 1])
    base = plane[:, 0] + slope * (start - before).astype(np.float32) + plane[:, 2] * row_f
    place = row * np.int32(width) + start - before
    total = int(ends[-1]) if len(ends) else 0
    number = np.arange(total, dtype=np.int32)
    span = np.repeat(np.arange(len(count)), count)
    out = np.zeros(height * width, np.complex64)
    out[np.take(place, span) + number] = np.take(base, span) + np.take(slope, span) * number.astype(
        np.float32
    )
    return out.view(np.float32).reshape(height, width, 2)


def _planes(x: FloatArray, y: FloatArray, area: FloatArray, value: ComplexArray) -> ComplexArray:
    """(T, 3): the value at (0, 0) and its slopes along x and y, per triangle."""
    e1, e2 = value[1] - value[0], value[2] - value[0]
    along_x = (e1 * (y[2] - y[0]) - e2 * (y[1] - y[0])) / area
    along_y = (e2 * (x[1] - x[0]) - e1 * (x[2] - x[0])) / area
    origin = value[0] - along_x * x[0] - along_y * y[0]
    return np.stack([origin, along_x, along_y], axis=1)


def _edges(x: FloatArray, y: FloatArray) -> FloatArray:
    """(T, 12): per edge ``c, m``, a span's left end being the largest ``c + m * row``; then right ends."""
    table = np.empty((x.shape[1], 12), np.float32)
    for edge, (i, j) in enumerate(((0, 1), (1, 2), (2, 0))):
        rise = y[j] - y[i]
        level = np.abs(rise) <= _TINY
        slope = (x[j] - x[i]) / np.where(level, np.float32(1), rise)
        cut = x[i] - slope * y[i]
        for column, sign, nowhere in ((0, 1, -_FAR), (6, -1, _FAR)):
            bounds = ~level & (sign * rise > 0)
            table[:, column + 2 * edge] = np.where(bounds, cut, nowhere)
            table[:, column + 2 * edge + 1] = np.where(bounds, slope, np.float32(0))
    return table


def _expand(counts: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int32]]:
    """For ``[2, 0, 3]``: owners ``[0, 0, 2, 2, 2]`` and steps ``[0, 1, 0, 1, 2]``."""
    owner = np.repeat(np.arange(len(counts)), counts)
    before = (np.cumsum(counts) - counts).astype(np.int32)
    return owner, np.arange(len(owner), dtype=np.int32) - np.take(before, owner)
