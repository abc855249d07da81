"""Light: brings the persona's texture under the light of the live face, in a small texture map.

The logarithm of the ratio between the live face and the persona's texture is fitted robustly by second-order
spherical harmonics of the face's normals (R. Ramamoorthi, P. Hanrahan, "An Efficient Representation for
Irradiance Environment Maps", SIGGRAPH 2001: nine terms hold 98 % of a Lambertian surface's light); what is left
is followed by a wide Gaussian within soft limits, so that the skin meets its surroundings without a seam.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
import numpy.typing as npt

from doppel_models import canonical
from doppel_models.engines.mesh import regions, uv
from doppel_models.types import ByteArray, FloatArray

SIZE = 64
"""Texels of the light map's side."""
_FIT_STEP = 2
_RIDGE = 2e-3
_HUBER = 0.12
_RESIDUAL_SIGMA = 0.07 * SIZE
_RESIDUAL_LIMIT = 0.35
_GAIN_LIMIT = 1.6  # in natural logarithm: a factor of 5
_SETTLE_SECONDS = 0.12


@functools.cache
def vertex_normals() -> FloatArray:
    """(468, 3) unit normals of the canonical face, pointing out of the head."""
    face = canonical.load()
    corner = face.vertices[face.triangles]
    facet = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    normals = np.zeros_like(face.vertices)
    for k in range(3):
        np.add.at(normals, face.triangles[:, k], facet)
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True), np.float32)


@functools.cache
def _basis() -> FloatArray:
    """(SIZE * SIZE, 9) spherical harmonics up to order two, without their constant factors."""
    normals = uv.grid(SIZE).interpolate(vertex_normals())
    normals = np.asarray(cv2.GaussianBlur(normals, (0, 0), 2.0), np.float32)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    x, y, z = (normals[:, :, k].reshape(-1) for k in range(3))
    one = np.ones_like(x)
    return np.stack([one, x, y, z, x * y, x * z, y * z, x * x - y * y, 3 * z * z - 1], axis=1).astype(
        np.float32
    )


@functools.cache
def skin_weight() -> FloatArray:
    """(SIZE, SIZE) float32: 1 on bare skin of the mesh, 0 on eyes, brows, mouth and beside the mesh."""
    grid = uv.grid(SIZE)
    weight = grid.inside.astype(np.float32)
    weight = np.asarray(cv2.erode(weight, np.ones((3, 3), np.uint8)), np.float32)
    for outline in (regions.RIGHT_EYE, regions.LEFT_EYE, regions.LIPS):
        weight *= 1 - cv2.dilate(grid.polygon(outline), np.ones((3, 3), np.uint8)).astype(np.float32) / 255
    for brow in (regions.RIGHT_BROW, regions.LEFT_BROW):
        hull = cv2.convexHull(brow_points(brow))[:, 0]
        canvas = np.zeros((SIZE, SIZE), np.uint8)
        cv2.fillConvexPoly(canvas, np.rint(hull).astype(np.int32), 255)
        weight *= 1 - canvas.astype(np.float32) / 255
    return weight


def brow_points(brow: regions.Indices) -> FloatArray:
    """Texel positions of a brow's points in the light map."""
    return np.asarray(canonical.load().uv[brow] * SIZE - 0.5, np.float32)


def log_texture(texture: ByteArray | FloatArray) -> FloatArray:
    """The logarithm of colours 0..255, kept finite in the dark."""
    return np.asarray(cv2.log(texture.astype(np.float32) + 4.0), np.float32)


class Relight:
    """The light of one live face over one persona's texture, steady over time."""

    def __init__(self) -> None:
        """Know nothing."""
        self._gain: FloatArray | None = None

    def reset(self) -> None:
        """Forget the light."""
        self._gain = None

    def update(
        self, live: ByteArray, persona_log: FloatArray, weight: FloatArray, seconds: float
    ) -> FloatArray:
        """The light map after a frame.

        Args:
            live: (SIZE, SIZE, 3) uint8, the live face in texture space.
            persona_log: (SIZE, SIZE, 3) :func:`log_texture` of the persona's texture.
            weight: (SIZE, SIZE) 0..1, where both show bare skin.
            seconds: since the last frame.

        Returns:
            (SIZE, SIZE, 3) float32 logarithm of the gain.
        """
        target = _target(log_texture(live) - persona_log, weight)
        if self._gain is None:
            self._gain = target
        else:
            share = 1 - float(np.exp(-seconds / _SETTLE_SECONDS))
            cv2.accumulateWeighted(target, self._gain, share)
        return self._gain


def _target(ratio: FloatArray, weight: FloatArray) -> FloatArray:
    basis = _basis()
    sub = slice(None, None, _FIT_STEP)
    b = basis.reshape(SIZE, SIZE, 9)[sub, sub].reshape(-1, 9)
    r = ratio[sub, sub].reshape(-1, 3)
    w0 = weight[sub, sub].reshape(-1)
    if float(w0.sum()) < 30:
        return np.zeros_like(ratio)
    w = w0
    coefficients: npt.NDArray[np.float32] = np.zeros((9, 3), np.float32)
    ridge = np.eye(9, dtype=np.float32) * (_RIDGE * float(w0.sum()))
    ridge[0, 0] *= 0.01
    for _ in range(3):
        bw = b * w[:, None]
        coefficients = np.linalg.solve(bw.T @ b + ridge, bw.T @ r)
        error = np.abs(r - b @ coefficients).max(axis=1)
        w = w0 * np.minimum(1.0, _HUBER / np.maximum(error, 1e-6))
    fit = (basis @ coefficients).reshape(SIZE, SIZE, 3)
    residual = np.clip(ratio - fit, -_RESIDUAL_LIMIT, _RESIDUAL_LIMIT)
    stacked = np.dstack([residual * weight[:, :, None], weight])
    stacked = cv2.GaussianBlur(stacked, (0, 0), _RESIDUAL_SIGMA)
    local = stacked[:, :, :3] / (stacked[:, :, 3:] + 0.05)
    return np.asarray(np.clip(fit + local, -_GAIN_LIMIT, _GAIN_LIMIT), np.float32)
