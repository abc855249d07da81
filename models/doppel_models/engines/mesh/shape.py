"""Face shapes without pose, the live person's neutral face, and the move to the persona's proportions.

Convention: a *shape* is (468, 3) in the axes and units of the canonical face (x to the picture's right, y
down, z away from the camera, centimetres of the canonical head), with the head's turn, place and size taken
out.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import cv2
import numpy as np
import numpy.typing as npt

from doppel_models import canonical
from doppel_models.engines.mesh import regions
from doppel_models.types import FloatArray

# Points that neither jaw nor expression moves much: brow ridge, temples, eye corners, nose, cheekbones.
_STABLE: regions.Indices = np.array(
    [6, 168, 197, 195, 5, 4, 1, 33, 133, 362, 263, 127, 356, 234, 454, 116, 345, 143, 372, 198, 420, 129, 358,
     10, 67, 297, 54, 284, 9, 8]
)  # fmt: skip

_PAIRS = np.stack([regions.ABOVE, regions.BELOW], axis=1)
"""(K, 2) points that face each other across a slit: these move together, so that a slit keeps its opening."""

_UPPER_LIP: regions.Indices = np.array(
    [184, 183, 74, 42, 73, 41, 72, 38, 11, 12, 302, 268, 303, 271, 304, 272, 408, 407,
     185, 40, 39, 37, 0, 267, 269, 270, 409]
)  # fmt: skip
_LOWER_LIP: regions.Indices = np.array(
    [77, 96, 90, 89, 180, 179, 85, 86, 16, 15, 315, 316, 404, 403, 320, 319, 307, 325,
     146, 91, 181, 84, 17, 314, 405, 321, 375]
)  # fmt: skip
"""The lips without their inner edges and corners."""
_MOVED = np.concatenate([regions.ABOVE, regions.BELOW, _UPPER_LIP, _LOWER_LIP])
"""Points of the mouth and the eyes that move when they open; each once."""
_SHUT_REACH, _NARROW_REACH = 2.5, 0.5
_LOWER_SHARE = 0.75
_OPEN_MORE = 1.1
"""The texture's lips, filmed shut or grinning, make an open mouth look a little less open."""
_SQUINT_MORE = 0.8
"""So much deeper a half-shut eye is drawn: the texture's lids, filmed open, make it look less shut."""
_NARROWEST, _WIDEST = 0.6, 1.35
_LIP_CORNERS: regions.Indices = np.array([61, 76, 62, 78, 291, 306, 292, 308])
_RESTING_MOUTH = 0.64
"""Width of a mouth over the distance of the eyes' outer corners; at rest .5 to .58."""

_RESTING_LIFT = 0.0
"""Height of the mouth's corners over its middle, centimetres of the canonical head; at rest about -.2."""
_SMILE_SHARE, _SMILE_REACH = 0.7, 1.5
"""How much of a smile's lift is taken back, and how far around the lips."""


@dataclasses.dataclass(frozen=True, slots=True)
class HeadFrame:
    """The similarity from the canonical head to the picture: ``scale * rotation @ p + offset``."""

    scale: float
    rotation: npt.NDArray[np.float64]
    """(3, 3)."""
    offset: npt.NDArray[np.float64]
    """(3,) pixels."""

    @classmethod
    def of(cls, points: FloatArray) -> HeadFrame:
        """The head frame of landmarks (468 or more, 3) in pixels."""
        centered, variance, middle = _stable_points()
        stable = points.take(_STABLE, axis=0).astype(np.float64)
        # Umeyama's fit (see ``geometry.umeyama``) with all that does not depend on the landmarks done once.
        fit: tuple[npt.NDArray[np.float64], ...] = cv2.SVDecomp(stable.T @ centered)  # type: ignore[assignment]
        singular, u, vt = fit
        if cv2.determinant(u) * cv2.determinant(vt) < 0:
            u[:, 2], singular[2] = -u[:, 2], -singular[2]
        rotation = u @ vt
        scale = float(singular.sum()) / variance
        return cls(scale, rotation, _MEAN_OF_STABLE @ stable - scale * (rotation @ middle))

    def shape_of(self, points: FloatArray) -> FloatArray:
        """The shape (468, 3) of landmarks in pixels."""
        back = self.rotation / self.scale
        centered = points[: canonical.VERTEX_COUNT] - self.offset.astype(np.float32)
        return np.asarray(centered @ back.astype(np.float32), np.float32)

    def vectors(self, shape_vectors: FloatArray) -> FloatArray:
        """Differences of shapes (N, 3) as differences in pixels."""
        return np.asarray(shape_vectors @ (self.scale * self.rotation.T).astype(np.float32), np.float32)


