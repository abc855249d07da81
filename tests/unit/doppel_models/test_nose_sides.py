import cv2
import numpy as np
import pytest
from doppel_models import face_texture, nose_sides

from tests.support.live_face import live_face
from tests.support.turned_face import turned_face

# Columns from the ridge of the nose to the cheek, above its wing, on the person's left (the picture's right).
_ROWS, _NOSE, _ACROSS = slice(212, 250), slice(262, 286), slice(258, 330)


def _even_texture():
    """A face whose two halves are alike: the portrait's lit one, twice."""
    live = live_face(2.0)
    texture = face_texture.unwrap(live.rgb, live.points).texture
    texture[:, 256:] = texture[:, :256][:, ::-1]
    return texture


def _shaded(texture, side):
    """That side of the nose in a shadow that ends sharply at the cheek."""
    outline = np.array(
        [(268, 170), (284, 190), (288, 212), (303, 250), (308, 275), (298, 300), (268, 300)], np.int32
    )
    shadow = np.zeros(texture.shape[:2], np.float32)
    cv2.fillPoly(shadow, [outline], 0.3)
    shadow = cv2.GaussianBlur(shadow, (0, 0), 1.5)
    return texture * (1 - (shadow if side == "left" else shadow[:, ::-1]))[:, :, None]


def _steepest(texture):
    """The steepest step from the nose to the cheek on the person's left and right, natural logarithms."""
    gray = np.log(texture[_ROWS].mean(axis=(0, 2)))
    return (
        float(np.abs(gray[_ACROSS][6:] - gray[_ACROSS][:-6]).max()),
        float(np.abs(gray[::-1][_ACROSS][6:] - gray[::-1][_ACROSS][:-6]).max()),
    )


def _repaired(texture, weight):
    known = weight * nose_sides.trust(texture, weight)
    return nose_sides.fill(texture, known)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_shadow_that_ends_sharply_beside_the_nose_leaves_no_line(side):
    even = _even_texture()
    ones = np.ones(even.shape[:2], np.float32)
    shaded = _shaded(even, side)
    own, other = (0, 1) if side == "left" else (1, 0)
    before = _steepest(shaded)[own] - _steepest(even)[own]
    assert before > 3 * _steepest(shaded)[other]
    repaired, known = _repaired(shaded, ones)
    assert _steepest(repaired)[own] - _steepest(even)[own] < 0.25 * before
    assert known.min() > 0.98


def test_the_mirrored_side_is_in_the_light_of_its_own_cheek():
    even = 0.7 * _even_texture()
    lamp = np.exp(np.linspace(0.2, -0.2, even.shape[1], dtype=np.float32))[None, :, None]
    shaded = _shaded(even, "left") * lamp
    repaired, _ = _repaired(shaded, np.ones(even.shape[:2], np.float32))
    assert np.abs((repaired - even * lamp) / 200)[_ROWS, _NOSE].mean() < 0.04


@pytest.mark.parametrize("lamp", [0.0, 0.3], ids=["no lamp", "a lamp on one side"])
def test_a_nose_whose_sides_are_seen_alike_stays_as_it_is(lamp):
    even = 0.7 * _even_texture() * np.exp(np.linspace(-lamp, lamp, 512, dtype=np.float32))[None, :, None]
    ones = np.ones(even.shape[:2], np.float32)
    repaired, known = _repaired(even, ones)
    assert known.min() == 1
    assert np.abs(repaired - even).max() < 0.01


@pytest.mark.parametrize("yaw", [-20, 20])
def test_on_a_turned_face_the_far_side_of_the_nose_is_the_near_one(yaw):
    view = face_texture.unwrap(*turned_face(yaw))
    texture, _ = _repaired(view.texture, view.weight)
    far, near = (0, 1) if yaw > 0 else (1, 0)
    assert _steepest(texture)[far] < 1.25 * _steepest(texture)[near]
    smooth = nose_sides.trust(view.texture, view.weight)[_ROWS]
    sides = smooth[:, _NOSE].mean(), smooth[:, ::-1][:, _NOSE].mean()
    assert sides[far] < 0.1
    assert sides[near] > 0.9


def test_the_portraits_nose_shows_no_line_beside_its_shaded_side():
    live = live_face(2.0)
    view = face_texture.unwrap(live.rgb, live.points)
    assert _steepest(view.texture)[0] > 2 * _steepest(view.texture)[1]
    texture, _ = _repaired(view.texture, view.weight)
    assert _steepest(texture)[0] < 1.3 * _steepest(texture)[1]
