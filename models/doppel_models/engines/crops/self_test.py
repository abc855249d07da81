"""What a swapper must show before it is let near a face: a picture, that is none, black or one colour never.

A float16 model is compared with itself in float32, and replaced by that where the two differ visibly: float16
ends at 65504, and other tools show the overflow as a black square.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from doppel_models.engines.crops.templates import Template
from doppel_models.errors import EngineError
from doppel_models.sentences import sentence
from doppel_models.types import ByteArray, FloatArray

MAX_DRIFT = 3.0
"""Levels of 255 by which a float16 model may differ from float32, on average of the worst channel."""
_LEAST_BRIGHTEST = 8
_LEAST_SPREAD = 1.0
"""Levels."""
_SKIN, _BACKGROUND, _DARK, _LIPS = (205, 160, 135), (96, 104, 112), (60, 40, 36), (165, 84, 84)


def drawn_face(template: Template, size: int) -> ByteArray:
    """(size, size, 3) uint8 RGB: a plain face, drawn where the template has its points."""
    points = np.array(template.points, np.float64) * size
    # Of the 33 points: the means of the eyes, nose tip, corners of the mouth.
    if len(points) == 33:
        eyes = [points[19:25].mean(axis=0), points[25:31].mean(axis=0)]
        points = np.array([*eyes, points[13], points[31], points[32]])
    left, right, nose, mouth_left, mouth_right = points
    reach = float(np.linalg.norm(right - left))
    middle = (left + right + mouth_left + mouth_right) / 4
    canvas = np.full((size, size, 3), _BACKGROUND, np.uint8)

    def ellipse(center: FloatArray, width: float, height: float, color: tuple[int, int, int]) -> None:
        at = (round(float(center[0])), round(float(center[1])))
        axes = (max(1, round(width * reach)), max(1, round(height * reach)))
        cv2.ellipse(canvas, at, axes, 0, 0, 360, color, -1, cv2.LINE_AA)

    ellipse(middle, 1.05, 1.45, _SKIN)
    for eye in (left, right):
        ellipse(eye - np.array([0, 0.32 * reach]), 0.3, 0.05, _DARK)
        ellipse(eye, 0.22, 0.1, (240, 238, 236))
        ellipse(eye, 0.09, 0.09, _DARK)
    ellipse(nose, 0.16, 0.1, (180, 130, 110))
    ellipse((mouth_left + mouth_right) / 2, 0.42, 0.13, _LIPS)
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), size / 128), np.uint8)


def problem_of(
    face: npt.NDArray[np.floating], rgb: ByteArray, masks: Sequence[npt.NDArray[np.floating]] = ()
) -> str:
    """What is wrong with a network's picture; empty: nothing.

    Args:
        face: the tensor as the network gave it.
        rgb: (h, w, 3) the picture in it.
        masks: the network's own, as it gave them.
    """
    if not all(np.isfinite(tensor).all() for tensor in (face, *masks)):
        return sentence("engine.not-a-number", "its picture is not a number in places")
    if int(rgb.max()) < _LEAST_BRIGHTEST:
        return sentence("engine.black", "its picture is black")
    if float(rgb.reshape(-1, 3).std(axis=0).max()) < _LEAST_SPREAD:
        return sentence("engine.one-colour", "its picture is one colour")
    return ""


def drift(half: ByteArray, single: ByteArray) -> float:
    """Mean difference of the worst channel of two pictures (h, w, 3), levels of 255."""
    difference = np.abs(half.astype(np.float32) - single.astype(np.float32))
    return float(difference.reshape(-1, 3).mean(axis=0).max())


def refuse(title: str, problem: str) -> EngineError:
    """The error of a model that failed the test."""
    return EngineError(
        sentence(
            "engine.failed-test",
            "{model} failed its test: {why}; its file is broken, or it is not the model that it seems to be",
            model=title,
            why=problem,
        )
    )
