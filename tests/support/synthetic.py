"""What Doppel may do to a frame, made by simple means: to test the judge of recordings without Doppel."""

from __future__ import annotations

import cv2
import numpy as np
from doppel_demo.raster import rasterize
from doppel_models import canonical
from doppel_models.types import ByteArray, FloatArray

OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
        152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
_EYES_AND_MOUTH = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95),
)


def face_mask(
    shape: tuple[int, ...], landmarks: FloatArray, *, keep: bool = False, soft: float = 0.03
) -> FloatArray:
    """(h, w) 0..1 over the face's oval; ``keep`` leaves out eyes and mouth; ``soft`` in face widths."""
    mask = np.zeros(shape[:2], np.uint8)
    fill(mask, landmarks[list(OVAL), :2], 255)
    if keep:
        for outline in _EYES_AND_MOUTH:
            fill(mask, landmarks[list(outline), :2], 0)
    width = float(np.ptp(landmarks[:, 0]))
    return cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), max(0.5, soft * width))


def fill(mask: ByteArray, outline: FloatArray, value: int) -> None:
    """Fill a polygon in place, with sixteenths of a pixel."""
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], value, cv2.LINE_AA, shift=4)


def swapped(
    rgb: ByteArray,
    landmarks: FloatArray,
    persona: ByteArray,
    persona_landmarks: FloatArray,
    *,
    strength: float = 1.0,
    match_color: bool = True,
) -> ByteArray:
    """A frame with the persona's face drawn on its landmarks, eyes and mouth kept: a plain mesh swap."""
    height, width = rgb.shape[:2]
    target = landmarks[: canonical.VERTEX_COUNT].astype(np.float64)
    source = persona_landmarks[: canonical.VERTEX_COUNT, :2].astype(np.float64)
    triangles = canonical.load().triangles[:, ::-1].astype(np.int64)
    where, _ = rasterize(target, source, triangles, width, height)
    at = np.nan_to_num(where, nan=-1.0).astype(np.float32)
    drawn = cv2.remap(persona, at[..., 0], at[..., 1], cv2.INTER_LINEAR).astype(np.float32)
    inside = face_mask(rgb.shape, landmarks, keep=True, soft=0.0) > 0.99
    if match_color:
        mean_a, std_a = drawn[inside].mean(axis=0), drawn[inside].std(axis=0)
        mean_b, std_b = rgb[inside].mean(axis=0), rgb[inside].std(axis=0)
        drawn = (drawn - mean_a) * (std_b / np.maximum(std_a, 1)) + mean_b
    mask = strength * face_mask(rgb.shape, landmarks, keep=True, soft=0.015)[..., None]
    return np.clip(np.round(rgb * (1 - mask) + drawn * mask), 0, 255).astype(np.uint8)


def porcelain(size: int = 512) -> ByteArray:
    """A pale mask's texture in the layout of the astronaut's portrait: smooth, with a few painted marks."""
    yy, xx = np.mgrid[0:size, 0:size].astype(np.float32) / size
    light = 205 + 30 * np.exp(-(((xx - 0.42) / 0.1) ** 2) - ((yy - 0.22) / 0.12) ** 2)
    picture = np.dstack([light, light * 0.99, light * 0.97])
    for x, y, color in ((205, 122, (205, 120, 120)), (250, 122, (205, 120, 120)), (226, 84, (120, 130, 190))):
        cv2.circle(picture, (x, y), 7, color, -1, cv2.LINE_AA)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 1.0), 0, 255).astype(np.uint8)


def blurred_face(rgb: ByteArray, landmarks: FloatArray, grow: float = 1.6) -> ByteArray:
    """A frame with its face's region blurred beyond recognition."""
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    center, half = (low + high) / 2, grow * (high - low) / 2
    mask = np.zeros(rgb.shape[:2], np.uint8)
    axes = (round(float(half[0])), round(float(half[1])))
    cv2.ellipse(mask, (round(float(center[0])), round(float(center[1]))), axes, 0, 0, 360, 255, -1)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 3)[..., None]
    blurry = cv2.GaussianBlur(rgb, (0, 0), 0.18 * float(half[0]))
    return np.round(rgb * (1 - soft) + blurry * soft).astype(np.uint8)


def mosaic(rgb: ByteArray) -> ByteArray:
    """The whole frame in square blocks, each its mean; an even number of pixels, 1/16 of the height."""
    height, width = rgb.shape[:2]
    # As in native/mosaic.c.
    block = max((height // 16 + 1) // 2 * 2, 2)
    out = rgb.copy()
    for y in range(0, height, block):
        for x in range(0, width, block):
            out[y : y + block, x : x + block] = rgb[y : y + block, x : x + block].mean(axis=(0, 1))
    return out
