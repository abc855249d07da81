"""Colour: brings a swapped crop to the filmed face's brightness, contrast and tint.

Mean and spread of each channel, after E. Reinhard et al., "Color Transfer between Images", IEEE CG&A 21(5),
2001, but in RGB: one factor and one shift per channel, which a compositor can apply while it pastes. They are
followed slowly over time, and within limits, so that neither noise nor an expression makes the face flicker.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

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
        self._gain: npt.NDArray[np.float64] | None = None
        self._shift = np.zeros(3)

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
        (mean_s, spread_s), (mean_l, spread_l) = _statistics(swapped, share), _statistics(live, share)
        gain = np.clip(spread_l / np.maximum(spread_s, _LEAST_SPREAD), *_GAIN)
        shift = np.clip(mean_l - mean_s, -_SHIFT, _SHIFT)
        if self._gain is None or float(np.abs(shift - self._shift).max()) > _JUMP:
            self._gain, self._shift = gain, shift
        else:
            follow = 1 - float(np.exp(-seconds / _SETTLE_SECONDS))
            self._gain = self._gain + follow * (gain - self._gain)
            self._shift = self._shift + follow * (shift - self._shift)
        offset = mean_s + self._shift - self._gain * mean_s
        return (_triple(self._gain), _triple(offset))


def _small(picture: Picture) -> Picture:
    """A square picture (h, w[, n]) reduced to :data:`SIDE`: by 2 as often as that goes, which is quick."""
    side = picture.shape[0]
    while side % 2 == 0 and side // 2 >= SIDE:
        side //= 2
        picture = imaging.shrink(picture, (side, side))
    return picture if side == SIDE else imaging.shrink(picture, (SIDE, SIDE))


def apply(colors: Colors, rgb: ByteArray) -> ByteArray:
    """A picture (h, w, 3) uint8 RGB with its colours moved, rounded and limited to 0..255."""
    if colors == UNCHANGED:
        return rgb
    gain, offset = np.asarray(colors[0], np.float32), np.asarray(colors[1], np.float32)
    table = np.rint(np.clip(np.arange(256, dtype=np.float32)[:, None] * gain + offset, 0, 255))
    return np.asarray(cv2.LUT(rgb, table.astype(np.uint8)[None]), np.uint8)


def _triple(values: npt.NDArray[np.float64]) -> Triple:
    red, green, blue = values.tolist()
    return red, green, blue


def _statistics(
    rgb: ByteArray, share: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Weighted mean and standard deviation (3,) of the channels."""
    colors = _small(rgb).reshape(-1, 3).astype(np.float64)
    mean = share @ colors
    colors -= mean
    return mean, np.sqrt(share @ np.multiply(colors, colors, out=colors))
