"""Whether something stands in front of a photo's face: a bar, sunglasses, a mask, a hand-drawn box.

Eyes, nose and mouth are compared with the skin around them in texture space, where each lies at its
place. The limits stand far from both sides. Of four clips in even, one-sided, dim, glaring, warm and blue
light, eyes were at most 0.5 darker than skin (natural logarithm) and covered ones at least 2.1. Mouths
were never less red than skin, and covered ones were by 0.13 to 1.05; covered by one colour, a mouth's
light did not vary (by 0.00, else by 0.05 at least). The brightest place of the skin was at most 0.34
brighter than the median of four, and 3.2 where a bar hid the other three. Nothing was found in 76 frames of
them, nor on drawn persons with dark skin, a beard, or glasses.
"""

from __future__ import annotations

import cv2
import numpy as np

from doppel_models.sentences import sentence
from doppel_models.types import FloatArray

_SIZE = 128
_BLACK = 8.0
"""Added to 8-bit values before the logarithm, so that noise in the dark says little."""
_Part = tuple[float, float, float, float]
"""First and last row, first and last column; parts of the texture's side."""
_EYES: tuple[_Part, _Part] = ((0.33, 0.42, 0.27, 0.46), (0.33, 0.42, 0.54, 0.73))
_CHEEKS: tuple[_Part, _Part] = ((0.46, 0.60, 0.22, 0.34), (0.46, 0.60, 0.66, 0.78))
_NOSE: _Part = (0.50, 0.58, 0.45, 0.55)
_MOUTH: _Part = (0.62, 0.72, 0.39, 0.61)
_FOREHEAD: _Part = (0.22, 0.30, 0.38, 0.62)
_CHIN: _Part = (0.76, 0.80, 0.42, 0.58)
_MAX_DARKER = 1.2
_MAX_BRIGHTER = 1.7
"""A white beard on dark skin is some 1.2 brighter."""
_MAX_LESS_RED = 0.35
_MAX_BLUE = 0.6
_MIN_VARIATION = 0.02
_GLARE = float(np.log(252 + _BLACK))
"""What is brighter is overexposed, and flat for that."""


def covered_parts(texture: FloatArray) -> tuple[str, ...]:
    """Which of ``the eyes``, ``the nose``, ``the mouth`` something hides, or ``most of the face``.

    Args:
        texture: (n, n, 3), 0..255 RGB: the photo's face, unwrapped, its colours as they are.
    """
    small = cv2.resize(np.asarray(texture, np.float32), (_SIZE, _SIZE), interpolation=cv2.INTER_AREA)
    log = np.log(np.clip(small, 0, 255) + _BLACK)
    # Light, red over green, blue over green: the last two do not know how bright the light is.
    looks = np.dstack([log.mean(axis=2), log[..., 0] - log[..., 1], log[..., 2] - log[..., 1]])
    places = np.array([_median(looks, part) for part in (_FOREHEAD, *_CHEEKS, _CHIN)])
    # What hides one or two of these places does not move their median much.
    skin = np.median(places, axis=0)
    if float(places[:, 0].max() - skin[0]) > _MAX_BRIGHTER:
        return (sentence("part.most", "most of the face"),)
    found = []
    eyes = [_eye(looks, eye, cheek, skin) for eye, cheek in zip(_EYES, _CHEEKS, strict=True)]
    if any(eyes):
        found.append(sentence("part.eyes", "the eyes") if all(eyes) else sentence("part.eye", "an eye"))
    nose = _median(looks, _NOSE) - skin
    if nose[0] < -_MAX_DARKER or _strange(nose):
        found.append(sentence("part.nose", "the nose"))
    # Beards are dark: a mouth's brightness alone says nothing.
    mouth = _cut(looks, _MOUTH)[..., 0]
    flat = float(mouth.std()) < _MIN_VARIATION and float(mouth.mean()) < _GLARE
    if flat or _strange(_median(looks, _MOUTH) - skin):
        found.append(sentence("part.mouth", "the mouth"))
    return tuple(found)


def _eye(looks: FloatArray, eye: _Part, cheek: _Part, skin: FloatArray) -> bool:
    """True for one that is far darker than the skin and than its cheek: shade lies on both."""
    away = _median(looks, eye) - skin
    below = float(_median(looks, eye)[0] - _median(looks, cheek)[0])
    return max(float(away[0]), below) < -_MAX_DARKER or _strange(away)


def _strange(away: FloatArray) -> bool:
    """True for a colour that no skin, lip or lash has beside this skin."""
    return bool(away[1] < -_MAX_LESS_RED or abs(away[2]) > _MAX_BLUE)


def _median(looks: FloatArray, part: _Part) -> FloatArray:
    return np.asarray(np.median(_cut(looks, part).reshape(-1, 3), axis=0), np.float32)


def _cut(looks: FloatArray, part: _Part) -> FloatArray:
    top, bottom, left, right = (round(place * _SIZE) for place in part)
    return looks[top:bottom, left:right]
