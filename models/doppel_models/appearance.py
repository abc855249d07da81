"""Tells whether a face can still be the same person's: the colours of its skin, point by point.

No recognition: it compares a face with the same face a moment ago. Measured on two webcam clips of one man
(400x300, as they are and mirrored, 0.25 to 1.4 times as bright, lit warm, cold and from a side, with noise of
6 and 12 of 255), against a woman's portrait (as it is, mirrored, in two darker colours), and on composed
scenes:

| | difference | in any light |
|---|---|---|
| same face, next frame | <= 0.030; with noise of 12 <= 0.057 | <= 0.028; <= 0.056 |
| light switched between two frames: brighter, dimmer, from a side | <= 0.042 | <= 0.042 |
| warm or cold light switched on | 0.15 | <= 0.021 |
| same face against its running mean, whole clips | | <= 0.066 |
| single frames of one clip, any two | median 0.06, 1 % above 0.12 | median 0.06, 1 % above 0.12 |
| a hand or a book comes before the face | <= 0.15 | |
| another person | >= 0.168; 0.13 in composed scenes | >= 0.071 |

So the running mean tells more than any one frame, and two frames far apart are no evidence.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from doppel_models.canonical import VERTEX_COUNT
from doppel_models.types import ByteArray, FloatArray

SAME = 0.09
"""Up to here, against its running mean or its last frame, the face may have been out of sight for long."""
OTHER = 0.12
"""From here on it is another person, even between two frames."""
OTHER_IN_ANY_LIGHT = 0.065
"""The same where the colour of the light is taken out: coloured light can come on at any moment."""
_SIZE = 32
"""Side of the reduced crop; fine detail (expression, grain) does not count."""
_EVERY = 4
_ONES = np.ones(3, np.float32)
_QUANTILE = 0.35
"""The best third of the points counts, so that something before the face changes little."""


def appearance(crop: ByteArray, points: FloatArray) -> FloatArray:
    """(117, 3) the colours of a face around every fourth mesh point, 0..255.

    Args:
        crop: square, uint8 RGB.
        points: (478, 2 or 3) landmarks, pixels of the crop; one that is not finite counts as (0, 0).
    """
    return colors_around(reduced(crop), points, crop.shape[0])


def reduced(crop: ByteArray) -> ByteArray:
    """The crop as :func:`colors_around` takes it; cheapest while the crop is fresh in the cache."""
    # A quarter of the pixels gives nearly the mean of all, in a quarter of the time.
    few = cv2.resize(crop, (2 * _SIZE, 2 * _SIZE), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(few, (_SIZE, _SIZE), interpolation=cv2.INTER_AREA), np.uint8)


def colors_around(small: ByteArray, points: FloatArray, size: int) -> FloatArray:
    """The second half of :func:`appearance`: ``points`` are pixels of the crop, whose side was ``size``."""
    chosen = points[:VERTEX_COUNT:_EVERY, :2]
    if not math.isfinite(float(chosen.sum())):
        chosen = np.where(np.isfinite(chosen), chosen, 0)
    cells = chosen * np.float32(_SIZE / size)
    # Two functions that are in use anyway start in half the time of NumPy's clip.
    np.minimum(np.maximum(cells, np.float32(0), out=cells), np.float32(_SIZE - 1), out=cells)
    columns, rows = cells.T.astype(np.intp)
    colors: FloatArray = small[rows, columns].astype(np.float32)
    return colors


def difference(a: FloatArray, b: FloatArray, *, any_light: bool = False) -> float:
    """How much two appearances differ, 0..2, whatever the exposure; or the light's colour (``any_light``)."""
    # Sums over rows of three by a product: NumPy's own take four times as long.
    a, b = a + 1, b + 1
    bright = a @ _ONES
    middle = len(a) // 2
    if any_light:
        ratios = a / b
        ratios.partition(middle, axis=0)
        b *= ratios[middle]
    else:
        ratio = bright / (b @ _ONES)
        ratio.partition(middle)
        b *= ratio[middle]
    total = b @ _ONES
    total += bright
    a -= b
    apart = np.abs(a, out=a) @ _ONES
    apart /= total
    rank = int(_QUANTILE * len(apart))
    apart.partition(rank)
    return 2 * float(apart[rank])
