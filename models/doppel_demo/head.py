"""The portrait as a surface with depth: which point of it goes where when head and face move."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import numpy.typing as npt

from doppel_demo import expression
from doppel_demo.interpolation import Array, ThinPlate, smoothstep

# The outline of hair, ears and jaw, portrait pixels, drawn by hand; the neck is cut at the collar.
# fmt: off
SILHOUETTE = np.array([
    (170, 117), (161, 108), (157, 96), (154, 78), (154, 66), (158, 56), (170, 46), (187, 36), (194, 28),
    (210, 22), (220, 17), (232, 15), (248, 18), (260, 23), (274, 30), (286, 39), (292, 49), (297, 61),
    (300, 75), (302, 87), (297, 106), (288, 118), (280, 127), (278, 134), (270, 137), (266, 143),
    (262, 150), (257, 161), (252, 176), (226, 184), (196, 176), (188, 165), (185, 150), (183, 134),
    (179, 131), (173, 127),
], np.float64)
# fmt: on
PIVOT = np.array([225.0, 165.0, 42.0])
"""The head turns about this point: the top of the spine."""
_DEPTH_OF_OUTLINE = 40.0
_HAIR = 38.0
"""Over this distance from the face's edge the head curves to its outline, portrait pixels."""


@dataclasses.dataclass(frozen=True, slots=True)
class Pose:
    """One moment of the movement. Angles are degrees, in addition to the portrait's own pose."""

    yaw: float = 0.0
    """Positive: to the picture's right."""
    pitch: float = 0.0
    """Positive: up."""
    roll: float = 0.0
    """Positive: clockwise in the picture."""
    scale: float = 1.0
    sway: tuple[float, float] = (0.0, 0.0)
    """Of the whole body, portrait pixels."""
    gaze: tuple[float, float] = (0.0, 0.0)
    """Of the pupils, portrait pixels."""
    weights: dict[str, float] = dataclasses.field(default_factory=dict)
    """Of :data:`doppel_demo.expression.NAMES`, 0..1."""


