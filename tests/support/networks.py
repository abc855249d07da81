"""The bundled networks, loaded once for all tests of a process."""

from __future__ import annotations

import functools

from doppel_models.detector import FaceDetector
from doppel_models.landmarker import FaceLandmarker


@functools.cache
def detector() -> FaceDetector:
    """The face detector."""
    return FaceDetector()


@functools.cache
def landmarker() -> FaceLandmarker:
    """The landmark network."""
    return FaceLandmarker()
