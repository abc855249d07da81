"""What a face can do: displacement fields over the portrait, one for each movement.

Coordinates are portrait pixels (512 x 512). Landmark numbers are those of MediaPipe's face mesh.
"""

from __future__ import annotations

import numpy as np

from doppel_demo.interpolation import Array, ThinPlate

LID_UPPER = {"right": (246, 161, 160, 159, 158, 157, 173), "left": (466, 388, 387, 386, 385, 384, 398)}
LID_LOWER = {"right": (7, 163, 144, 145, 153, 154, 155), "left": (249, 390, 373, 374, 380, 381, 382)}
LID_CREASE = {"right": (247, 30, 29, 27, 28, 56, 190), "left": (467, 260, 259, 257, 258, 286, 414)}
LID_BELOW = {"right": (25, 110, 24, 23, 22, 26, 112), "left": (255, 339, 254, 253, 252, 256, 341)}
EYE_CORNERS = {"right": (33, 133), "left": (263, 362)}
IRIS = {"right": (468, 469, 470, 471, 472), "left": (473, 474, 475, 476, 477)}
BROWS = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55, 300, 293, 334, 296, 336, 276, 283, 282, 295, 285)

LIP_UPPER_INNER = (191, 80, 81, 82, 13, 312, 311, 310, 415)
LIP_LOWER_INNER = (95, 88, 178, 87, 14, 317, 402, 318, 324)
LIP_UPPER_OUTER = (185, 40, 39, 37, 0, 267, 269, 270, 409)
LIP_LOWER_OUTER = (146, 91, 181, 84, 17, 314, 405, 321, 375)
MOUTH_CORNERS = (61, 78, 291, 308)
OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
        152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip

# fmt: off
_STILL = (
    1, 4, 5, 195, 197, 6, 168, 2, 98, 327, 129, 358, 9, 151, 33, 133, 263, 362, 27, 257, 23, 253, 119,
    348, 10, 109, 338, 54, 284, 162, 389, 127, 356, 234, 454, 93, 323,
)
# fmt: on
# How far each point follows the lower jaw, 0..1.
# fmt: off
_JAW = {
    152: 1, 175: 1, 199: 1, 200: 1, 18: 1, 148: 1, 377: 1, 176: 0.97, 400: 0.97, 149: 0.9, 378: 0.9,
    150: 0.78, 379: 0.78, 136: 0.6, 365: 0.6, 172: 0.42, 397: 0.42, 58: 0.22, 288: 0.22, 132: 0.08,
    361: 0.08, 61: 0.3, 291: 0.3, 78: 0.3, 308: 0.3, 146: 0.6, 375: 0.6, 95: 0.62, 324: 0.62, 91: 0.86,
    321: 0.86, 88: 0.86, 318: 0.86, 181: 0.97, 405: 0.97, 178: 0.97, 402: 0.97, 84: 1, 314: 1, 87: 1,
    317: 1, 17: 1, 14: 1, 205: 0.03, 425: 0.03, 50: 0, 280: 0, 0: 0, 37: 0, 267: 0, 39: 0, 269: 0,
    13: 0.02, 82: 0.02, 312: 0.02, 81: 0.03, 311: 0.03, 80: 0.06, 310: 0.06, 191: 0.15, 415: 0.15,
    40: 0.04, 270: 0.04, 185: 0.15, 409: 0.15,
}
# fmt: on
_JAW_AXIS_Y, _JAW_AXIS_Z = 120.0, 35.0
"""The jaw's joint: before the ear."""
JAW_DEGREES = 14.0
"""Opening of the jaw at weight 1."""
# fmt: off
_AROUND = np.array([
    (150, 60), (225, 5), (305, 70), (300, 110), (160, 110), (170, 185), (280, 185), (224, 222),
    (190, 215), (258, 215), (140, 150), (310, 150), (224, 240),
], np.float64)
# fmt: on
"""Points around the head that no expression moves."""

NAMES = ("blink_right", "blink_left", "jaw", "close", "relax", "round", "brows")


def _field(
    controls: dict[int, tuple[float, float, float]], points: Array, still: tuple[int, ...]
) -> ThinPlate:
    """A field that moves the control landmarks as told and keeps ``still`` and the surroundings in place."""
    fixed = [index for index in still if index not in controls]
    at = np.concatenate([points[list(controls), :2], points[fixed, :2], _AROUND])
    moves = np.concatenate([np.array(list(controls.values())), np.zeros((len(fixed) + len(_AROUND), 3))])
    return ThinPlate(at, moves)


def fields(points: Array) -> dict[str, ThinPlate]:
    """One displacement field for each of :data:`NAMES`.

    Args:
        points: (478, 3) landmarks of the portrait, which smiles with its teeth and eyes open.

    Returns:
        Fields (m, 2) -> (m, 3), portrait pixels at full movement; they add up.
    """
    return {
        "blink_right": _blink(points, "right"),
        "blink_left": _blink(points, "left"),
        "jaw": _jaw(points),
        "close": _close(points),
        "relax": _relax(points),
        "round": _round(points),
        "brows": _brows(points),
    }


