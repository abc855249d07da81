"""Plane and space geometry of faces: similarities, boxes and regions of interest.

Convention: points are ``(N, 2)`` or ``(N, 3)``, ``(x, y)`` in pixels with the centre of the top-left pixel at
(0, 0), x right, y down; a ``matrix`` is ``(2, 3)`` float32 and maps source to destination; ``bbox`` is
``(x0, y0, x1, y1)``; angles are radians here, positive clockwise in the picture.
"""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np
import numpy.typing as npt

from doppel_models.types import Detection, FloatArray

ROI_SCALE = 1.5
"""Side of a region of interest over the longer side of the face's box (MediaPipe's face landmarker)."""
RIGHT_EYE_OUTER = 33
LEFT_EYE_OUTER = 263
RIGHT_CHEEK = 234
LEFT_CHEEK = 454
"""Mesh indices; right and left are the person's."""

_NO_SPREAD = 1e-12
"""Points whose squared spread is so small a part of their distances coincide."""
_Array = npt.NDArray[np.floating]


@dataclasses.dataclass(frozen=True, slots=True)
class Roi:
    """A rotated square of a picture."""

    center_x: float
    center_y: float
    size: float
    """Side in pixels."""
    angle: float
    """Radians; positive: the square is turned clockwise in the picture."""

    def matrix(self, size: int) -> FloatArray:
        """(2, 3): picture pixels -> pixels of an upright crop of ``size`` x ``size``.

        As in MediaPipe, the square's top-left corner maps to pixel (0, 0), not to (-0.5, -0.5).
        """
        scale = size / self.size
        a, b = scale * math.cos(self.angle), scale * math.sin(self.angle)
        half = size / 2
        return np.array(
            [
                [a, b, half - a * self.center_x - b * self.center_y],
                [-b, a, half + b * self.center_x - a * self.center_y],
            ],
            np.float32,
        )

    def inverse_matrix(self, size: int) -> FloatArray:
        """(2, 3): pixels of that crop -> picture pixels."""
        scale = self.size / size
        a, b = scale * math.cos(self.angle), scale * math.sin(self.angle)
        half = size / 2
        return np.array(
            [[a, -b, self.center_x - (a - b) * half], [b, a, self.center_y - (a + b) * half]], np.float32
        )


def roi_from_detection(detection: Detection) -> Roi:
    """The square around a detected face in which the landmark network looks, eyes level."""
    right_eye, left_eye = detection.keypoints[0], detection.keypoints[1]
    return _roi(detection.bbox, right_eye, left_eye)


def roi_from_landmarks(points: _Array, bbox: _Array | None = None) -> Roi:
    """The square around a face whose landmarks (and, if at hand, ``bbox``) are known; eyes level."""
    bbox = bbox_of(points) if bbox is None else bbox
    return _roi(bbox, points[RIGHT_EYE_OUTER], points[LEFT_EYE_OUTER])


def _roi(bbox: _Array, right_eye: _Array, left_eye: _Array) -> Roi:
    # Plain floats here and below: NumPy's scalars are ten times slower.
    x0, y0, x1, y1 = bbox.tolist()
    angle = math.atan2(float(left_eye[1] - right_eye[1]), float(left_eye[0] - right_eye[0]))
    return Roi((x0 + x1) / 2, (y0 + y1) / 2, ROI_SCALE * max(x1 - x0, y1 - y0, 1.0), angle)


def bbox_of(points: _Array) -> FloatArray:
    """(4,) box around points (N, 2 or 3); z is ignored."""
    # OpenCV reduces so few columns in a fifth of NumPy's time.
    low, high = cv2.reduce(points, 0, cv2.REDUCE_MIN), cv2.reduce(points, 0, cv2.REDUCE_MAX)
    return np.array([low[0, 0], low[0, 1], high[0, 0], high[0, 1]], np.float32)


def bbox_size(bbox: _Array) -> float:
    """The longer side of a box, pixels."""
    x0, y0, x1, y1 = bbox.tolist()
    return float(max(x1 - x0, y1 - y0))


def bbox_center(bbox: _Array) -> tuple[float, float]:
    """The middle of a box."""
    x0, y0, x1, y1 = bbox.tolist()
    return (x0 + x1) / 2, (y0 + y1) / 2


def grown(bbox: _Array, factor: float) -> FloatArray:
    """A box with the same middle and ``factor`` times the sides."""
    center, half = (bbox[:2] + bbox[2:]) / 2, (bbox[2:] - bbox[:2]) * (factor / 2)
    return np.concatenate([center - half, center + half]).astype(np.float32)


