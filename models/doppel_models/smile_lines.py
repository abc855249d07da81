"""The lines of a smile, from nose to mouth: softened, since the swapped face rests too."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from doppel_models import canonical
from doppel_models.engines.mesh import imaging, regions
from doppel_models.types import FloatArray

_LINES: tuple[regions.Indices, ...] = (
    np.array([129, 203, 206, 216, 212, 214]),
    np.array([358, 423, 426, 436, 432, 434]),
)
"""Points of the mesh along the two lines, from the wing of the nose to below the corner of the mouth."""
_WIDTH, _FEATHER = 0.055, 0.012
"""Of where a line is looked for; these and the next two are parts of the texture's side."""
_LINE, _FINE = 0.09, 0.006
"""What is darker than its surroundings over a distance like the first is a line; what is finer than the
second is the skin's own grain and stays."""
_SHARE = 0.6
_DEEPEST = 0.4
"""Natural logarithm of the light: folds of a smile are .2 to .4 deep."""
_LIFT = (0.2, 0.6)
"""Height of the mouth's corners over its middle, centimetres of the canonical head, where a smile begins and
where it is one. Webcam frames at rest: -.23 to .25; smiles: .48 to 1.1."""
_OFFSET = 8.0
"""Added to colours 0..255 before their logarithm is taken."""


def smile_of(shape: FloatArray) -> float:
    """How much a shape (468, 3) (see :mod:`.shape`) smiles, 0..1."""
    lift = float(shape[[13, 14], 1].mean() - shape[[61, 291], 1].mean())
    return float(regions.smoothstep(np.array((lift - _LIFT[0]) / (_LIFT[1] - _LIFT[0]))))


def softened(texture: FloatArray, smile: float) -> FloatArray:
    """The texture with shallower lines.

    Args:
        texture: (size, size, 3) float32 RGB 0..255 over the UV square.
        smile: :func:`smile_of` the face; 0: the texture stays as it is.
    """
    if smile <= 0:
        return texture
    size = texture.shape[0]
    log = imaging.blur(np.log(texture + np.float32(_OFFSET)), _FINE * size)
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (round(_LINE * size), round(_LINE * size)))
    closed = np.asarray(cv2.morphologyEx(log, cv2.MORPH_CLOSE, around), np.float32)
    # What is deeper is a beard or a shadow.
    fold = np.minimum(closed - log, np.float32(_DEEPEST))
    depth = imaging.blur(fold, _FINE * size) * _places(size)[:, :, None]
    return np.asarray(np.clip(texture * np.exp(np.float32(_SHARE * smile) * depth), 0, 255), np.float32)


@functools.cache
def _places(size: int) -> FloatArray:
    """(size, size) 0..1 where the lines lie."""
    canvas = np.zeros((size, size), np.uint8)
    for line in _LINES:
        points = np.rint((canonical.load().uv[line] * size - 0.5) * 16).astype(np.int32)
        cv2.polylines(canvas, [points], False, 255, round(_WIDTH * size), cv2.LINE_AA, 4)
    return imaging.blur(canvas.astype(np.float32) / np.float32(255), _FEATHER * size)
