"""The user's sharpness: an unsharp mask over the swapped face, before it is pasted."""

from __future__ import annotations

import functools

import cv2
import numpy as np
from doppel_models.types import ByteArray, FloatArray

GAIN = 1.5
"""How much of the fine detail is added at sharpness 1."""
_SIGMA_OF_WIDTH = 0.006
"""Width of what counts as fine detail, of the crop's width: skin and lashes, not the shape of the nose."""
_LEAST_SIGMA = 0.8
_REACH = 4.0
"""Standard deviations of the blur that are summed, to each side; as OpenCV's for floating point."""


@functools.lru_cache(maxsize=64)
def taps(width: int) -> FloatArray:
    """(n,) weights of the blur of a crop of that width, n odd; their sum is 1. Not to be changed."""
    sigma = max(_LEAST_SIGMA, _SIGMA_OF_WIDTH * width)
    weights = cv2.getGaussianKernel(round(2 * _REACH * sigma + 1) | 1, sigma, cv2.CV_32F).ravel()
    weights.setflags(write=False)
    return np.asarray(weights, np.float32)


def sharpened(rgb: ByteArray, mask: ByteArray, amount: float) -> ByteArray:
    """A crop with its fine detail raised; only what is inside ``mask`` is looked at or changed.

    Args:
        rgb: (height, width, 3) uint8; of no meaning where ``mask`` is 0.
        mask: (height, width) uint8.
        amount: 0 (as it is) to 1.

    Returns:
        A new array; ``rgb`` itself where there is nothing to do.
    """
    x, y, width, height = cv2.boundingRect(mask)
    if amount <= 0 or width == 0:
        return rgb
    part = (slice(y, y + height), slice(x, x + width))
    inside = (mask[part] > 0).astype(np.float32)
    weights = taps(rgb.shape[1])
    picture = rgb[part].astype(np.float32)
    # A blur that knows nothing of what lies outside, so that no rim of it appears at the edge.
    border = cv2.BORDER_CONSTANT
    share = cv2.sepFilter2D(inside, -1, weights, weights, borderType=border)
    sums = cv2.sepFilter2D(picture * inside[..., None], -1, weights, weights, borderType=border)
    # Every pixel inside has a share; the others' is of no use.
    blurred = sums / np.where(inside > 0, share, 1)[..., None]
    detail = (picture - blurred) * (amount * GAIN * inside[..., None])
    result = rgb.copy()
    result[part] = np.clip(picture + detail, 0, 255).round().astype(np.uint8)
    return result