_MEAN_OF_STABLE = np.full(len(_STABLE), 1 / len(_STABLE))


@functools.cache
def _stable_points() -> tuple[npt.NDArray[np.float64], float, npt.NDArray[np.float64]]:
    """The stable points of the canonical face (n, 3) about their middle, their total variance, the middle."""
    points = canonical.load().vertices[_STABLE].astype(np.float64)
    middle = points.mean(axis=0)
    centered = points - middle
    return centered, float((centered**2).sum()), middle


class NeutralEstimate:
    """The live person's face at rest, learnt while it is on camera.

    Frames with open mouth, shut eyes or a turned head say little about the resting face and weigh less. The
    first frames weigh most, so that the estimate is useful at once; later it follows slowly.
    """

    _FRAMES_KEPT = 250.0

    def __init__(self) -> None:
        """Know nothing."""
        self._shape: FloatArray | None = None
        self._weight = 0.0

    def reset(self) -> None:
        """Forget the person."""
        self._shape, self._weight = None, 0.0

    def update(self, shape: FloatArray, yaw: float, frames: int = 1) -> FloatArray:
        """Take in the shape of a frame, which stands for so many; returns the neutral shape (468, 3)."""
        mouth, right_eye, left_eye = regions.openings(shape)
        eyes = 0.5 * (right_eye + left_eye)
        weight = math.exp(-((mouth / 0.12) ** 2) - (yaw / 25) ** 2) * min(max(eyes / 0.2, 0.05), 1.0)
        if self._shape is None:
            self._shape, self._weight = shape.copy(), max(weight, 1e-3)
            return self._shape
        self._weight = min(self._weight + frames * weight, self._FRAMES_KEPT)
        self._shape += (shape - self._shape) * np.float32(frames * weight / self._weight)
        return self._shape


def proportion_shift(neutral: FloatArray, persona: FloatArray) -> FloatArray:
    """(468, 3) how each point moves from the live person's resting face to the persona's.

    Points on the outline stay. Points that face each other across the lips or the eyelids move together: a
    shut mouth stays shut and a blink stays a blink, whatever the persona's photo shows.
    """
    shift = (persona - neutral) * regions.inner_weight()[:, None]
    together = 0.5 * (shift[_PAIRS[:, 0]] + shift[_PAIRS[:, 1]])
    shift[_PAIRS[:, 0]] = together
    shift[_PAIRS[:, 1]] = together
    return np.asarray(shift, np.float32)


