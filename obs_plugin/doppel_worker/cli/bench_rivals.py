"""What is usually done to a frame's pixels beside the network, plainly: the measure of Doppel's own way.

Two ways, written from their descriptions. Both bring the whole frame to BGR, take the crop by ``warpAffine``,
make a blob of it, and bring the whole frame back to YUV. Between, the :func:`plain_way` (InsightFace's, which
others took over) turns the network's answer and a white square back over the whole frame, erodes the square
by a tenth of the face, blurs it by a twentieth and blends in floating point. The :func:`lean_way` is the best
that can be made of this: it works around the face only, with a soft square that is made once, and in bytes.
So does Deep-Live-Cam (of 2026): its steps on the processor between the same two conversions, which take fresh
memory for each picture, take longer than this.

Finding the face and its points is in none of them, nor are masks and colours that fit the face.
"""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np
from doppel_models.engines.base import CropRequest
from doppel_models.types import ByteArray, FloatArray

_SOLID = 20
"""Levels of the turned square from which it counts as white."""
_ERODED, _BLURRED = (10, 10), (20, 5)
"""Part of the square's side, and the least: pixels."""
_BACK = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


def plain_way(yuv: ByteArray, request: CropRequest) -> ByteArray:
    """Take a crop out of a frame, (height * 3 / 2, width) I420, and put it back; returns the new frame."""
    frame, answer = _taken(yuv, request)
    size = frame.shape[1::-1]
    face = cv2.warpAffine(answer, request.matrix, size, flags=_BACK)
    white = np.full(request.dsize[::-1], 255, np.float32)
    mask = _soft(np.asarray(cv2.warpAffine(white, request.matrix, size, flags=_BACK), np.float32))
    blended = mask * face + (1 - mask) * frame.astype(np.float32)
    return np.asarray(cv2.cvtColor(blended.astype(np.uint8), cv2.COLOR_BGR2YUV_I420), np.uint8)


def lean_way(yuv: ByteArray, request: CropRequest) -> ByteArray:
    """The same with as little work as that way allows."""
    height, width = len(yuv) * 2 // 3, yuv.shape[1]
    bgr, planes = _rooms(width, height)
    frame, answer = _taken(yuv, request, bgr)
    x0, y0, x1, y1 = request.frame_rect(frame.shape[1], frame.shape[0])
    size, back = (x1 - x0, y1 - y0), request.matrix_from(x0, y0)
    face = cv2.warpAffine(answer, back, size, flags=_BACK)
    mask = cv2.warpAffine(_soft_square(request.dsize), back, size, flags=_BACK)
    over = cv2.merge([mask, mask, mask])
    below = frame[y0:y1, x0:x1]
    kept = cv2.multiply(below, cv2.bitwise_not(over), scale=1 / 255)
    cv2.add(cv2.multiply(face, over, scale=1 / 255), kept, dst=below)
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420, dst=planes), np.uint8)


def _taken(
    yuv: ByteArray, request: CropRequest, room: ByteArray | None = None
) -> tuple[ByteArray, ByteArray]:
    """The frame as BGR (in ``room``), and its crop as a network would give it back."""
    frame = np.asarray(cv2.cvtColor(yuv, cv2.COLOR_YUV2BGR_I420, dst=room), np.uint8)
    crop = cv2.warpAffine(frame, request.matrix, request.dsize)
    blob = cv2.dnn.blobFromImage(crop, 1 / 255, request.dsize, (0, 0, 0), swapRB=True)
    # The network would run here.
    answer = np.clip(blob[0].transpose(1, 2, 0) * np.float32(255), 0, 255).astype(np.uint8)
    return frame, answer[..., ::-1]


@functools.lru_cache(maxsize=1)
def _rooms(width: int, height: int) -> tuple[ByteArray, ByteArray]:
    """Memory for a frame as BGR and as YUV, used again: fresh pages take a millisecond."""
    return np.empty((height, width, 3), np.uint8), np.empty((height * 3 // 2, width), np.uint8)


@functools.cache
def _soft_square(dsize: tuple[int, int]) -> ByteArray:
    """(h, w): white, and black at its edge."""
    width, height = dsize
    square = np.zeros((height, width), np.uint8)
    square[height // 8 : -(height // 8), width // 8 : -(width // 8)] = 255
    return np.asarray(cv2.blur(square, (width // 8, height // 8)), np.uint8)


def _soft(mask: FloatArray) -> FloatArray:
    """(h, w, 1) 0..1 of a white square (h, w) on black, which is changed."""
    mask[mask > _SOLID] = 255
    rows, columns = np.nonzero(mask == 255)
    side = int(math.sqrt(float(np.ptp(rows)) * float(np.ptp(columns)))) if len(rows) else 0
    erode = max(side // _ERODED[0], _ERODED[1])
    blur = 2 * max(side // _BLURRED[0], _BLURRED[1]) + 1
    eroded = cv2.erode(mask, np.ones((erode, erode), np.uint8))
    soft = cv2.GaussianBlur(eroded, (blur, blur), 0)
    return np.asarray(soft, np.float32)[..., None] / np.float32(255)
