"""Where the points of a face lie in a network's crop, and how those points are read from the mesh.

Coordinates of a template are fractions of the crop's side, x right, y down; times the side they are pixels
with the centre of the top-left pixel at (0, 0), as in the code that the networks were trained with (OpenCV's
``warpAffine`` by a matrix fitted to ``template * side``).
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np
import numpy.typing as npt

from doppel_models.geometry import similarity
from doppel_models.types import FloatArray

Indices = npt.NDArray[np.intp]

# Means of an eye's corners and lids, nose tip, mouth corners. They lie within 2 % of the face's width
# of the same five out of iBUG's 68 as dlib's shape predictor finds them, on 87 pictures of three people.
_EYE_LEFT_IN_PICTURE = (33, 160, 158, 133, 153, 144)
_EYE_RIGHT_IN_PICTURE = (362, 385, 387, 263, 373, 380)
_NOSE_TIP, _MOUTH_LEFT_IN_PICTURE, _MOUTH_RIGHT_IN_PICTURE = 4, 61, 291
_FIVE = np.array(
    (
        *_EYE_LEFT_IN_PICTURE,
        *_EYE_RIGHT_IN_PICTURE,
        _NOSE_TIP,
        _MOUTH_LEFT_IN_PICTURE,
        _MOUTH_RIGHT_IN_PICTURE,
    ),
    np.intp,
)
_FIVE_MEANS = np.zeros((5, 15), np.float32)
"""Makes the five points of those: two means of six, and three as they are."""
_FIVE_MEANS[0, :6] = _FIVE_MEANS[1, 6:12] = 1 / 6
_FIVE_MEANS[2, 12] = _FIVE_MEANS[3, 13] = _FIVE_MEANS[4, 14] = 1

# iBUG's points 17..48 and 54, each the mean of two points of the mesh (the same one twice where one fits).
# Derived from 87 pictures of three people: of all neighbouring points, and pairs of them, those that lie
# nearest to the points of dlib's shape predictor, left and right taken together. The mean face that is fitted
# to them differs from the one fitted to dlib's by 0.5 +- 0.6 % in size, 0.7 % of its side in place and 0.3
# degrees; with the usual table of single points it is 1.4 % too large and lies 0.7 % too low.
# fmt: off
_IBUG_PAIRS = (
    (70, 70), (63, 63), (66, 105), (66, 107), (107, 9),
    (336, 9), (296, 336), (296, 334), (293, 293), (300, 300),
    (8, 168), (6, 6), (195, 197), (4, 4),
    (98, 240), (97, 99), (2, 2), (326, 328), (327, 460),
    (33, 33), (160, 160), (158, 158), (155, 173), (153, 153), (144, 144),
    (382, 398), (385, 385), (387, 387), (263, 263), (373, 373), (380, 380),
    (61, 61), (291, 291),
)
_IBUG = np.array(_IBUG_PAIRS, np.intp)
# DeepFaceLab's mean face ("landmarks_2D_new"), points 17..48 and 54 of iBUG's 68, in its own unit square.
_MEAN_FACE = (
    (0.000213256, 0.106454), (0.0752622, 0.038915), (0.18113, 0.0187482), (0.29077, 0.0344891),
    (0.393397, 0.0773906), (0.586856, 0.0773906), (0.689483, 0.0344891), (0.799124, 0.0187482),
    (0.904991, 0.038915), (0.98004, 0.106454), (0.490127, 0.203352), (0.490127, 0.307009),
    (0.490127, 0.409805), (0.490127, 0.515625), (0.36688, 0.587326), (0.426036, 0.609345),
    (0.490127, 0.628106), (0.554217, 0.609345), (0.613373, 0.587326), (0.121737, 0.216423),
    (0.187122, 0.178758), (0.265825, 0.179852), (0.334606, 0.231733), (0.260918, 0.245099),
    (0.182743, 0.244077), (0.645647, 0.231733), (0.714428, 0.179852), (0.793132, 0.178758),
    (0.858516, 0.216423), (0.79751, 0.244077), (0.719335, 0.245099), (0.254149, 0.780233),
    (0.726104, 0.780233),
)
# fmt: on
_WHOLE_FACE_PADDING = 0.40
_WHOLE_FACE_UP = 0.07
"""DeepFaceLab's face type "whole face": padding around the mean face's square, and how far it is moved up."""


def five_points(landmarks: FloatArray) -> FloatArray:
    """(5, 2): eyes, nose tip, mouth corners (left to right in the picture) of (478, 2 or 3) mesh points."""
    return np.asarray((_FIVE_MEANS @ landmarks[_FIVE])[:, :2], np.float32)


def ibug_points(landmarks: FloatArray) -> FloatArray:
    """(33, 2): iBUG's points 17..48 and 54 of (478, 2 or 3) mesh points."""
    return np.asarray(landmarks[_IBUG, :2].mean(axis=1), np.float32)


@dataclasses.dataclass(frozen=True, slots=True)
class Template:
    """Where a face lies in a crop."""

    name: str
    points: tuple[tuple[float, float], ...]
    """Five points (:func:`five_points`) or 33 (:func:`ibug_points`), fractions of the crop's side."""

    def matrix(self, landmarks: FloatArray, size: int) -> FloatArray:
        """(2, 3) similarity from the picture of ``landmarks`` (478, 2 or 3) to a crop of that side."""
        live = five_points(landmarks) if len(self.points) == 5 else ibug_points(landmarks)
        return similarity(live, _sized(self.points, size))


@functools.lru_cache(maxsize=16)
def _sized(points: tuple[tuple[float, float], ...], size: int) -> npt.NDArray[np.float64]:
    """(N, 2) points of a template in pixels of a crop."""
    return np.array(points, np.float64) * size


def _whole_face() -> tuple[tuple[float, float], ...]:
    side = 2 * (_WHOLE_FACE_PADDING * math.sqrt(2) + 0.5)
    left, top = 0.5 - side / 2, 0.5 - _WHOLE_FACE_UP - side / 2
    return tuple(((x - left) / side, (y - top) / side) for x, y in _MEAN_FACE)


# fmt: off
ARCFACE_112_V1 = Template("arcface_112_v1", (
    (0.35473214, 0.45658929), (0.64526786, 0.45658929), (0.5, 0.61154464),
    (0.37913393, 0.776875), (0.62086607, 0.776875)))
ARCFACE_112_V2 = Template("arcface_112_v2", (
    (0.34191607, 0.46157411), (0.65653393, 0.45983393), (0.500225, 0.64050536),
    (0.37097589, 0.82469196), (0.63151696, 0.82325089)))
ARCFACE_128 = Template("arcface_128", (
    (0.36167656, 0.40387734), (0.63696719, 0.40235469), (0.50019687, 0.56044219),
    (0.38710391, 0.72160547), (0.61507734, 0.72034453)))
FFHQ_512 = Template("ffhq_512", (
    (0.37691676, 0.46864664), (0.62285697, 0.46912813), (0.50123859, 0.61331904),
    (0.39308822, 0.725411), (0.61150205, 0.72490465)))
MTCNN_512 = Template("mtcnn_512", (
    (0.36562865, 0.46733799), (0.63305391, 0.46585885), (0.50019127, 0.61942959),
    (0.39032951, 0.77598822), (0.61178945, 0.77476328)))
# fmt: on
WHOLE_FACE = Template("whole_face", _whole_face())
"""DeepFaceLab's: 33 points."""
