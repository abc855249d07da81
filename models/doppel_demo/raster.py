"""A small triangle rasteriser: each pixel gets the nearest triangle's attributes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from doppel_demo.interpolation import Array

Index = npt.NDArray[np.int64]


def grid_triangles(rows: int, columns: int) -> Index:
    """(n, 3) vertex numbers of a grid of ``rows`` x ``columns`` vertices, two triangles per cell."""
    number = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]
    return np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)])


def rasterize(
    vertices: Array, attributes: Array, triangles: Index, width: int, height: int
) -> tuple[Array, Array]:
    """Draw triangles with a depth test.

    Args:
        vertices: (n, 3) x, y in pixels (centres of pixels at whole numbers), z (smaller is nearer).
        attributes: (n, c) values to interpolate.
        triangles: (m, 3) vertex numbers, clockwise; those that a fold turned over are not drawn.
        width: of the picture, pixels.
        height: of the picture, pixels.

    Returns:
        ``values`` (height, width, c), NaN where nothing was drawn, and ``depth`` (height, width), inf there.
    """
    corner = vertices[triangles]
    side, other = corner[:, 1, :2] - corner[:, 0, :2], corner[:, 2, :2] - corner[:, 0, :2]
    front = side[:, 0] * other[:, 1] - side[:, 1] * other[:, 0] > 0
    triangles, corner = triangles[front], corner[front]
    low_y = np.maximum(np.ceil(corner[:, :, 1].min(axis=1)), 0)
    high_y = np.minimum(np.floor(corner[:, :, 1].max(axis=1)), height - 1)
    rows = np.maximum(high_y - low_y + 1, 0).astype(np.int64)
    triangle = np.repeat(np.arange(len(triangles)), rows)
    y = low_y[triangle] + _counting(rows)

    # Where each row crosses the triangle's edges: the span of x to fill.
    left = np.full(len(triangle), np.inf)
    right = np.full(len(triangle), -np.inf)
    for first, second in ((0, 1), (1, 2), (2, 0)):
        a, b = corner[triangle, first], corner[triangle, second]
        rise = b[:, 1] - a[:, 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (y - a[:, 1]) / rise
            x = a[:, 0] + t * (b[:, 0] - a[:, 0])
        hit = (rise != 0) & (t >= 0) & (t <= 1)
        left[hit] = np.minimum(left[hit], x[hit])
        right[hit] = np.maximum(right[hit], x[hit])
    low_x = np.maximum(np.ceil(left - 1e-6), 0)
    high_x = np.minimum(np.floor(right + 1e-6), width - 1)
    counts = np.where(high_x >= low_x, high_x - low_x + 1, 0).astype(np.int64)
    span = np.repeat(np.arange(len(triangle)), counts)
    px, py, owner = low_x[span] + _counting(counts), y[span], triangle[span]

    # Barycentric coordinates.
    a, b, c = corner[owner, 0], corner[owner, 1], corner[owner, 2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    keep = np.abs(area) > 1e-9
    area = np.where(keep, area, 1.0)
    wb = ((px - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (py - a[:, 1])) / area
    wc = ((b[:, 0] - a[:, 0]) * (py - a[:, 1]) - (px - a[:, 0]) * (b[:, 1] - a[:, 1])) / area
    weights = np.stack([1 - wb - wc, wb, wc], axis=1)
    z = (weights * corner[owner, :, 2]).sum(axis=1)

    # Far ones first: the last write to a pixel is the nearest.
    order = np.argsort(-z, kind="stable")
    order = order[keep[order]]
    pixel = (py.astype(np.int64) * width + px.astype(np.int64))[order]
    winner = np.full(height * width, -1, np.int64)
    winner[pixel] = order
    drawn = winner >= 0
    chosen = winner[drawn]
    values = np.full((height * width, attributes.shape[1]), np.nan)
    values[drawn] = (weights[chosen, :, None] * attributes[triangles[owner[chosen]]]).sum(axis=1)
    depth = np.full(height * width, np.inf)
    depth[drawn] = z[chosen]
    return values.reshape(height, width, -1), depth.reshape(height, width)


def _counting(counts: Index) -> Array:
    """0, 1, ... counts[0]-1, 0, 1, ... counts[1]-1, ..."""
    total = int(counts.sum())
    starts = np.cumsum(counts) - counts
    return (np.arange(total) - np.repeat(starts, counts)).astype(np.float64)
