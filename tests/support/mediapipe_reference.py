"""What MediaPipe itself finds in views of the portrait (``tests/fixtures/make_mediapipe_reference.py``)."""

from __future__ import annotations

import dataclasses
import functools
import hashlib

import numpy as np
from doppel_models.types import ByteArray, FloatArray

from tests.fixtures.make_mediapipe_reference import view
from tests.support.portrait import FIXTURES, astronaut


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """One view and MediaPipe's answer."""

    picture: ByteArray
    landmarks: FloatArray
    """(478, 3) pixels."""
    bbox: FloatArray
    """(4,) of the detection; MediaPipe rounds it to whole pixels."""
    keypoints: FloatArray
    """(6, 2) pixels."""
    score: float
    rotation: FloatArray
    """(3, 3) of MediaPipe's facial transformation matrix: x right, y up, z towards the camera."""


@functools.cache
def references() -> tuple[Reference, ...]:
    """All views."""
    with np.load(FIXTURES / "mediapipe_reference.npz") as data:
        rows = {name: data[name] for name in data.files}
    found = []
    for index, size in enumerate(rows["sizes"]):
        picture = view(astronaut().rgb, rows["matrices"][index], (int(size[0]), int(size[1])))
        if hashlib.sha256(picture.tobytes()).hexdigest() != str(rows["sha256"][index]):
            raise AssertionError(f"view {index} is not the picture that MediaPipe saw")
        found.append(
            Reference(
                np.ascontiguousarray(picture),
                rows["landmarks"][index],
                rows["boxes"][index].astype(np.float32),
                rows["keypoints"][index].astype(np.float32),
                float(rows["scores"][index]),
                rows["poses"][index],
            )
        )
    return tuple(found)
