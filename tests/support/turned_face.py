"""The portrait's face on a head of true depth, turned by known angles.

The demo clip cannot tell how well a turn is read: it is made of one photograph with the depth that the
landmark network gave it, which is thinner than a head. Here the canonical face (its vertices are centimetres)
wears the portrait's texture before an ellipsoid head, seen in perspective from 60 cm.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
import numpy.typing as npt
from doppel_models import canonical, face_texture
from doppel_models.engines.mesh import imaging
from doppel_models.engines.mesh.raster import covering, rasterize
from doppel_models.types import ByteArray, FloatArray

from tests.support.faces import room
from tests.support.portrait import astronaut

_DISTANCE = 60.0
_HEAD = np.array([7.6, 11.0, 9.0])
"""Half axes of the head, cm."""
_HAIR, _SKIN = (60, 45, 40), (160, 127, 110)


def rotation(axis: int, degrees: float) -> npt.NDArray[np.float64]:
    """(3, 3), right-handed about x (0), y (1) or z (2)."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix[i, i] = matrix[j, j] = cos
    matrix[i, j], matrix[j, i] = -sin, sin
    return matrix


def turned_face(
    yaw: float, pitch: float = 0.0, *, width: int = 640, height: int = 480, face_px: float = 200.0
) -> tuple[ByteArray, FloatArray]:
    """A picture of the head, and where the mesh's vertices are in it.

    Args:
        yaw: degrees; positive: to the picture's right.
        pitch: degrees; positive: up.
        width: of the picture, pixels.
        height: of the picture, pixels.
        face_px: of the mesh from forehead to chin when it is not turned, pixels.

    Returns:
        (height, width, 3) uint8 RGB; (468, 3) pixels, z in the same scale.
    """
    face = canonical.load()
    vertices = face.vertices.astype(np.float64)
    scale = face_px / float(np.ptp(vertices[:, 1]))
    middle = np.array([0.0, -1.0, vertices[:, 2].max() + 2.0])
    turn = rotation(0, -pitch) @ rotation(1, -yaw)

    def seen(points: npt.NDArray[np.float64]) -> FloatArray:
        moved = (points - middle) @ turn.T + middle
        nearer = _DISTANCE / (_DISTANCE + moved[:, 2:])
        flat = moved[:, :2] * nearer * scale + (width / 2, height / 2)
        return np.concatenate([flat, moved[:, 2:] * scale], axis=1).astype(np.float32)

    picture = room(width, height)
    head = _sphere() * _HEAD + middle + (0, -1.5, 0.8)
    cv2.fillConvexPoly(picture, _outline(seen(head)), _HAIR)
    front = head[(head[:, 2] < middle[2] - 1) & (head[:, 1] > -7)]
    cv2.fillConvexPoly(picture, _outline(seen(front)), _SKIN)
    points = seen(vertices)
    drawn = rasterize(points, covering(face.uv), face.triangles, width, height)
    texture_map, covered = np.ascontiguousarray(drawn[:, :, :2]), drawn[:, :, 2]
    texture = _texture()
    at = texture_map * np.float32(texture.shape[0]) - np.float32(0.5)
    skin = imaging.remap(texture, at)
    share = cv2.GaussianBlur((covered > 0).astype(np.float32), (0, 0), 0.8)[:, :, None]
    blended = (picture * (1 - share) + skin * share).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(blended, (0, 0), 0.7), np.uint8), points


def _outline(points: FloatArray) -> npt.NDArray[np.int32]:
    return np.asarray(np.rint(cv2.convexHull(np.ascontiguousarray(points[:, :2]))), np.int32)


@functools.cache
def _sphere() -> npt.NDArray[np.float64]:
    down, around = np.meshgrid(np.linspace(0.02, np.pi - 0.02, 40), np.linspace(0, 2 * np.pi, 80))
    return np.stack(
        [np.sin(down) * np.cos(around), -np.cos(down), np.sin(down) * np.sin(around)], axis=-1
    ).reshape(-1, 3)


@functools.cache
def _texture() -> ByteArray:
    portrait = astronaut()
    view = face_texture.unwrap(portrait.rgb, portrait.landmarks)
    texture, _ = face_texture.fill(view.texture, view.weight)
    return np.clip(texture, 0, 255).astype(np.uint8)
