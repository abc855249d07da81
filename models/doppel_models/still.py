"""Faces of one still picture: detection and landmarks, without a past."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from doppel_models.detector import FaceDetector
from doppel_models.geometry import Roi, roi_from_detection, transform
from doppel_models.landmarker import INPUT_SIZE, MIN_PRESENCE, FaceLandmarker
from doppel_models.types import ByteArray, Detection, FloatArray


@dataclasses.dataclass(frozen=True, slots=True)
class StillFace:
    """One face of a still picture."""

    detection: Detection
    landmarks: FloatArray
    """(478, 3) pixels of the picture; z in the same scale."""
    presence: float
    """0..1."""


def find_faces(
    image: ByteArray, detector: FaceDetector, landmarker: FaceLandmarker, min_presence: float = MIN_PRESENCE
) -> list[StillFace]:
    """The faces of ``image``, (height, width, 3) uint8 RGB, largest first; as MediaPipe in image mode.

    Raises:
        PictureError: not such an array.
    """
    faces = []
    for detection in detector.detect(image):
        landmarks, presence = landmarks_in(image, roi_from_detection(detection), landmarker)
        if presence >= min_presence:
            faces.append(StillFace(detection, landmarks, presence))
    return sorted(faces, key=lambda face: -float(np.ptp(face.landmarks[:, 0]) * np.ptp(face.landmarks[:, 1])))


def landmarks_in(image: ByteArray, roi: Roi, landmarker: FaceLandmarker) -> tuple[FloatArray, float]:
    """Landmarks (478, 3) in pixels of ``image``, and presence, of the face in a region of it."""
    matrix = roi.matrix(INPUT_SIZE)
    crop = cv2.warpAffine(image, matrix, (INPUT_SIZE, INPUT_SIZE), borderMode=cv2.BORDER_REPLICATE)
    result = landmarker.run(np.asarray(crop, np.uint8))
    return transform(roi.inverse_matrix(INPUT_SIZE), result.points), result.presence