def iou(a: _Array, b: _Array) -> float:
    """Intersection over union of two boxes, 0..1; 0 for empty boxes."""
    ax0, ay0, ax1, ay1 = a.tolist()
    bx0, by0, bx1, by1 = b.tolist()
    width, height = min(ax1, bx1) - max(ax0, bx0), min(ay1, by1) - max(ay0, by0)
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return float(both / ((ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - both))


def invert(matrix: _Array) -> FloatArray:
    """The inverse of a (2, 3) affine map.

    Raises:
        numpy.linalg.LinAlgError: the map is singular.
    """
    linear = np.linalg.inv(matrix[:, :2].astype(np.float64))
    return np.concatenate([linear, -linear @ matrix[:, 2:]], axis=1).astype(np.float32)


def transform(matrix: _Array, points: _Array) -> FloatArray:
    """Points (N, 2) or (N, 3) through a (2, 3) similarity; z is scaled with it.

    The third coordinate has the scale of x and y, so it takes the map's mean scale.
    """
    (a, b, x), (c, d, y) = matrix.tolist()
    if points.shape[1] == 2:
        full = np.array([[a, b, x], [c, d, y]])
    else:
        full = np.array([[a, b, 0, x], [c, d, 0, y], [0, 0, math.sqrt(abs(a * d - b * c)), 0]])
    moved = cv2.transform(points.astype(np.float32, copy=False)[:, None], full)
    return np.asarray(moved[:, 0], np.float32)


def umeyama(
    source: _Array, destination: _Array, weights: _Array | None = None
) -> tuple[float, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The similarity that maps ``source`` to ``destination`` (N, D) with the least weighted squared error.

    S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
    PAMI 13(4), 1991.

    Returns:
        scale, rotation (D, D) without reflection, translation (D,): ``scale * rotation @ p + translation``.
        Scale 0 where all source points coincide.
    """
    weight = np.full(len(source), 1.0) if weights is None else weights.astype(np.float64)
    weight = (weight / weight.sum())[:, None]
    source64, destination64 = source.astype(np.float64), destination.astype(np.float64)
    source_mean, destination_mean = (weight * source64).sum(axis=0), (weight * destination64).sum(axis=0)
    centered = source64 - source_mean
    covariance = (weight * (destination64 - destination_mean)).T @ centered
    u, singular, vt = np.linalg.svd(covariance)
    sign = np.ones(len(singular))
    if np.linalg.det(u) * np.linalg.det(vt) < 0:
        sign[-1] = -1
    rotation = (u * sign) @ vt
    variance = float((weight * centered**2).sum())
    scale = float((singular * sign).sum()) / variance if variance > 0 else 0.0
    return scale, rotation, destination_mean - scale * rotation @ source_mean


def similarity(source: _Array, destination: _Array, weights: _Array | None = None) -> FloatArray:
    """(2, 3) matrix of the best plane similarity (turn, one scale, shift) between points (N, 2)."""
    # :func:`umeyama` in the plane, where it needs no singular values: a fraction of the time. All the sums by
    # one product, then plain floats, which are quicker for so few numbers.
    columns = np.empty((len(source), 5))
    columns[:, 0], columns[:, 1:3], columns[:, 3:] = 1, source[:, :2], destination[:, :2]
    # About the first point, so that no digits are lost where the points lie far out.
    first = columns[0].copy()
    columns[:, 1:] -= first[1:]
    weighted = columns if weights is None else columns * weights[:, None]
    (count, px, py, qx, qy), x_sums, y_sums, *_ = (columns.T @ weighted).tolist()
    px, py, qx, qy = px / count, py / count, qx / count, qy / count
    spread = (x_sums[1] + y_sums[2]) / count - px * px - py * py
    a = b = 0.0
    if spread > _NO_SPREAD * (x_sums[1] + y_sums[2]) / count:
        a = ((x_sums[3] + y_sums[4]) / count - px * qx - py * qy) / spread
        b = ((x_sums[4] - y_sums[3]) / count - px * qy + py * qx) / spread
    _, p0, p1, q0, q1 = first.tolist()
    px, py, qx, qy = px + p0, py + p1, qx + q0, qy + q1
    return np.array([[a, -b, qx - a * px + b * py], [b, a, qy - b * px - a * py]], np.float32)
