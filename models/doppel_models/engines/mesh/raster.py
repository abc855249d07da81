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


def rasterize(
    points: FloatArray,
    attributes: FloatArray,
    triangles: npt.NDArray[np.int32],
    width: int,
    height: int,
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Interpolate two attributes over the front-facing triangles of a mesh.

    Args:
        points: (N, 3) float32, x and y in pixels (pixel centres at whole numbers), z smaller is nearer.
        attributes: (N, 2) float32 per vertex.
        triangles: (T, 3) counter-clockwise in a picture with y down, as the canonical face's are.
        width: of the result, pixels.
        height: of the result, pixels.

    Returns:
        (height, width, 2) float32 attributes, 0 where no triangle is; and (height, width) bool coverage.
    """
    out = np.zeros(height * width, np.complex64)
    covered = np.zeros(height * width, np.bool_)
    corner = points[triangles]
    x, y = corner[:, :, 0], corner[:, :, 1]
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    keep = np.flatnonzero(area < -1e-6)
    keep = keep[np.argsort(-corner[keep, :, 2].sum(axis=1), kind="stable")]
    x, y, area = x[keep], y[keep], area[keep]

    # Attribute planes: value(x, y) = value0 + dx * (x - x0) + dy * (y - y0).
    value = np.ascontiguousarray(attributes, np.float32).view(np.complex64)[:, 0][triangles[keep]]
    e1, e2 = value[:, 1] - value[:, 0], value[:, 2] - value[:, 0]
    ax, ay, bx, by = x[:, 1] - x[:, 0], y[:, 1] - y[:, 0], x[:, 2] - x[:, 0], y[:, 2] - y[:, 0]
    dx, dy = (e1 * by - e2 * ay) / area, (e2 * ax - e1 * bx) / area

    first_row = np.maximum(np.ceil(y.min(axis=1)), 0).astype(np.int32)
    rows = np.minimum(np.floor(y.max(axis=1)), height - 1).astype(np.int32) - first_row + 1
    rows = np.maximum(rows, 0)
    owner, step = _expand(rows)
    row = first_row[owner] + step
    row_f = row.astype(np.float32)

    # Each edge bounds the span of a row from the left or from the right.
    low = np.full(len(owner), -1.0, np.float32)
    high = np.full(len(owner), np.float32(width), np.float32)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        rise = y[:, j] - y[:, i]
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.where(np.abs(rise) > 1e-6, (x[:, j] - x[:, i]) / rise, 0).astype(np.float32)
        bound = x[owner, i] + slope[owner] * (row_f - y[owner, i])
        down, up = rise[owner] > 1e-6, rise[owner] < -1e-6
        low = np.where(down, np.maximum(low, bound), low)
        high = np.where(up, np.minimum(high, bound), high)
    start = np.maximum(np.ceil(low - _EDGE_SLACK), 0).astype(np.int32)
    count = np.minimum(np.floor(high + _EDGE_SLACK), width - 1).astype(np.int32) - start + 1
    count = np.maximum(count, 0)

    base = value[owner, 0] + dx[owner] * (start - x[owner, 0]) + dy[owner] * (row_f - y[owner, 0])
    span, step = _expand(count)
    where = (row * width + start)[span] + step
    out[where] = base.astype(np.complex64)[span] + dx[owner].astype(np.complex64)[span] * step.astype(
        np.float32
    )
    covered[where] = True
    return out.view(np.float32).reshape(height, width, 2), covered.reshape(height, width)


def _expand(counts: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int32]]:
    """For ``[2, 0, 3]``: owners ``[0, 0, 2, 2, 2]`` and steps ``[0, 1, 0, 1, 2]``."""
    owner = np.repeat(np.arange(len(counts)), counts)
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    step = np.arange(total, dtype=np.int32) - np.repeat((ends - counts).astype(np.int32), counts)
    return owner, step
