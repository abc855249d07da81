"""Large photos of a face, and how much memory there is in use whenever one of them is looked at."""

from __future__ import annotations

import contextlib
import io
import tracemalloc
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from doppel_models import photo_check
from doppel_models.detector import FaceDetector
from doppel_models.landmarker import FaceLandmarker
from doppel_models.photo_file import PhotoFile
from doppel_models.types import ByteArray, FloatArray
from PIL import Image

from tests.support.portrait import astronaut

WIDTH, HEIGHT = 2000, 3000
DECODED_BYTES = WIDTH * HEIGHT * 3
"""Of one photo: 18 MB, far more than what is made of it."""


def large_photo(light: float = 1.0) -> bytes:
    """A face before a plain ground, a JPEG file; ``light`` makes it darker where it is below 1."""
    canvas = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    head = cv2.resize(astronaut().rgb[:240, 110:350], (1440, 1440), interpolation=cv2.INTER_CUBIC)
    canvas[400:1840, 280:1720] = head
    picture: ByteArray = (canvas * light).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


@contextlib.contextmanager
def memory_at_each(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The bytes in use that are newer than the beginning, each time that a face is looked for in a photo."""
    used: list[int] = []
    looks = photo_check.only_face

    def only_face(photo: PhotoFile, detector: FaceDetector, landmarker: FaceLandmarker) -> FloatArray:
        used.append(tracemalloc.get_traced_memory()[0])
        return looks(photo, detector, landmarker)

    tracemalloc.start()
    try:
        with monkeypatch.context() as patch:
            patch.setattr(photo_check, "only_face", only_face)
            yield used
    finally:
        tracemalloc.stop()
