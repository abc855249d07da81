"""Mends what a photo has lost before it is unwrapped: lifted blacks, and the sharpness of a slight blur.

Both are measured in the face and left alone where the photo is good. Of the portrait that the project ships,
of two webcam clips and of three drawn persons, as they are: blacks 10 to 42 and, of the whole picture, 0 to
19; detail .46 to .80.
"""

from __future__ import annotations

import cv2
import numpy as np

from doppel_models.engines.mesh import imaging, regions
from doppel_models.types import ByteArray, FloatArray

_BLACK_SHARE = 0.003
"""So much of a face is black: pupils, lashes, nostrils."""
_USUAL_BLACK = 22.0
_LIFTED = 45.0
"""Of 255: from here on the blacks of a whole picture, and of the face in it, are no dark colour but haze, a
backlight or a flat picture profile."""
_MOST_STRETCH = 1.6
"""Skin over what is taken off it: its contrast grows by 2.7 times at most."""
_DETAIL = (0.377, 0.39, 0.42, 0.47, 0.55, 0.62)
_BLUR = (2.4, 2.0, 1.6, 1.2, 0.7, 0.0)
"""Detail between 1.4 and 2.8 pixels' size over that between 2.8 and 5.6, and the blur that leaves it."""
_MIN_BLUR, _SEEN_BLUR = 0.5, (0.004, 0.008)
"""Pixels; and parts of the face's width from which a blur begins to be seen on a swapped face, and is."""
_NOISE = 0.02
"""Of the signal's power: what the deconvolution (N. Wiener, "Extrapolation, Interpolation and Smoothing of
Stationary Time Series", 1949) takes for noise; it multiplies by 3.5 at most."""
_GRAIN = 0.012
"""Of white: where what sharpening adds is smaller than a third of it, it is no detail of the face."""
_MARGIN = 0.15
_INNER = 0.88
_PAD = 16


def mended(image: ByteArray, landmarks: FloatArray) -> ByteArray:
    """What can be given back to a photo.

    Args:
        image: (height, width, 3) uint8 RGB; the very same is returned where there is nothing to mend.
        landmarks: (478, 3) of its face, pixels.
    """
    return _sharpened(_deepened(image, landmarks), landmarks)


def _deepened(image: ByteArray, landmarks: FloatArray) -> ByteArray:
    """Lifted blacks are brought down; the skin stays as bright as it was."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    hull = cv2.convexHull(np.rint(landmarks[:, :2]).astype(np.int32))
    face = gray[cv2.fillConvexPoly(np.zeros(gray.shape, np.uint8), hull, 1) > 0]
    if not face.size:
        return image
    black, skin = float(np.quantile(face, _BLACK_SHARE)), float(np.median(face))
    lift = black - _USUAL_BLACK
    whole = float(np.quantile(gray[:: _every(gray.shape[0]), :: _every(gray.shape[1])], _BLACK_SHARE))
    # A face whose own skin is hardly brighter than its blacks would be torn apart.
    if min(black, whole) < _LIFTED or skin < _MOST_STRETCH * lift:
        return image
    deep = (np.arange(256, dtype=np.float32) - np.float32(lift)) * np.float32(skin / (skin - lift))
    return np.asarray(cv2.LUT(image, np.clip(deep, 0, 255).round().astype(np.uint8)), np.uint8)


def _every(size: int) -> int:
    """Of a side's pixels so many are looked at once: a thousand are enough."""
    return max(1, size // 1000)


def blur_of(gray: FloatArray) -> float:
    """Standard deviation of the blur of a face (h, w), 0..255, in pixels; 0 for a sharp one."""
    fine, middle, coarse = (imaging.blur(gray, sigma) for sigma in (0.7, 1.4, 2.8))
    detail = float((fine - middle).std()) / max(float((middle - coarse).std()), 1e-3)
    return float(np.interp(detail, _DETAIL, _BLUR))


def _sharpened(image: ByteArray, landmarks: FloatArray) -> ByteArray:
    """A slight blur is taken back; its brightness only, since colours are coarser anyway."""
    height, width = image.shape[:2]
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    (x0, y0), (x1, y1) = _inside(low, high, width, height)
    if min(x1 - x0, y1 - y0) < _PAD:
        return image
    # Without the background beside the chin and the hair above.
    inset = (1 - _INNER) * (high - low)
    (left, top), (right, bottom) = _inside(low + inset, high - inset, width, height)
    gray = cv2.cvtColor(np.ascontiguousarray(image[top:bottom, left:right]), cv2.COLOR_RGB2GRAY)
    sigma = blur_of(gray.astype(np.float32))
    part = sigma / max(float(high[0] - low[0]), 1.0)
    share = float(regions.smoothstep(np.array((part - _SEEN_BLUR[0]) / (_SEEN_BLUR[1] - _SEEN_BLUR[0]))))
    if sigma < _MIN_BLUR or share <= 0:
        return image
    margin = _MARGIN * (high - low)
    (x0, y0), (x1, y1) = _inside(low - margin, high + margin, width, height)
    ycc = cv2.cvtColor(image[y0:y1, x0:x1].astype(np.float32) / 255, cv2.COLOR_RGB2YCrCb)
    plane = np.ascontiguousarray(ycc[:, :, 0], np.float32)
    detail = _deconvolved(plane, sigma) - plane
    # Edges, not the grain and the blocks of a compressed picture: they would be seen on smooth skin.
    detail *= regions.smoothstep(imaging.blur(np.abs(detail), 1.5) / np.float32(_GRAIN))
    ycc[:, :, 0] = plane + np.float32(share) * detail
    out = image.copy()
    out[y0:y1, x0:x1] = np.clip(cv2.cvtColor(ycc, cv2.COLOR_YCrCb2RGB) * 255, 0, 255).round()
    return out


def _inside(low: FloatArray, high: FloatArray, width: int, height: int) -> tuple[list[int], list[int]]:
    limit = np.array((width, height))
    first, last = np.floor(low).clip(0, limit), np.ceil(high).clip(0, limit)
    return first.astype(int).tolist(), last.astype(int).tolist()


def _deconvolved(plane: FloatArray, sigma: float) -> FloatArray:
    wide = cv2.copyMakeBorder(plane, _PAD, _PAD, _PAD, _PAD, cv2.BORDER_REFLECT)
    rows, columns = np.fft.fftfreq(wide.shape[0]), np.fft.rfftfreq(wide.shape[1])
    squared = rows[:, None] ** 2 + columns[None] ** 2
    kept = np.exp(-2 * (np.pi * sigma) ** 2 * squared)
    gain = kept / (kept**2 + _NOISE) * (1 + _NOISE)
    sharp = np.fft.irfft2(np.fft.rfft2(wide) * gain, s=wide.shape)
    return np.asarray(sharp[_PAD:-_PAD, _PAD:-_PAD], np.float32)
