from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from doppel_models.appearance import OTHER, OTHER_IN_ANY_LIGHT, SAME, appearance, difference
from doppel_models.geometry import roi_from_landmarks, transform
from doppel_models.types import ByteArray, FloatArray

from tests.support.faces import FourFaces, OccludedFace


def looks(picture: ByteArray, landmarks: FloatArray) -> FloatArray:
    matrix = roi_from_landmarks(landmarks).matrix(256)
    crop = np.asarray(cv2.warpAffine(picture, matrix, (256, 256)), np.uint8)
    return appearance(crop, transform(matrix, landmarks))


def test_a_person_stays_the_same_while_moving() -> None:
    first, later = (
        {t.person: looks(p, t.landmarks) for t in ts} for p, ts in map(FourFaces().frame, (0, 40))
    )
    for person in first:
        assert difference(first[person], later[person]) < SAME


@pytest.mark.parametrize("gain", [0.5, 0.8, 1.15])
def test_exposure_does_not_matter(gain: float) -> None:
    picture, (face, *_) = FourFaces().frame(0)
    darker = np.clip(picture * gain, 0, 255).astype(np.uint8)
    assert difference(looks(picture, face.landmarks), looks(darker, face.landmarks)) < SAME


@pytest.mark.parametrize("light", [(1.3, 0.8, 0.8), (0.7, 0.7, 1.2), (0.8, 1.1, 0.6)])
def test_coloured_light_changes_the_colours_but_not_the_person(light: tuple[float, float, float]) -> None:
    picture, (face, *_) = FourFaces().frame(0)
    lit = np.clip(picture * np.array(light), 0, 255).astype(np.uint8)
    before, after = looks(picture, face.landmarks), looks(lit, face.landmarks)
    assert difference(before, after) > SAME
    assert difference(before, after, any_light=True) < OTHER_IN_ANY_LIGHT


def test_a_face_with_another_light_and_skin_is_another_person() -> None:
    picture, faces = FourFaces().frame(0)
    zero, one = looks(picture, faces[0].landmarks), looks(picture, faces[1].landmarks)
    assert difference(zero, one) > OTHER
    assert difference(zero, one, any_light=True) > OTHER_IN_ANY_LIGHT
    assert difference(zero, one) == pytest.approx(difference(one, zero), rel=0.25)


@pytest.mark.parametrize("kind", ["hand", "object"])
def test_what_comes_before_a_face_does_not_make_it_another_one(kind: str) -> None:
    frames = list(OccludedFace(kind, count=60, width=640, height=360, face_px=150).frames())
    steps = [looks(frame.rgb, frame.landmarks) for frame in frames]
    assert max(difference(a, b) for a, b in itertools.pairwise(steps)) < OTHER
