"""Colour: brings a swapped crop to the filmed face's brightness, contrast and tint.

Mean and spread of each channel, after E. Reinhard et al., "Color Transfer between Images", IEEE CG&A 21(5),
2001, but in RGB: one factor and one shift per channel, which a compositor can apply while it pastes. They are
followed slowly over time, and within limits, so that neither noise nor an expression makes the face flicker.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from doppel_models import channels
from doppel_models.channels import Picture
from doppel_models.engines.mesh import imaging
from doppel_models.tensor import Triple
from doppel_models.types import ByteArray, FloatArray

SIDE = 32
"""Pixels of the side of the pictures that are compared."""
_SETTLE_SECONDS = 0.35
_JUMP = 12.0
"""Levels by which the wanted mean may differ from the one in use; more is another light, taken at once."""
_GAIN = (0.75, 1.35)
_SHIFT = 45.0
"""Limits of the change, as a factor of the spread and in levels of the mean."""
_LEAST_SPREAD = 2.0
_LEAST_WEIGHT = 20.0

Colors = tuple[Triple, Triple]
"""Factor and offset per channel R, G, B, in bytes: ``byte * factor + offset``."""
UNCHANGED: Colors = ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0))


class ColorMatch:
    """The colours of one filmed face, steady over time."""

    def __init__(self) -> None:
        """Know nothing."""
        self._gain: Triple | None = None
        self._shift: Triple = (0.0, 0.0, 0.0)

    def reset(self) -> None:
        """Forget the face."""
        self._gain = None

    def follow(self, swapped: ByteArray, live: ByteArray, weight: FloatArray, seconds: float) -> Colors:
        """What brings ``swapped`` to the colours of ``live``.

        Args:
            swapped: (h, w, 3) uint8 RGB.
            live: (n, m, 3) uint8 RGB, the same view.
            weight: (k, k) 0..1: where both show the face.
            seconds: since the last frame.
        """
        share = _small(weight).reshape(-1).astype(np.float64)
        total = float(share.sum())
        if total < _LEAST_WEIGHT:
            return UNCHANGED
        share /= total
        (mean_s, spread_s), (mean_l, spread_l) = _statistics(share, swapped, live)
        # Plain floats: for three numbers NumPy's functions take longer to be called than to run.
        gain = _triple(
            _limited(b / max(a, _LEAST_SPREAD), *_GAIN) for a, b in zip(spread_s, spread_l, strict=True)
        )
        shift = _triple(_limited(b - a, -_SHIFT, _SHIFT) for a, b in zip(mean_s, mean_l, strict=True))
        if self._gain is None or max(abs(a - b) for a, b in zip(shift, self._shift, strict=True)) > _JUMP:
            self._gain, self._shift = gain, shift
        else:
            part = 1 - math.exp(-seconds / _SETTLE_SECONDS)
            self._gain = _triple(was + part * (now - was) for was, now in zip(self._gain, gain, strict=True))
            self._shift = _triple(
                was + part * (now - was) for was, now in zip(self._shift, shift, strict=True)
            )
        offset = _triple(
            mean + moved - factor * mean
            for mean, moved, factor in zip(mean_s, self._shift, self._gain, strict=True)
        )
        return self._gain, offset


def _small(picture: Picture) -> Picture:
    """A square picture (h, w[, n]) reduced to :data:`SIDE`: by 2 as often as that goes, which is quick."""
    side = picture.shape[0]
    while side % 2 == 0 and side // 2 >= SIDE:
        side //= 2
        picture = imaging.shrink(picture, (side, side))
    return picture if side == SIDE else imaging.shrink(picture, (SIDE, SIDE))


def apply(colors: Colors, rgb: ByteArray) -> ByteArray:
    """A picture (h, w, 3) uint8 RGB with its colours moved, within one level, and limited to 0..255."""
    if colors == UNCHANGED:
        return rgb
    (red, green, blue), (r, g, b) = colors
    # A product of matrices, most of them zeros, and still in a quarter of a table's time.
    return np.asarray(
        cv2.transform(rgb, np.array([[red, 0, 0, r], [0, green, 0, g], [0, 0, blue, b]])), np.uint8
    )


def _limited(value: float, least: float, most: float) -> float:
    return min(max(value, least), most)


def _triple(values: Iterable[float]) -> Triple:
    red, green, blue = values
    return red, green, blue


def _statistics(
    share: npt.NDArray[np.float64], *pictures: ByteArray
) -> list[tuple[list[float], list[float]]]:
    """Weighted mean and standard deviation of each picture's channels."""
    planes = [channels.split(_small(rgb)) for rgb in pictures]
    colors = np.concatenate(planes).reshape(-1, len(share)).astype(np.float64)
    mean = colors @ share
    colors -= mean[:, None]
    spread = np.sqrt(np.multiply(colors, colors, out=colors) @ share)
    means, spreads = mean.tolist(), spread.tolist()
    return [(means[at : at + 3], spreads[at : at + 3]) for at in range(0, len(means), 3)]
