"""Result types of the face networks, with their units. Immutable.

Convention: image arrays are ``(height, width, 3)`` uint8 **RGB**; points are ``(x, y)`` in pixels with the
centre of the top-left pixel at (0, 0), x right, y down; a ``matrix`` is ``(2, 3)`` float and maps *source to
destination*; ``dsize`` is ``(width, height)``; ``bbox`` is ``(x0, y0, x1, y1)``; angles are degrees.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
ByteArray = npt.NDArray[np.uint8]


@dataclasses.dataclass(frozen=True, slots=True)
class Detection:
    """One face that the detector found."""

    bbox: FloatArray
    """(4,) x0, y0, x1, y1, pixels of the picture given to the detector."""
    keypoints: FloatArray
    """(6, 2) right eye, left eye, nose tip, mouth, right ear, left ear (the person's own sides), pixels."""
    score: float
    """0..1."""


@dataclasses.dataclass(frozen=True, slots=True)
class MeshResult:
    """What the landmark network says of one crop."""

    points: FloatArray
    """(478, 3) x, y in pixels of the *crop*, z in the same scale (smaller is nearer)."""
    presence: float
    """0..1: probability that the crop shows a face."""


@dataclasses.dataclass(frozen=True, slots=True)
class Face:
    """One tracked face in one frame."""

    track_id: int
    """Stays with the person over frames; never used again for another one."""
    bbox: FloatArray
    """(4,) x0, y0, x1, y1 of the landmarks, pixels of the frame; may reach past its edges."""
    landmarks: FloatArray
    """(478, 3) smoothed, pixels of the frame; z in the same scale."""
    raw_landmarks: FloatArray
    """(478, 3) as the network gave them."""
    yaw: float
    """Degrees; positive: the person's face turns to the picture's right."""
    pitch: float
    """Degrees; positive: the face looks up."""
    roll: float
    """Degrees; positive: the head tilts clockwise in the picture."""
    presence: float
    """0..1."""
