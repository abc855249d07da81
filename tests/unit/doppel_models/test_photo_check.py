"""Faces that are hard to find in a photo: small in a large one, or nothing but the face."""

import cv2
import numpy as np
import pytest
from doppel_models import photo_check
from doppel_models.persona_import import PersonaImporter
from doppel_models.photo_file import PhotoFile

from tests.support.faces import room
from tests.support.portrait import astronaut, paste_head


@pytest.fixture(scope="module")
def importer() -> PersonaImporter:
    return PersonaImporter()


def _photo(image, name="me.png") -> PhotoFile:
    return PhotoFile(name, ".png", b"", np.ascontiguousarray(image, np.uint8))


def test_a_face_that_is_small_in_a_large_picture_is_found(importer):
    picture = room(2400, 1800, seed=3)
    paste_head(picture, astronaut(), center=(600, 500), height=150)
    assert any("pixels wide" in text for text in importer.examine([_photo(picture)]).warnings)


def _close():
    """The face and nothing around it."""
    points = astronaut().landmarks[:, :2]
    (x0, y0), (x1, y1) = points.min(axis=0).astype(int) - 6, points.max(axis=0).astype(int) + 6
    return cv2.resize(astronaut().rgb[y0:y1, x0:x1], None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)


def test_a_face_that_fills_the_picture_is_found(importer):
    assert importer.examine([_photo(_close())]).mesh.shape is not None


def test_a_face_that_fills_a_large_picture_is_found_as_in_a_small_one(importer):
    detector, landmarker = importer.load()
    found = {
        side: photo_check.only_face(_photo(cv2.resize(_close(), (side, side))), detector, landmarker)
        for side in (800, 3200)
    }
    off = np.linalg.norm(found[3200][:, :2] / 4 - found[800][:, :2], axis=1)
    assert off.max() < 4, "half a percent of the face's width"
