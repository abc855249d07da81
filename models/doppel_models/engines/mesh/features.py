"""The live eyes and the inside of the live mouth, carried over to where they lie on the swapped face."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import numpy.typing as npt

from doppel_models.engines.mesh import imaging, regions
from doppel_models.types import ByteArray, FloatArray

_RIDGE = 0.02
_RING = (20, 150)
"""Values of a feathered mask that lie along its edge."""


@dataclasses.dataclass(frozen=True, slots=True)
class Slit:
    """An eye or the mouth: what is seen when it opens belongs to the live face."""

    upper: regions.Indices
    lower: regions.Indices
    shut: float
    """Opening (height over length) at or below which it counts as shut."""
    wide: float
    """Opening from which it counts as open."""
    lid: float
    """How much around a shut slit is the live face's, as a part of its length; 0: nothing."""

    outline: regions.Indices
    """The closed outline, from one corner over the upper edge."""

    def open_share(self, points: FloatArray) -> float:
        """0 shut .. 1 open."""
        part = (regions.opening(points, self.upper, self.lower) - self.shut) / (self.wide - self.shut)
        part = min(max(part, 0.0), 1.0)
        return part * part * (3 - 2 * part)


# A shut eye keeps its live lids: the persona's photo shows it open, and an open eye squeezed to a line does
# not look shut. Lips that touch are the persona's own: a seam of live ones would show.
EYES = (
    Slit(regions.RIGHT_EYE_UPPER, regions.RIGHT_EYE_LOWER, 0.08, 0.20, 0.40, regions.RIGHT_EYE),
    Slit(regions.LEFT_EYE_UPPER, regions.LEFT_EYE_LOWER, 0.08, 0.20, 0.40, regions.LEFT_EYE),
)
MOUTH = Slit(regions.LIPS_INNER_UPPER, regions.LIPS_INNER_LOWER, -0.02, 0.06, 0.0, regions.MOUTH)


def keep(
    crop: ByteArray,
    rgb: ByteArray,
    live: FloatArray,
    target: FloatArray,
    slit: Slit,
    soft: float,
) -> None:
    """Copy what ``crop`` shows inside an outline of the live face into ``rgb``, where the outline lies there.

    Args:
        crop: (h, w, 3) the live face.
        rgb: (h, w, 3) the swapped face; changed.
        live: (N, 2 or 3) points of the live face, pixels.
        target: (N, 2 or 3) points of the swapped face, pixels.
        slit: which feature.
        soft: standard deviation of the feathered edge, pixels.
    """
    open_share = slit.open_share(live)
    if open_share <= 0 and slit.lid == 0:
        return
    height, width = crop.shape[:2]
    to, of = target[slit.outline, :2], live[slit.outline, :2]
    grown = _grown(to, slit.lid * (1 - open_share)) if slit.lid else to
    pad = 2 * soft + 2
    low, high = np.floor(grown.min(axis=0) - pad), np.ceil(grown.max(axis=0) + pad)
    x0, y0 = max(int(low[0]), 0), max(int(low[1]), 0)
    x1, y1 = min(int(high[0]) + 1, width), min(int(high[1]) + 1, height)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    origin = np.array((x0, y0), np.float32)
    mask = patch_mask(grown - origin, (x1 - x0, y1 - y0), soft)
    patch = imaging.warp_back(crop, fit_affine(to - origin, of), (x1 - x0, y1 - y0))
    if slit.lid and open_share < 1:
        _match_lids(patch, rgb[y0:y1, x0:x1], mask, 1 - open_share)
    share = mask.astype(np.float32) * np.float32((1 if slit.lid else open_share) / 255)
    rgb[y0:y1, x0:x1] = imaging.blend(patch, rgb[y0:y1, x0:x1], share)


def _match_lids(patch: ByteArray, around: ByteArray, mask: ByteArray, amount: float) -> None:
    """Bring the live lids to the colour of the swapped skin around them; changes ``patch``."""
    ring = cv2.inRange(mask, np.array(_RING[0]), np.array(_RING[1]))
    live, swapped = cv2.mean(patch, ring), cv2.mean(around, ring)
    gain = [
        1 + amount * (min(max(b / max(a, 1.0), 0.5), 2.0) - 1) for a, b in zip(live, swapped, strict=True)
    ]
    imaging.tint(patch, gain[:3])


def _grown(outline: FloatArray, part: float) -> FloatArray:
    """An outline that starts at one corner, moved outwards across its length by a part of that length."""
    half = len(outline) // 2
    along = outline[half] - outline[0]
    length = float(np.hypot(*along)) + 1e-6
    across = np.array([-along[1], along[0]], np.float32) / length
    # Most in the middle, nothing at the corners. The first half of the ring is the upper one.
    bow = np.sin(np.pi * np.arange(len(outline)) / half)
    upper = float(((outline[1:half] - outline[0]) @ across).mean())
    lower = float(((outline[half + 1 :] - outline[0]) @ across).mean())
    sign = 1.0 if upper >= lower else -1.0
    return outline + (sign * part * length * bow)[:, None].astype(np.float32) * across


def fit_affine(source: FloatArray, destination: FloatArray) -> npt.NDArray[np.float64]:
    """(2, 3) affine map from points (N, 2) to points (N, 2), drawn towards a plain shift.

    The outline of a shut slit is a line, which alone would leave the map across it undetermined.
    """
    p, q = source.astype(np.float64), destination.astype(np.float64)
    p_mean, q_mean = p.mean(axis=0), q.mean(axis=0)
    a = p - p_mean
    rest = q - q_mean - a
    (xx, xy), (_, yy) = a.T @ a
    xx, yy = xx + _RIDGE * (xx + yy) + 1e-9, yy + _RIDGE * (xx + yy) + 1e-9
    inverse = np.array([[yy, -xy], [-xy, xx]]) / (xx * yy - xy * xy)
    linear = np.eye(2) + (inverse @ (a.T @ rest)).T
    return np.concatenate([linear, (q_mean - linear @ p_mean)[:, None]], axis=1)


def patch_mask(outline: FloatArray, size: tuple[int, int], soft: float) -> ByteArray:
    """(h, w) uint8: 255 inside a closed outline (N, 2), feathered.

    Args:
        outline: pixels of the patch.
        size: (width, height) of the patch.
        soft: standard deviation of the feather, pixels.
    """
    canvas = np.zeros((size[1], size[0]), np.uint8)
    fixed = np.rint(outline * 16).astype(np.int32)
    cv2.fillPoly(canvas, [fixed], 255, cv2.LINE_AA, 4)
    return imaging.blur(canvas, soft) if soft > 0.3 else canvas