class HeadModel:
    """Depth, stiffness and expression fields of the portrait. Coordinates: portrait pixels."""

    def __init__(self, landmarks: Array) -> None:
        """Work out depth and movements.

        Args:
            landmarks: (478, 3) of the portrait, pixels.
        """
        self.landmarks = np.asarray(landmarks, np.float64)
        face = self.landmarks[:468]
        self._depth = ThinPlate(face[:, :2], face[:, 2:])
        self._fields = expression.fields(self.landmarks)
        size = 512
        oval = self.landmarks[list(expression.OVAL), :2]
        to_face, in_face = _distance(oval, size)
        to_outline, in_head = _distance(SILHOUETTE, size)
        self._off_face = _blurred(np.where(in_face > 0, 0.0, to_face), 2.0)
        self._off_outline = _blurred(np.where(in_head > 0, 0.0, to_outline), 4.0)
        self._rest_depth = self._depth_map(in_face > 0)

    def surface(self, points: Array) -> Surface:
        """What the model knows about portrait points (n, 2), ready to be posed."""
        fields = {name: field(points) for name, field in self._fields.items()}
        depth, turning, rolling = (
            self.sample(self._rest_depth, points),
            self._turning(points),
            self._rolling(points),
        )
        return Surface(points, depth, turning, rolling, self._swaying(points), fields)

    def landmark_surface(self) -> Surface:
        """The landmarks themselves. Irises sit on the eyeballs: no lid moves them."""
        points = self.landmarks[:, :2]
        fields = {name: field(points) for name, field in self._fields.items()}
        for moved in fields.values():
            moved[468:] = 0.0
        ones = np.ones(len(points))
        return Surface(points, self.sample(self._rest_depth, points), ones, ones, ones, fields)

    def inside(self, points: Array) -> Array:
        """1 on the head, 0 beside it, smooth between."""
        out: Array = 1 - smoothstep((self.sample(self._off_outline, points) - 1.0) / 2.5)
        return out

    @staticmethod
    def sample(table: Array, points: Array) -> Array:
        """Values (n, ...) of a portrait-sized table at points (n, 2), bilinear."""
        # OpenCV's pictures are at most 32767 wide: the points go into rows of a thousand.
        rows = -(-len(points) // 1000)
        at = np.zeros((rows * 1000, 2), np.float32)
        at[: len(points)] = points
        x, y = at[:, 0].reshape(rows, 1000), at[:, 1].reshape(rows, 1000)
        picked = cv2.remap(table.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        out: Array = picked.reshape(rows * 1000, -1)[: len(points)].astype(np.float64)
        return out[:, 0] if table.ndim == 2 else out

    def _depth_map(self, in_face: npt.NDArray[np.bool_]) -> Array:
        """Depth of every portrait pixel: the face's own, and around it that of a head."""
        size = in_face.shape[0]
        face = np.zeros((size, size))
        y, x = np.nonzero(in_face)
        face[y, x] = self._depth(np.c_[x, y])[:, 0]
        # Around the face: the depth of its nearest edge, curving away as an ellipse does.
        outside = (~in_face).astype(np.uint8)
        _, labels = cv2.distanceTransformWithLabels(outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        edge = np.zeros(int(labels.max()) + 1)
        edge[labels[in_face]] = face[in_face]
        s = np.minimum(self._off_face / _HAIR, 1)
        curve = np.sqrt(1 - s**2)
        around = _blurred(edge[labels], 5.0) * curve + _DEPTH_OF_OUTLINE * (1 - curve)
        depth = np.where(in_face, face, around)
        # At the face's edge the surface is steep and the landmarks are few: it would come out scalloped.
        to_edge = cv2.distanceTransform(in_face.astype(np.uint8), cv2.DIST_L2, 5) + self._off_face
        near = np.exp(-((to_edge / 14.0) ** 2))
        smooth = _blurred(depth, 6.0)
        mixed: Array = _blurred(depth, 1.2) * (1 - near) + smooth * near
        return mixed

    def _turning(self, points: Array) -> Array:
        """How far a point takes part in yaw and pitch: the face wholly, the hair's outline little."""
        off_face, off_outline = self.sample(self._off_face, points), self.sample(self._off_outline, points)
        # Below the chin everything ends in the collar.
        neck = 1 - smoothstep((points[:, 1] - 182.0) / 32.0)
        hair = 1 - 0.55 * smoothstep(off_face / _HAIR)
        out: Array = hair * (1 - smoothstep(off_outline / 55.0)) * neck
        return out

    def _rolling(self, points: Array) -> Array:
        off = self.sample(self._off_outline, points)
        neck = 1 - smoothstep((points[:, 1] - 178.0) / 50.0)
        out: Array = (1 - smoothstep(off / 95.0)) * neck
        return out

    def _swaying(self, points: Array) -> Array:
        """The body and the head go along, the wall does not."""
        x, y = points[:, 0], points[:, 1]
        side = 1 - smoothstep((np.abs(x - 225.0) - 105.0) / 105.0)
        above = 1 - smoothstep((40.0 - y) / 60.0)
        out: Array = side * above
        return out


@dataclasses.dataclass(frozen=True, slots=True)
class Surface:
    """Points of the portrait with all that is needed to move them."""

    points: Array
    """(n, 2) portrait pixels."""
    depth: Array
    """(n,)"""
    turning: Array
    """(n,) 0..1"""
    rolling: Array
    """(n,) 0..1"""
    swaying: Array
    """(n,) 0..1"""
    fields: dict[str, Array]
    """Name -> (n, 3) displacement at full movement."""

    def posed(self, pose: Pose, *, only: tuple[str, ...] | None = None, extra: Array | None = None) -> Array:
        """Where the points are in ``pose``: (n, 3) portrait pixels.

        Args:
            pose: the moment.
            only: names of the expression fields that move these points; all of them by default.
            extra: (n, 3) displacement before the head's movement (of the pupils, say).
        """
        at = np.c_[self.points, self.depth]
        for name, weight in pose.weights.items():
            if weight != 0.0 and (only is None or name in only):
                at = at + weight * self.fields[name]
        if extra is not None:
            at = at + extra
        turned = (at - PIVOT) @ _turn(pose.yaw, pose.pitch).T + PIVOT
        at = at + self.turning[:, None] * (turned - at)
        rolled = (at - PIVOT) @ (pose.scale * _roll(pose.roll)).T + PIVOT
        at = at + self.rolling[:, None] * (rolled - at)
        at[:, :2] += self.swaying[:, None] * np.asarray(pose.sway)
        out: Array = at
        return out


def rotation(pose: Pose) -> Array:
    """The head's rotation (3, 3), from the portrait's pose."""
    out: Array = _roll(pose.roll) @ _turn(pose.yaw, pose.pitch)
    return out


def _turn(yaw: float, pitch: float) -> Array:
    a, b = np.deg2rad(yaw), np.deg2rad(pitch)
    about_y = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    out: Array = about_y @ about_x
    return out


def _roll(roll: float) -> Array:
    c = np.deg2rad(roll)
    return np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])


def _blurred(table: Array, sigma: float) -> Array:
    return np.asarray(cv2.GaussianBlur(table, (0, 0), sigma), np.float64)


def _distance(polygon: Array, size: int) -> tuple[Array, Array]:
    """Distance of every pixel to the polygon's line, and whether it lies inside (0 or 1)."""
    inside = np.zeros((size, size), np.uint8)
    cv2.fillPoly(inside, [np.round(polygon * 16).astype(np.int32)], 1, shift=4)
    outward = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    inward = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    return np.where(inside > 0, inward, outward).astype(np.float64), inside.astype(np.float64)
