import cv2
import numpy as np
import pytest
from doppel_models.photo_mend import blur_of, mended

from tests.support.portrait import astronaut


def _face(picture: np.ndarray) -> np.ndarray:
    low, high = astronaut().landmarks[:, :2].min(axis=0), astronaut().landmarks[:, :2].max(axis=0)
    (x0, y0), (x1, y1) = low.astype(int), high.astype(int)
    return picture[y0:y1, x0:x1].astype(float)


def _off(picture: np.ndarray) -> float:
    return float(np.sqrt(np.mean((_face(picture) - _face(astronaut().rgb)) ** 2)))


def _black(picture: np.ndarray) -> float:
    """The dark parts' brightness over the skin's."""
    return float(np.quantile(_face(picture), 0.03) / np.median(_face(picture)))


def _blurred(sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(astronaut().rgb, (0, 0), sigma)


@pytest.mark.parametrize("light", [1.0, 0.4], ids=["bright", "dim"])
def test_a_good_photo_stays_as_it_is(light):
    photo = (astronaut().rgb * light).astype(np.uint8)
    assert mended(photo, astronaut().landmarks) is photo


@pytest.mark.parametrize(("low", "high"), [(64, 192), (80, 240), (50, 255)])
def test_lifted_blacks_are_brought_down_and_the_skin_stays_as_bright(low, high):
    flat = np.rint(low + astronaut().rgb * ((high - low) / 255)).astype(np.uint8)
    deep = mended(flat, astronaut().landmarks)
    assert np.median(_face(deep)) == pytest.approx(np.median(_face(flat)), abs=4)
    assert abs(_black(deep) - _black(astronaut().rgb)) < 0.4 * abs(_black(flat) - _black(astronaut().rgb))


@pytest.mark.parametrize("sigma", [0.9, 1.2, 1.8])
def test_a_slight_blur_is_taken_back(sigma):
    blurred = _blurred(sigma)
    assert _off(mended(blurred, astronaut().landmarks)) < 0.85 * _off(blurred)


def test_a_blur_is_measured():
    gray = [
        cv2.cvtColor(_face(_blurred(s)).astype(np.uint8), cv2.COLOR_RGB2GRAY).astype(np.float32)
        for s in (0.8, 1.2, 1.6, 2.0)
    ]
    assert [blur_of(picture) for picture in gray] == pytest.approx([0.8, 1.2, 1.6, 2.0], abs=0.35)


def test_noise_of_a_blurred_photo_is_not_blown_up():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 4, astronaut().rgb.shape)
    noisy = np.clip(_blurred(1.2) + noise, 0, 255).astype(np.uint8)
    assert _off(mended(noisy, astronaut().landmarks)) < 1.1 * _off(noisy)


def test_a_face_that_the_picture_cuts_off_is_mended_too():
    points = astronaut().landmarks
    cut = int(points[:, 0].mean())
    half = np.ascontiguousarray(_blurred(1.2)[:, cut:])
    sharp = mended(half, points - np.array([cut, 0, 0], np.float32))
    assert sharp.shape == half.shape
    assert np.abs(sharp.astype(int) - half).max() > 10
