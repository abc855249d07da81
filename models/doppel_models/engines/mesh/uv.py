"""The face's texture space: which point of the mesh each texel shows.

A texture of ``size`` x ``size`` texels covers the canonical UV square; texel (column, row) has its centre at
``u * size = column + 0.5``, ``v * size = row + 0.5``.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
import numpy.typing as npt

from doppel_models import canonical
from doppel_models.engines.mesh.raster import covering, rasterize
from doppel_models.types import FloatArray


class UvGrid:
    """Where each texel of a texture lies on the mesh; beside it, the nearest triangle is continued."""

    def __init__(self, size: int) -> None:
        """Prepare a grid of ``size`` x ``size`` texels."""
        face = canonical.load()
        self.size = size
        texels = face.uv * size - 0.5
        corners = texels[face.triangles].reshape(-1, 2)
        flat = np.concatenate([corners, np.zeros((len(corners), 1), np.float32)], axis=1)
        number = np.repeat(np.arange(len(face.triangles), dtype=np.float32), 3) / len(face.triangles)
        ids = rasterize(
            flat.astype(np.float32),
            covering(np.stack([number, number], axis=1)),
            np.arange(len(corners), dtype=np.int32).reshape(-1, 3),
            size,
            size,
        )
        self.inside: npt.NDArray[np.bool_] = ids[:, :, 2] > 0.5
        """(size, size) True where the mesh is."""
        found = np.rint(ids[:, :, 0] * len(face.triangles)).astype(np.int32)
        triangle = _fill_nearest(found, self.inside)
        self.vertices = face.triangles[triangle.reshape(-1)]
        """(size * size, 3) vertex indices."""
        columns, rows = np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32))
        a, b, c = (texels[self.vertices[:, k]] for k in range(3))
        p = np.stack([columns.reshape(-1), rows.reshape(-1)], axis=1)
        area = _cross(b - a, c - a)
        second, third = _cross(p - a, c - a) / area, _cross(b - a, p - a) / area
        self.weights = np.stack([1 - second - third, second, third], axis=1).astype(np.float32)
        """(size * size, 3) barycentric coordinates; outside 0..1 beside the mesh."""
        self._corners = np.ascontiguousarray(self.vertices.T)
        self._shares = np.ascontiguousarray(self.weights.T)

    def interpolate(self, values: FloatArray) -> FloatArray:
        """Per-vertex ``values`` (468 or more, K) at every texel: (size, size, K) float32."""
        out = np.einsum("tk,tkc->tc", self.weights, values[self.vertices])
        return np.asarray(out.reshape(self.size, self.size, -1), np.float32)

    def positions(self, points: FloatArray, scale: float = 1.0) -> FloatArray:
        """Where each texel lies in the picture of a face with these ``points``: (size, size, 2).

        ``scale``: of the picture, whose pixels the result is in; pixel centres stand at whole numbers.
        """
        packed = np.ascontiguousarray(points[:, :2], np.float32).view(np.complex64)[:, 0]
        if scale != 1:
            packed = packed * np.float32(scale) + np.complex64((0.5 * scale - 0.5) * (1 + 1j))
        out = np.take(packed, self._corners[0]) * self._shares[0]
        out += np.take(packed, self._corners[1]) * self._shares[1]
        out += np.take(packed, self._corners[2]) * self._shares[2]
        return np.asarray(out.view(np.float32).reshape(self.size, self.size, 2), np.float32)

    def polygon(self, indices: npt.NDArray[np.intp]) -> npt.NDArray[np.uint8]:
        """(size, size) uint8: 255 inside the outline through these vertices, anti-aliased."""
        fine = 4
        outline = np.rint(canonical.load().uv[indices] * (self.size * fine) - 0.5).astype(np.int32)
        canvas = np.zeros((self.size * fine, self.size * fine), np.uint8)
        cv2.fillPoly(canvas, [outline], 255)
        return np.asarray(cv2.resize(canvas, (self.size, self.size), interpolation=cv2.INTER_AREA), np.uint8)


@functools.cache
def grid(size: int) -> UvGrid:
    """The grid of that size, made once."""
    return UvGrid(size)


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], np.float32)


def _fill_nearest(values: npt.NDArray[np.int32], known: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    holes = np.where(known, 0, 1).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(holes, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    lookup = np.zeros(int(labels.max()) + 1, np.int32)
    lookup[labels[known]] = values[known]
    return np.asarray(lookup[labels], np.int32)
