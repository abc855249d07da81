from __future__ import annotations

import cv2
import numpy as np
import pytest
from doppel_models.errors import PictureError
from doppel_models.geometry import roi_from_landmarks
from doppel_models.types import ByteArray

from tests.support.faces import room
from tests.support.networks import landmarker
from tests.support.portrait import astronaut


def portrait_crop() -> ByteArray:
    matrix = roi_from_landmarks(astronaut().landmarks).matrix(256)
    return np.asarray(cv2.warpAffine(astronaut().rgb, matrix, (256, 256)), np.uint8)


def test_presence_tells_a_face_from_a_room_and_from_noise() -> None:
    assert landmarker().run(portrait_crop()).presence > 0.99
    assert landmarker().run(np.ascontiguousarray(room(256, 256))).presence < 0.1
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    assert landmarker().run(noise).presence < 0.1


def test_a_result_does_not_change_when_the_network_runs_again() -> None:
    first = landmarker().run(portrait_crop())
    before = first.points.copy()
    landmarker().run(np.ascontiguousarray(portrait_crop()[:, ::-1]))
    assert np.array_equal(first.points, before)


@pytest.mark.parametrize(
    ("shape", "dtype"), [((192, 192, 3), np.uint8), ((256, 256, 3), np.float32), ((256, 256), np.uint8)]
)
def test_another_kind_of_array_is_refused(shape: tuple[int, ...], dtype: type) -> None:
    crop = np.zeros(shape, dtype)
    with pytest.raises(PictureError, match=r"expected \(256, 256, 3\) uint8"):
        landmarker().run(crop)
