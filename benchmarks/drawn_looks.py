"""Brows, beard and glasses, drawn for the persons of :mod:`synthetic_persons`."""

from __future__ import annotations

import cv2
import numpy as np
from doppel_models import canonical, face_texture
from doppel_models.engines.mesh import imaging, regions, uv
from doppel_models.types import ByteArray, FloatArray

Color = tuple[float, float, float]
_SIZE = face_texture.SIZE


def brows(texture: FloatArray, color: Color, thick: float) -> FloatArray:
    """The portrait's brows painted over, others drawn hair by hair.

    Args:
        texture: face texture, (:data:`~doppel_models.face_texture.SIZE`, the same, 3) float32, BGR, 0..255.
        color: of the hairs, BGR, 0..255.
        thick: how far the hairs spread; 0.02 is as the portrait's.
    """
    rng = np.random.default_rng(3)
    for brow in (regions.RIGHT_BROW, regions.LEFT_BROW):
        points = (canonical.load().uv[brow] * _SIZE).astype(np.float32)
        hole = cv2.fillConvexPoly(
            np.zeros((_SIZE, _SIZE), np.uint8), cv2.convexHull(points.astype(np.int32)), 1
        )
        hole = cv2.dilate(hole, np.ones((13, 13), np.uint8))
        texture = cv2.inpaint(texture.astype(np.uint8), hole, 9, cv2.INPAINT_TELEA).astype(np.float32)
        upper, lower = points[:5], points[9:4:-1]
        strokes = np.zeros((_SIZE, _SIZE), np.uint8)
        for _ in range(400):
            along, across = rng.uniform(0, 3.999), rng.normal(0.5, 0.5 * thick / 0.02)
            k, t = int(along), along - int(along)
            top, bottom = upper[k] + (upper[k + 1] - upper[k]) * t, lower[k] + (lower[k + 1] - lower[k]) * t
            start = top + (bottom - top) * np.clip(across, -0.3, 1.3)
            outward = np.sign(points[:, 0].mean() - _SIZE / 2)
            end = start + np.array((outward * rng.uniform(6, 12), rng.uniform(-7, 1)))
            _line(strokes, 1, start, end, 1)
        share = imaging.blur(strokes / np.float32(255), 0.8)[..., None] * 0.9
        texture = np.asarray(texture * (1 - share) + np.array(color) * share, np.float32)
    return texture


def beard(texture: FloatArray, color: Color, amount: float) -> FloatArray:
    """Dark stubble to full beard over jaw, chin and upper lip.

    Args:
        texture: as of :func:`brows`.
        color: of the brows; the beard is a little lighter.
        amount: 0..1.
    """
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[0:_SIZE, 0:_SIZE].astype(np.float32) / _SIZE
    side = np.abs(columns - 0.5)
    jaw = regions.smoothstep((rows - (0.80 - 0.55 * side)) / 0.07) * (rows > 0.5)
    lip = np.exp(-(((rows - 0.665) / 0.022) ** 2)) * (side < 0.16)
    where = np.maximum(jaw, lip.astype(np.float32))
    lips = cv2.dilate(uv.grid(_SIZE).polygon(regions.LIPS), np.ones((5, 5), np.uint8)) / np.float32(255)
    grain = imaging.blur(rng.standard_normal((_SIZE, _SIZE)).astype(np.float32), 1.2)
    share = amount * where * (1 - imaging.blur(lips, 2)) * np.clip(0.85 + 0.9 * grain, 0, 1)
    dark = np.array(color, np.float32) * 1.1
    return np.asarray(texture * (1 - share[..., None]) + dark * share[..., None], np.float32)


def glasses(photo: ByteArray, landmarks: FloatArray) -> ByteArray:
    """Thin dark frames in front of the eyes.

    Args:
        photo: (512, 512, 3) uint8, BGR.
        landmarks: (478, 3) float, pixels of ``photo``.
    """
    fine = 8
    canvas = np.zeros((512 * fine, 512 * fine), np.uint8)
    rims = []
    for eye, cheek in ((regions.RIGHT_EYE, 234), (regions.LEFT_EYE, 454)):
        points = landmarks[eye, :2]
        center = points.mean(axis=0) + np.array((0, 2))
        length = float(np.linalg.norm(points[0] - points[len(points) // 2]))
        axes = (0.95 * length, 0.75 * length)
        where, size = (center * fine).astype(int).tolist(), [int(a * fine) for a in axes]
        cv2.ellipse(canvas, where, size, 0, 0, 360, 255, int(2.0 * fine), cv2.LINE_AA)
        outward = np.sign(landmarks[cheek, 0] - center[0])
        hinge = center + np.array((outward * axes[0], -2))
        _line(canvas, fine, hinge, landmarks[cheek, :2], 1.6)
        rims.append(center - np.array((outward * axes[0], 1)))
    _line(canvas, fine, rims[0], rims[1], 1.6)
    share = cv2.resize(canvas, (512, 512), interpolation=cv2.INTER_AREA).astype(np.float32)[..., None] / 255
    return np.asarray(photo * (1 - 0.9 * share) + np.array((32, 30, 36)) * 0.9 * share, np.uint8)


def _line(canvas: ByteArray, fine: int, start: FloatArray, end: FloatArray, thick: float) -> None:
    """Draw a line in a picture that is ``fine`` times as large as the points' one."""
    first, last = (np.rint(point * (fine * 16)).astype(int).tolist() for point in (start, end))
    cv2.line(canvas, first, last, 255, max(1, round(thick * fine)), cv2.LINE_AA, 4)