def _blink(points: Array, side: str) -> ThinPlate:
    moves: dict[int, tuple[float, float, float]] = {}
    rows = zip(LID_UPPER[side], LID_LOWER[side], LID_CREASE[side], LID_BELOW[side], strict=True)
    for upper, lower, crease, below in rows:
        gap = points[lower, :2] - points[upper, :2]
        # The lashes go down with the lid's edge, so most of the stretch lies between crease and brow.
        moves[upper] = (0.86 * gap[0], 0.86 * gap[1], 0.0)
        moves[crease] = (0.5 * gap[0], 0.5 * gap[1], 0.0)
        moves[lower] = (-0.12 * gap[0], -0.12 * gap[1], 0.0)
        moves[below] = (0.0, -0.06 * gap[1], 0.0)
    other = "left" if side == "right" else "right"
    still = (
        *EYE_CORNERS[side],
        *LID_UPPER[other],
        *LID_LOWER[other],
        *EYE_CORNERS[other],
        *BROWS,
        *_STILL,
        61,
        291,
    )
    # The crease and the row below the eye move here, whatever the other tables say.
    return _field(moves, points, still)


def _jaw(points: Array) -> ThinPlate:
    angle = np.deg2rad(JAW_DEGREES)
    moves = {}
    for index, weight in _JAW.items():
        _, y, z = points[index]
        down = np.sin(angle) * (_JAW_AXIS_Z - z) + (np.cos(angle) - 1) * (y - _JAW_AXIS_Y)
        moves[index] = (0.0, weight * down, weight * np.sin(angle) * (y - _JAW_AXIS_Y))
    return _field(moves, points, _STILL)


def _close(points: Array) -> ThinPlate:
    moves: dict[int, tuple[float, float, float]] = dict.fromkeys(MOUTH_CORNERS, (0.0, 0.0, 0.0))
    rows = zip(LIP_UPPER_INNER, LIP_LOWER_INNER, LIP_UPPER_OUTER, LIP_LOWER_OUTER, strict=True)
    for upper, lower, upper_outer, lower_outer in rows:
        gap = 0.92 * (points[lower, 1] - points[upper, 1])
        moves[upper], moves[lower] = (0.0, 0.5 * gap, 0.0), (0.0, -0.5 * gap, 0.0)
        moves[upper_outer], moves[lower_outer] = (0.0, 0.24 * gap, 0.0), (0.0, -0.3 * gap, 0.0)
    return _field(moves, points, (*_STILL, 152, 175, 148, 377, 176, 400, 149, 378, 136, 365, 205, 425))


def _relax(points: Array) -> ThinPlate:
    moves = {
        61: (5.0, 2.6, 0.0),
        78: (4.6, 2.4, 0.0),
        291: (-5.0, 2.2, 0.0),
        308: (-4.6, 2.0, 0.0),
        0: (0.0, 1.0, -0.5),
        13: (0.0, 0.8, -0.5),
        17: (0.0, -0.8, -0.5),
        14: (0.0, -0.6, -0.5),
        205: (0.6, 1.2, 0.5),
        425: (-0.6, 1.2, 0.5),
        50: (0.2, 0.8, 0.3),
        280: (-0.2, 0.8, 0.3),
    }
    return _field(moves, points, (*_STILL, 152, 175, 148, 377, 149, 378, 136, 365, 58, 288))


def _round(points: Array) -> ThinPlate:
    moves = {
        61: (6.5, 0.6, -1.0),
        78: (6.0, 0.5, -1.0),
        291: (-6.5, 0.6, -1.0),
        308: (-6.0, 0.5, -1.0),
        0: (0.0, -0.6, -3.0),
        13: (0.0, -0.4, -3.0),
        17: (0.0, 0.6, -3.0),
        14: (0.0, 0.4, -3.0),
    }
    return _field(moves, points, (*_STILL, 152, 175, 148, 377, 149, 378, 136, 365, 58, 288, 205, 425))


def _brows(points: Array) -> ThinPlate:
    moves = dict.fromkeys(BROWS, (0.0, -4.5, 0.0))
    moves.update(dict.fromkeys((9, 108, 337), (0.0, -2.0, 0.0)))
    moves.update(dict.fromkeys((*LID_CREASE["right"][2:5], *LID_CREASE["left"][2:5]), (0.0, -1.2, 0.0)))
    eyes = (*LID_UPPER["right"], *LID_UPPER["left"], *LID_LOWER["right"], *LID_LOWER["left"])
    still = tuple(index for index in (*_STILL, *eyes, 103, 332) if index not in (10, 9, 151, 109, 338))
    return _field(moves, points, still)