def resting(shape: FloatArray) -> FloatArray:
    """A shape (468, 3) with open lips shut and a grin taken back a little.

    Carried over as it is, a smile would stretch the lips of a face that rests, and an open mouth would leave
    it with lips as thick as the gap.
    """
    lips = np.concatenate([_UPPER_LIP, _LOWER_LIP, _LIP_CORNERS, regions.MOUTH])
    distance = np.linalg.norm(shape[:, None, :2] - shape[lips][None, :, :2], axis=2).min(axis=1)
    rested = shape.copy()

    # Shut: each lip moves as far as its inner edge must to meet the other's, the skin around it less.
    upper, lower = regions.LIPS_INNER_UPPER, regions.LIPS_INNER_LOWER
    gap = np.linalg.norm(shape[lower, :2] - shape[upper, :2], axis=1)
    at = 0.5 * (shape[upper, 0] + shape[lower, 0])
    order = np.argsort(at)
    needed = np.interp(shape[:, 0], at[order], gap[order], left=0, right=0).astype(np.float32)
    follow = regions.smoothstep(((_SHUT_REACH - distance) / _SHUT_REACH).astype(np.float32))
    follow[lips] = 1
    line = np.interp(shape[:, 0], at[order], 0.5 * (shape[upper, 1] + shape[lower, 1])[order])
    below = shape[:, 1] > line
    below[_LOWER_LIP], below[lower[1:-1]] = True, True
    below[_UPPER_LIP], below[upper[1:-1]] = False, False
    # Mouths open by the jaw: the lower lip has the longer way back.
    rested[:, 1] += needed * follow * np.where(below, -_LOWER_SHARE, 1 - _LOWER_SHARE).astype(np.float32)

    width = float(np.linalg.norm(shape[61] - shape[291]))
    ratio = max(float(np.linalg.norm(shape[33] - shape[263])) * _RESTING_MOUTH / width, 0.75)
    if ratio < 1:
        middle = float(shape[[61, 291], 0].mean())
        follow = regions.smoothstep(((_NARROW_REACH - distance) / _NARROW_REACH).astype(np.float32))
        follow[lips] = 1
        rested[:, 0] += (ratio - 1) * (shape[:, 0] - middle) * follow

    # A smile lifts the corners, and the cheeks beside them.
    left, right = rested[61], rested[291]
    lift = float(rested[[13, 14], 1].mean() - 0.5 * (left[1] + right[1])) - _RESTING_LIFT
    if lift > 0:
        half = max(0.5 * float(right[0] - left[0]), 1e-3)
        side = np.clip(np.abs(rested[:, 0] - 0.5 * (left[0] + right[0])) / half, 0, 1) ** 2
        follow = regions.smoothstep(((_SMILE_REACH - distance) / _SMILE_REACH).astype(np.float32))
        follow[lips] = 1
        rested[:, 1] += _SMILE_SHARE * lift * side * follow
    return np.asarray(rested, np.float32)


def keep_openings(
    target: FloatArray,
    live: FloatArray,
    neutral: tuple[float, float, float],
    opened: tuple[float, float, float] | None = None,
) -> None:
    """Open the moved mouth and eyes as far as the live ones in proportion to their width; changes ``target``.

    Args:
        target: (468, 3) the moved points, pixels.
        live: (468 or more, 3) the live points, pixels.
        neutral: :func:`regions.openings` of the live person's resting shape.
        opened: the same of ``live``, where it is known.
    """
    ends, new_ends = (points.take(regions.ENDS, axis=0)[:, :2].tolist() for points in (live, target))
    halves = []
    for slit, (now, resting) in enumerate(zip(opened or regions.openings(live), neutral, strict=True)):
        shut = min(max(1 - now / max(resting, 1e-3), 0.0), 1.0)
        more = 1 - _SQUINT_MORE * shut if slit else _OPEN_MORE
        left, right = 2 * slit, 2 * slit + 1
        wider = math.dist(new_ends[left], new_ends[right]) / max(math.dist(ends[left], ends[right]), 1e-3)
        halves.append(0.5 * (min(max(wider * more, _NARROWEST), _WIDEST) - 1))
    share = np.repeat(np.array(halves, np.float32), regions.PAIRS)[:, None]
    extra = (live.take(regions.BELOW, axis=0) - live.take(regions.ABOVE, axis=0)) * share
    mean = extra[: regions.PAIRS[0]].sum(axis=0) / np.float32(regions.PAIRS[0])
    moves = np.empty((len(_MOVED), 3), np.float32)
    slits, lip = len(extra), len(_UPPER_LIP)
    moves[:slits], moves[slits : 2 * slits] = -extra, extra
    # The rest of each lip goes along.
    moves[2 * slits : 2 * slits + lip], moves[2 * slits + lip :] = -mean, mean
    target[_MOVED] += moves
