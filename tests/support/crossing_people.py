"""A coded clip of two people who change places: each face's place in every frame is known."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
from doppel_models.types import ByteArray, FloatArray

from tests.support.faces import room
from tests.support.frame_code import FRAME_NUMBER
from tests.support.judge import Judge
from tests.support.portrait import Portrait, paste_head
from tests.support.tracked_lane import ANNA, BEA
from tests.support.video import write_video

SIZE = (640, 360)
COUNT = 300
"""Frames; the last is followed by the first."""
_FACE_PX = 105.0
_LEFT, _RIGHT, _MIDDLE = 150.0, 490.0, 195.0
_APART = 82.0
"""How far above and below the middle they pass each other, pixels."""
_CHEEKS = (117, 118, 50, 205, 187, 147), (346, 347, 280, 425, 411, 376)


class CrossingPeople:
    """Anna stands left at first, Bea right; they change places in the middle of the clip and at its end."""

    def __init__(self) -> None:
        background = room(*SIZE, seed=4)
        self.frames: list[ByteArray] = []
        points: tuple[list[FloatArray], list[FloatArray]] = [], []
        for index in range(COUNT):
            canvas = background.copy()
            for landmarks, (head, center, roll) in zip(points, _placed(index), strict=True):
                landmarks.append(paste_head(canvas, head, center=center, height=_FACE_PX, roll=roll))
            FRAME_NUMBER.draw(canvas, index)
            self.frames.append(canvas)
        self.anna, self.bea = (np.array(one) for one in points)
        """(COUNT, 478, 3) landmarks, pixels."""

    def write(self, path: Path) -> Path:
        """The clip as a video file."""
        write_video(path, self.frames, crf=14, keyint=30)
        return path

    def judges(self) -> tuple[Judge, Judge]:
        """Of Anna's face and of Bea's."""
        return Judge(self.frames, self.anna), Judge(self.frames, self.bea)


def warmth(rgb: ByteArray, landmarks: FloatArray) -> float:
    """Red minus blue of the cheeks, of their light, 0..1: bronze is warm, porcelain is not.

    Args:
        rgb: (h, w, 3) uint8, of the landmarks' size.
        landmarks: (478, 3) pixels.
    """
    mask = np.zeros(rgb.shape[:2], np.uint8)
    for cheek in _CHEEKS:
        cv2.fillConvexPoly(mask, cv2.convexHull(np.round(landmarks[list(cheek), :2]).astype(np.int32)), 1)
    red, _, blue = rgb[mask > 0].astype(np.float64).mean(axis=0)
    return float((red - blue) / max(red, 1.0))


def _placed(index: int) -> tuple[tuple[Portrait, tuple[float, float], float], ...]:
    """Head, middle of the face and roll of Anna and of Bea; the upper one is drawn first."""
    turn = _turned(index)
    across = 0.5 - 0.5 * math.cos(math.pi * turn)
    aside = math.sin(math.pi * turn)
    sway = 6 * math.sin(2 * math.pi * index / 75)
    anna = _LEFT + (_RIGHT - _LEFT) * across + sway, _MIDDLE - _APART * abs(aside)
    bea = _RIGHT - (_RIGHT - _LEFT) * across + sway, _MIDDLE + _APART * abs(aside)
    return (ANNA, anna, 4 * math.sin(index / 20)), (BEA, bea, -4 * math.sin(index / 17))


def _turned(index: int) -> float:
    """0 both at home, 1 both changed over, 2 (that is 0) back; they stand for most of the time."""
    half, stand = COUNT / 2, 0.6
    phase, within = divmod(index / half, 1.0)
    return phase + max(0.0, (within - stand) / (1 - stand))
