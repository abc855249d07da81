"""Attributes of a triangle mesh at every pixel, the nearest triangle in front; OpenCV's rasteriser.

OpenCV renders by perspective. The mesh is put so far away that this is a parallel projection to within a
hundredth of a pixel.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from doppel_models.types import FloatArray

_FAR = 200.0
"""Distance of the mesh, in sides of the picture."""
_FIELD_OF_VIEW = math.pi / 2


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
        attributes: (N, 3) float32 per vertex, 0..1: see :func:`covering`.
        triangles: (T, 3) counter-clockwise in a picture with y down, as the canonical face's are.
        width: of the result, pixels.
        height: of the result, pixels.

    Returns:
        (height, width, 3) float32 attributes, 0 where no triangle is.
    """
    placed, nearest_plane, farthest_plane = _placed(points, width, height)
    color = np.zeros((height, width, 3), np.float32)
    nearest = np.full((height, width), farthest_plane, np.float32)
    cv2.triangleRasterize(
        placed,
        triangles,
        attributes,
        color,
        nearest,
        np.eye(4, dtype=np.float32),
        _FIELD_OF_VIEW,
        nearest_plane,
        farthest_plane,
        _settings(),
    )
    return color


def projected(points: FloatArray, width: int, height: int) -> FloatArray:
    """Where OpenCV's rasteriser has the points of a mesh: for drawing as it does elsewhere.

    Args:
        points: as in :func:`rasterize`.
        width: of the picture, pixels.
        height: of the picture, pixels.

    Returns:
        (N, 4) float32: x from the left, y from below (pixel centres at halves), depth (smaller is nearer),
        and the weight by which attributes are interpolated; step by step in float32, as OpenCV does it.
    """
    placed, near, far = _placed(points, width, height)
    x_scale = np.float32(1.0 / math.tan(_FIELD_OF_VIEW / 2) / width * height)
    y_scale = np.float32(1.0 / math.tan(_FIELD_OF_VIEW / 2))
    z_scale, z_shift = np.float32((near + far) / (near - far)), np.float32(2.0 * far * near / (near - far))
    one, half = np.float32(1), np.float32(0.5)
    weight = one / -placed[:, 2]
    out = np.empty((len(points), 4), np.float32)
    out[:, 0] = (placed[:, 0] * x_scale * weight + one) * half * np.float32(width)
    out[:, 1] = (placed[:, 1] * y_scale * weight + one) * half * np.float32(height)
    out[:, 2] = ((placed[:, 2] * z_scale + z_shift) * weight + one) * half
    out[:, 3] = weight
    return out


def _placed(points: FloatArray, width: int, height: int) -> tuple[FloatArray, float, float]:
    """Points before OpenCV's camera, (N, 3), and the distances of its nearest and farthest planes."""
    distance = _FAR * max(width, height, float(np.abs(points[:, 2]).max(initial=0)))
    depth = points[:, 2] + np.float32(distance)
    # The frustum's half height is the depth itself, and half the picture's height.
    scale = depth * np.float32(2 / height)
    placed = np.empty((len(points), 3), np.float32)
    np.multiply(points[:, 0] + np.float32(0.5 - width / 2), scale, out=placed[:, 0])
    np.multiply(np.float32(height / 2 - 0.5) - points[:, 1], scale, out=placed[:, 1])
    np.negative(depth, out=placed[:, 2])
    # The depth buffer's values are dense near the first plane; both planes are near, so that they suffice.
    return placed, 0.9 * distance, 1.1 * distance


def covering(attributes: FloatArray) -> FloatArray:
    """Two attributes per vertex (N, 2), 0..1, with a third that is 1: where it is drawn, the mesh is."""
    return np.concatenate([attributes, np.ones((len(attributes), 1))], axis=1).astype(np.float32)


@functools.cache
def _settings() -> Any:
    settings: Any = cv2.TriangleRasterizeSettings()
    settings.setShadingType(cv2.RASTERIZE_SHADING_SHADED)
    settings.setCullingMode(cv2.RASTERIZE_CULLING_CW)
    return settings
