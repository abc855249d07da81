"""How a face looks in a photo: what makes a persona look worse, without making it impossible."""

from __future__ import annotations

import cv2
import numpy as np

from doppel_models import face_texture
from doppel_models.engines.mesh import regions, relight, uv
from doppel_models.engines.mesh.shape import HeadFrame
from doppel_models.sentences import sentence
from doppel_models.types import ByteArray, FloatArray

MAX_ASYMMETRY = 0.45
"""Natural logarithm of the light's ratio between the face's halves; the import takes out what is below."""
MAX_FRINGE = 0.15
MAX_OPENING = 0.06
MIN_EYE_OPENING = 0.1
_SHARPNESS_WIDTH = 160
_MAX_CLIPPED = 0.12
_RIM_SIZE, _RIM_REACH = 128, 9
_MIN_RIM = 0.3
"""Natural logarithm of skin's brightness over a rim's."""
_RIM_PLACES = (((0.30, 0.42), (0.47, 0.53)), ((0.42, 0.60), (0.27, 0.38)), ((0.42, 0.60), (0.62, 0.73)))
"""Rows and columns of the bridge of the nose and of the skin below each eye, parts of the texture's side."""


def sharpness(image: ByteArray, landmarks: FloatArray) -> float:
    """Finest detail over contrast of the face, at most 160 pixels across: 0 blurred, about .3 crisp."""
    x0, y0 = np.maximum(np.floor(landmarks[:, :2].min(axis=0)), 0).astype(int)
    x1, y1 = np.ceil(landmarks[:, :2].max(axis=0)).astype(int)
    face = cv2.cvtColor(np.ascontiguousarray(image[y0:y1, x0:x1]), cv2.COLOR_RGB2GRAY)
    scale = _SHARPNESS_WIDTH / face.shape[1]
    if scale < 1:
        face = cv2.resize(face, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    gray = face.astype(np.float32)
    detail = gray - cv2.GaussianBlur(gray, (0, 0), 1.0)
    return float(detail.std() / max(float(gray.std()), 1.0))


def remarks(name: str, landmarks: FloatArray, view: face_texture.Unwrapped) -> list[str]:
    """What is not ideal about the light, the hair, glasses and the expression.

    Args:
        name: of the photo.
        landmarks: (478, 3) of its face, pixels.
        view: the photo in texture space.
    """
    return [
        *_light(name, view),
        *_covering(name, view),
        *_glasses(name, view),
        *_expression(name, landmarks),
    ]


def _light(name: str, view: face_texture.Unwrapped) -> list[str]:
    warnings: list[str] = []
    known = view.weight * (1 - view.hair)
    uneven = float(np.abs(face_texture.asymmetry(view.texture, known)).max() * 2)
    if uneven > MAX_ASYMMETRY:
        warnings.append(
            sentence(
                "photo.one-sided-light",
                "the light in {name} comes from one side; a photo in even light, facing a window, looks"
                " better",
                name=name,
            )
        )
    skin = (known > 0.5) & (cv2.resize(relight.skin_weight(), known.shape[::-1]) > 0.5)
    gray = view.texture.mean(axis=2)[skin]
    if len(gray) and float((view.texture.max(axis=2)[skin] > 252).mean()) > _MAX_CLIPPED:
        warnings.append(
            sentence(
                "photo.overexposed",
                "{name} is overexposed, parts of the skin are white; use a darker photo",
                name=name,
            )
        )
    if len(gray) and float(np.median(gray)) < 40:
        warnings.append(
            sentence("photo.dark", "{name} is very dark; use a photo in brighter light", name=name)
        )
    return warnings


def _covering(name: str, view: face_texture.Unwrapped) -> list[str]:
    forehead = uv.grid(face_texture.SIZE).inside.copy()
    forehead[int(0.24 * face_texture.SIZE) :] = False
    if float(view.hair[forehead].mean()) > MAX_FRINGE:
        return [
            sentence(
                "photo.fringe",
                "hair covers the forehead in {name}; there your own forehead will show. A photo with the hair"
                " held back looks better",
                name=name,
            )
        ]
    return []


def _glasses(name: str, view: face_texture.Unwrapped) -> list[str]:
    """Rims are dark, thin lines where faces have none: across the bridge of the nose and below the eyes."""
    size = _RIM_SIZE
    gray = cv2.cvtColor(
        cv2.resize(view.texture, (size, size), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY
    )
    log = np.log(gray + 8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_RIM_REACH, _RIM_REACH))
    line = cv2.morphologyEx(log, cv2.MORPH_CLOSE, kernel) - log
    darkest = [
        float(np.median(line[_rows(rows), _rows(columns)].max(axis=0))) for rows, columns in _RIM_PLACES
    ]
    if min(darkest) > _MIN_RIM:
        return [
            sentence(
                "photo.glasses",
                "{name} shows glasses, which would be painted onto the face; use a photo without them",
                name=name,
            )
        ]
    return []


def _rows(part: tuple[float, float]) -> slice:
    return slice(round(part[0] * _RIM_SIZE), round(part[1] * _RIM_SIZE))


def _expression(name: str, landmarks: FloatArray) -> list[str]:
    shape = HeadFrame.of(landmarks).shape_of(landmarks)
    warnings: list[str] = []
    mouth = regions.opening(shape, regions.LIPS_INNER_UPPER, regions.LIPS_INNER_LOWER)
    corners = shape[[61, 291], 1].mean() - shape[[13, 14], 1].mean()
    width = float(np.linalg.norm(shape[61] - shape[291]) / np.linalg.norm(shape[33] - shape[263]))
    if mouth > MAX_OPENING or (corners < -0.12 and width > 0.62):
        warnings.append(
            sentence(
                "photo.grin",
                "the mouth in {name} is open or grins, and the persona will keep some of it; a photo with a"
                " relaxed, closed mouth looks better",
                name=name,
            )
        )
    eyes = min(
        regions.opening(shape, regions.RIGHT_EYE_UPPER, regions.RIGHT_EYE_LOWER),
        regions.opening(shape, regions.LEFT_EYE_UPPER, regions.LEFT_EYE_LOWER),
    )
    if eyes < MIN_EYE_OPENING:
        warnings.append(
            sentence("photo.eye-shut", "an eye is shut in {name}; use a photo with both eyes open", name=name)
        )
    return warnings
