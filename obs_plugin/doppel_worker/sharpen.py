"""The user's sharpness: an unsharp mask over the swapped face, before it is pasted."""

from __future__ import annotations

import cv2
import numpy as np
from doppel_models.types import ByteArray

GAIN = 1.5
"""How much of the fine detail is added at sharpness 1."""
_SIGMA_OF_WIDTH = 0.006
"""Width of what counts as fine detail, of the crop's width: skin and lashes, not the shape of the nose."""
_LEAST_SIGMA = 0.8


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
    sigma = max(_LEAST_SIGMA, _SIGMA_OF_WIDTH * rgb.shape[1])
    picture = rgb[part].astype(np.float32)
    # A blur that knows nothing of what lies outside, so that no rim of it appears at the edge.
    weight = cv2.GaussianBlur(inside, (0, 0), sigma)
    sums = cv2.GaussianBlur(picture * inside[..., None], (0, 0), sigma)
    detail = (picture - sums / np.maximum(weight, 1e-3)[..., None]) * (amount * GAIN * inside[..., None])
    result = rgb.copy()
    result[part] = np.clip(picture + detail, 0, 255).round().astype(np.uint8)
    return result
