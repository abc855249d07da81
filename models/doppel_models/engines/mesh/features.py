"""The live eyes and the inside of the live mouth, carried over to where they lie on the swapped face."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from doppel_models.engines.base import CropReader
from doppel_models.engines.mesh import imaging, regions
from doppel_models.types import ByteArray, FloatArray

_RIDGE = 0.02
RING = (20, 150)
"""Values of a feathered mask that lie along its edge."""
_READ_PIXELS = 12_000
"""Reading so many pixels more costs what another call does."""
_Box = tuple[int, int, int, int]
"""x0, y0, x1, y1."""


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

    def open_share(self, opening: float) -> float:
        """0 shut .. 1 open, from :func:`regions.opening`."""
        part = min(max((opening - self.shut) / (self.wide - self.shut), 0.0), 1.0)
        return part * part * (3 - 2 * part)


# A shut eye keeps its live lids: the persona's photo shows it open, and an open eye squeezed to a line does
# not look shut. Lips that touch are the persona's own: a seam of live ones would show.
MOUTH = Slit(regions.LIPS_INNER_UPPER, regions.LIPS_INNER_LOWER, -0.02, 0.06, 0.0, regions.MOUTH)
EYES = (
    Slit(regions.RIGHT_EYE_UPPER, regions.RIGHT_EYE_LOWER, 0.08, 0.20, 0.40, regions.RIGHT_EYE),
    Slit(regions.LEFT_EYE_UPPER, regions.LEFT_EYE_LOWER, 0.08, 0.20, 0.40, regions.LEFT_EYE),
)
SLITS = (MOUTH, *EYES)
"""In the order of :func:`regions.openings`."""
MASK_SLITS = tuple(dataclasses.replace(slit, lid=0.0) for slit in SLITS)
"""For painted masks, whose shut eyes are a painted line: skin in the mask's colours would glare beside it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Patch:
    """A part of the live face that is laid over the swapped one."""

    x0: int
    """Of its first column in the crop."""
    y0: int
    """Of its first row."""
    mask: ByteArray
    """(h, w) uint8: 255 inside, feathered."""
    matrix: npt.NDArray[np.float64]
    """(2, 3): the patch's pixels -> the live face's pixels in the crop."""
    lids: float
    """0..1: how far its colours are brought to those of the swapped skin around it."""
    share: float
    """0..1: of the mask."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height), pixels."""
        return self.mask.shape[1], self.mask.shape[0]


def patch_of(
    size: tuple[int, int], live: FloatArray, target: FloatArray, slit: Slit, soft: float, open_share: float
) -> Patch | None:
    """What is inside an outline of the live face, to be laid where that outline lies on the swapped face.

    Args:
        size: (width, height) of the crop, pixels.
        live: (N, 2 or 3) points of the live face, pixels.
        target: (N, 2 or 3) points of the swapped face, pixels.
        slit: which feature.
        soft: standard deviation of the feathered edge, pixels.
        open_share: how far the feature stands open (:meth:`Slit.open_share`).

    Returns:
        None where there is nothing to be laid.
    """
    if open_share <= 0 and slit.lid == 0:
        return None
    width, height = size
    # Taken, not indexed: indexing by a list takes three times as long.
    to, of = target.take(slit.outline, axis=0)[:, :2], live.take(slit.outline, axis=0)[:, :2]
    growth = slit.lid * (1 - open_share)
    grown = _grown(to, growth) if growth else to
    pad = 2 * soft + 2
    columns, rows = grown.T.tolist()
    x0, y0 = max(math.floor(min(columns) - pad), 0), max(math.floor(min(rows) - pad), 0)
    x1, y1 = min(math.ceil(max(columns) + pad) + 1, width), min(math.ceil(max(rows) + pad) + 1, height)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    origin = np.array((x0, y0), np.float32)
    mask = patch_mask(grown - origin, (x1 - x0, y1 - y0), soft)
    lids = 1 - open_share if slit.lid else 0.0
    return Patch(x0, y0, mask, fit_affine(to - origin, of), lids, 1.0 if slit.lid else open_share)


def lay(crop: ByteArray | CropReader, rgb: ByteArray, patches: Sequence[Patch]) -> None:
    """Lay patches of ``crop``, the live face, into ``rgb`` (h, w, 3), the swapped one; changes ``rgb``."""
    size = crop.shape[1], crop.shape[0]
    for (x0, y0, x1, y1), group in _read_together([(_shown(patch, size), patch) for patch in patches]):
        part = crop[y0:y1, x0:x1] if isinstance(crop, np.ndarray) else crop.part(x0, y0, x1, y1)
        source = imaging.padded(part)
        for patch in group:
            width, height = patch.size
            over = imaging.warp_back(source, patch.matrix - np.array([[0, 0, x0], [0, 0, y0]]), patch.size)
            below = rgb[patch.y0 : patch.y0 + height, patch.x0 : patch.x0 + width]
            if patch.lids > 0:
                _match_lids(over, below, patch.mask, patch.lids)
            imaging.blend_in(over, below, patch.mask, patch.share)


