from __future__ import annotations

import numpy as np
from doppel_models.still import find_faces

from tests.support.faces import FourFaces, room
from tests.support.mediapipe_reference import references
from tests.support.networks import detector, landmarker


def test_landmarks_are_those_of_mediapipe() -> None:
    """The bar is a mean of 0.1 pixel; no single point may be far off either."""
    for reference in references():
        (face,) = find_faces(reference.picture, detector(), landmarker())
        distance = np.linalg.norm(face.landmarks[:, :2] - reference.landmarks[:, :2], axis=1)
        assert distance.mean() < 0.03
        assert distance.max() < 0.1


def test_depth_is_that_of_mediapipe_in_upright_faces() -> None:
    # In turned faces MediaPipe scales z by the frame's aspect; here z always has the scale of x and y.
    for reference in (references()[index] for index in (0, 1, 2, 5, 9, 10, 11)):
        (face,) = find_faces(reference.picture, detector(), landmarker())
        assert np.abs(face.landmarks[:, 2] - reference.landmarks[:, 2]).mean() < 0.1


def test_faces_come_largest_first() -> None:
    picture, truths = FourFaces(640, 640).frame(0)
    faces = find_faces(picture, detector(), landmarker())
    heights = [float(np.ptp(face.landmarks[:, 1])) for face in faces]
    assert len(faces) >= 2
    assert heights == sorted(heights, reverse=True)
    assert abs(heights[0] - max(np.ptp(truth.landmarks[:, 1]) for truth in truths)) < 8


def test_there_is_no_face_in_an_empty_room() -> None:
    assert find_faces(room(640, 480), detector(), landmarker()) == []
