from __future__ import annotations

import numpy as np
from doppel_models import canonical


def test_it_is_a_whole_textured_face() -> None:
    face = canonical.load()
    assert face.vertices.shape == (468, 3)
    assert face.uv.shape == (468, 2)
    assert face.triangles.shape == (898, 3)
    assert set(face.triangles.ravel().tolist()) == set(range(468))
    assert 0 <= face.uv.min() < face.uv.max() <= 1


def test_axes_are_those_of_the_landmarks() -> None:
    forehead, chin, nose, right_eye, left_eye = canonical.load().vertices[[10, 152, 1, 33, 263]]
    assert forehead[1] < chin[1]
    assert nose[2] < min(forehead[2], chin[2], right_eye[2])
    # The person's right eye is on the picture's left.
    assert right_eye[0] < 0 < left_eye[0]


def test_the_texture_is_upright_and_not_mirrored() -> None:
    uv = canonical.load().uv
    assert uv[10, 1] < uv[152, 1]
    assert uv[33, 0] < uv[263, 0]


def test_no_triangle_is_turned_over_in_the_texture() -> None:
    face = canonical.load()
    a, b, c = (face.uv[face.triangles[:, index]] for index in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    assert np.all(area > 0) or np.all(area < 0)


def test_nobody_can_change_it_for_the_others() -> None:
    face = canonical.load()
    assert not any(array.flags.writeable for array in (face.vertices, face.uv, face.triangles))