def _shown(patch: Patch, size: tuple[int, int]) -> _Box:
    """The part of a crop of ``size`` (width, height) that a patch shows."""
    width, height = size
    (a, b, x), (c, d, y) = patch.matrix.tolist()
    right, bottom = patch.size[0] - 1, patch.size[1] - 1
    columns = [x, x + a * right, x + b * bottom, x + a * right + b * bottom]
    rows = [y, y + c * right, y + d * bottom, y + c * right + d * bottom]
    # At least one pixel inside the crop: beyond its edge, the edge is repeated.
    x0, y0 = min(max(math.floor(min(columns)), 0), width - 1), min(max(math.floor(min(rows)), 0), height - 1)
    x1 = min(max(math.ceil(max(columns)) + 1, x0 + 1), width)
    y1 = min(max(math.ceil(max(rows)) + 1, y0 + 1), height)
    return x0, y0, x1, y1


def _read_together(parts: Sequence[tuple[_Box, Patch]]) -> list[tuple[_Box, list[Patch]]]:
    """Patches near each other (the eyes) in one box: reading twice costs more than what lies between."""
    groups: list[tuple[_Box, list[Patch]]] = []
    for box, patch in parts:
        if groups:
            last, group = groups[-1]
            both = min(last[0], box[0]), min(last[1], box[1]), max(last[2], box[2]), max(last[3], box[3])
            if _area(both) <= _area(last) + _area(box) + _READ_PIXELS:
                groups[-1] = both, [*group, patch]
                continue
        groups.append((box, [patch]))
    return groups


def _area(box: _Box) -> int:
    x0, y0, x1, y1 = box
    return (x1 - x0) * (y1 - y0)


def _match_lids(patch: ByteArray, around: ByteArray, mask: ByteArray, amount: float) -> None:
    """Bring the live lids to the colour of the swapped skin around them; changes ``patch``."""
    ring = cv2.inRange(mask, np.array(RING[0]), np.array(RING[1]))
    live, swapped = cv2.mean(patch, ring), cv2.mean(around, ring)
    gain = [
        1 + amount * (min(max(b / max(a, 1.0), 0.5), 2.0) - 1) for a, b in zip(live, swapped, strict=True)
    ]
    imaging.tint(patch, gain[:3])


def _grown(outline: FloatArray, part: float) -> FloatArray:
    """An outline that starts at one corner, moved outwards across its length by a part of that length."""
    # Plain floats: for so few numbers NumPy's functions take longer to be called than to run.
    half = len(outline) // 2
    points = outline.tolist()
    x, y = points[half][0] - points[0][0], points[half][1] - points[0][1]
    heights = [column * -y + row * x for column, row in points]
    # Most in the middle, nothing at the corners. The first half of the ring is the upper one.
    upper, lower = sum(heights[1:half]), sum(heights[half + 1 :])
    part = part if upper / (half - 1) >= lower / (len(heights) - half - 1) else -part
    return outline + _bow(len(outline))[:, None] * np.array((-y * part, x * part), np.float32)


@functools.cache
def _bow(points: int) -> FloatArray:
    """(points,) of an outline: 0 at its start and its middle, 1 and -1 in between."""
    return np.asarray(np.sin(np.arange(points) * (2 * np.pi / points)), np.float32)


def fit_affine(source: FloatArray, destination: FloatArray) -> npt.NDArray[np.float64]:
    """(2, 3) affine map from points (N, 2) to points (N, 2), drawn towards a plain shift.

    The outline of a shut slit is a line, which alone would leave the map across it undetermined.
    """
    # All sums that are needed, by one product; then plain floats, which are quicker for so few numbers.
    columns = np.empty((len(source), 5))
    columns[:, 0], columns[:, 1:3], columns[:, 3:] = 1, source, destination - source
    count, *first = (sums := (columns.T @ columns).tolist())[0]
    (px, py, dx, dy) = (value / count for value in first)
    xx, xy, yy = sums[1][1] - count * px * px, sums[1][2] - count * px * py, sums[2][2] - count * py * py
    ax, bx = sums[1][3] - count * px * dx, sums[1][4] - count * px * dy
    ay, by = sums[2][3] - count * py * dx, sums[2][4] - count * py * dy
    ridge = _RIDGE * (xx + yy) + 1e-9
    xx, yy = xx + ridge, yy + ridge
    determinant = xx * yy - xy * xy
    a, b = 1 + (yy * ax - xy * ay) / determinant, (xx * ay - xy * ax) / determinant
    c, d = (yy * bx - xy * by) / determinant, 1 + (xx * by - xy * bx) / determinant
    return np.array([[a, b, px + dx - a * px - b * py], [c, d, py + dy - c * px - d * py]])


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
    return imaging.soften(canvas, soft) if soft > 0.3 else canvas
