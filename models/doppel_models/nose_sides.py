"""The sides of the nose in a texture: the one that a photo shows badly is taken from the other.

A lamp beside the face leaves the far side of the nose in a shadow that ends sharply at the cheek, and on a
turned face that side is squeezed. Where the swapped face turns, the whole side of the nose is drawn a few
pixels wide: what is dark there becomes a line from the corner of the eye to the mouth, like a scratch.
Evening out the light cannot help: its maps are too smooth for so sharp an edge.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np

from doppel_models.engines.mesh import imaging, regions, relight, uv
from doppel_models.types import FloatArray

_LEFT_SIDE: regions.Indices = np.array([8, 417, 413, 464, 453, 350, 277, 355, 371, 423, 391, 164])
"""Outline of the person's left side of the nose: down along the cheek, and back along the ridge."""
_FEATHER = 1 / 128
"""Standard deviation of the edge towards the cheek; it and the next three are parts of the texture's side."""
_RIDGE = 1 / 40
"""Half the width of the nose's ridge."""
_CHEEK_REACH = 1 / 16
_MATCH_SIGMA = 1 / 24
_MATCH_LIMIT = 0.3
"""Natural logarithm: the light of one cheek over that of the other is followed so far."""
_DARKER = (0.06, 0.14)
"""Natural logarithms: a side of the nose that is so much darker than the other, the cheeks' own difference
taken off, begins to be replaced, and is replaced. The portrait's differ by .16, those of the men of the
webcam clips by at most .05."""
_SHADE_SHARE = 0.8
"""So much of a side in shadow is replaced at most. What stays shows no line, and the two sides of a nose are
not quite alike: with all of it replaced, dlib's distance to the portrait's photo was .428 on a webcam clip,
with nothing .411."""
_LESS_KNOWN = (0.15, 0.40)
"""The same for how much less of a side is known."""
_OFFSET = 4.0
"""Added to colours 0..255 before their logarithm is taken."""


def trust(texture: FloatArray, weight: FloatArray) -> FloatArray:
    """How far each texel may be used: less on the side of the nose that is in shadow or hardly seen.

    Args:
        texture: (size, size, 3) float32 RGB 0..255 over the UV square.
        weight: (size, size) 0..1 how well the picture shows each texel.

    Returns:
        (size, size) float32 0..1.
    """
    size = texture.shape[0]
    left = _left_side(size)
    gray = np.log(cv2.cvtColor(texture, cv2.COLOR_RGB2GRAY) + np.float32(_OFFSET))
    darker = gray[:, ::-1] - gray
    seen = weight * weight[:, ::-1]
    nose, cheek = _mean(darker, left * seen), _mean(darker, _left_cheek(size) * seen)
    # Beside a lamp both are darker, the cheek more than the nose: neither side of the nose is in a shadow.
    shade = nose - cheek if nose * (nose - cheek) > 0 else 0.0
    unseen = _mean(weight[:, ::-1] - weight, left)
    # What is hardly seen says nothing, however bright it is.
    hidden = _ramp(unseen, _LESS_KNOWN)
    bad = hidden + _SHADE_SHARE * _ramp(shade, _DARKER) * (1 - abs(hidden))
    side = left if bad > 0 else left[:, ::-1]
    return np.asarray(1 - abs(bad) * side, np.float32)


def fill(texture: FloatArray, known: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lay the mirror image of the nose's known side over the other one, in its own cheek's light.

    Like Poisson blending (P. Perez, M. Gangnet, A. Blake, "Poisson Image Editing", SIGGRAPH 2003): the detail
    is the mirror image's, the light that of the surroundings.

    Args:
        texture: (size, size, 3) float32 RGB 0..255 over the UV square.
        known: (size, size) 0..1 how well each texel is known.

    Returns:
        The texture, and how well each texel is known now.
    """
    size = texture.shape[0]
    left = _left_side(size)
    nose = np.clip(20 * np.maximum(left, left[:, ::-1]), 0, 1)
    share = np.clip(known[:, ::-1] - known, 0, 1) * nose
    log = np.log(texture + np.float32(_OFFSET))
    around = imaging.resize(relight.skin_weight(), (size, size)) * known * known[:, ::-1] * (1 - nose)
    # In the middle of the ridge, where they meet, both sides are one.
    around[:, size // 2 - 2 : size // 2 + 2] = 1
    ratio = np.clip(log - log[:, ::-1], -_MATCH_LIMIT, _MATCH_LIMIT) * around[:, :, None]
    smooth = imaging.blur(np.dstack([ratio, around]).astype(np.float32), _MATCH_SIGMA * size)
    mirrored = np.exp(log[:, ::-1] + smooth[:, :, :3] / np.maximum(smooth[:, :, 3:], 1e-3)) - _OFFSET
    filled = texture + (mirrored - texture) * share[:, :, None]
    return np.asarray(np.clip(filled, 0, 255), np.float32), np.asarray(known + share, np.float32)


def _mean(values: FloatArray, weight: FloatArray) -> float:
    return float((values * weight).sum() / max(float(weight.sum()), 1e-6))


def _ramp(value: float, limits: tuple[float, float]) -> float:
    """0 up to the first limit, 1 from the second, smooth in between; of the value's sign."""
    part = regions.smoothstep(np.array((abs(value) - limits[0]) / (limits[1] - limits[0])))
    return float(np.copysign(part, value))


@functools.cache
def _left_side(size: int) -> FloatArray:
    """(size, size) 0..1 the person's left side of the nose: feathered at the cheek, and on the ridge.

    The ridge itself is seen from both sides, and its highlight need not be in the middle.
    """
    side = uv.grid(size).polygon(_LEFT_SIDE).astype(np.float32) / np.float32(255)
    side = imaging.blur(np.maximum(side, side[:, ::-1]), _FEATHER * size)
    columns = (np.arange(size, dtype=np.float32) + np.float32(0.5 - size / 2)) / np.float32(size)
    return np.asarray(side * regions.smoothstep(columns / _RIDGE), np.float32)


@functools.cache
def _left_cheek(size: int) -> FloatArray:
    """(size, size) 0..1 the skin beside the left side of the nose."""
    left = _left_side(size)
    skin = imaging.resize(relight.skin_weight(), (size, size))
    cheek = imaging.blur(left, _CHEEK_REACH * size) * (1 - np.clip(3 * left, 0, 1)) * skin
    cheek[:, : size // 2] = 0
    return cheek
