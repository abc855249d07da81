import functools

import cv2
import numpy as np
import pytest
from doppel_models import canonical, face_texture
from doppel_models.engines.mesh import regions
from doppel_models.face_hair import around_brows, find_hair
from doppel_models.face_texture import SIZE, Unwrapped

from tests.support.live_face import live_face


@functools.cache
def _view() -> Unwrapped:
    live = live_face(2.0)
    return face_texture.unwrap(live.rgb, live.points)


def _plain(color, weight) -> Unwrapped:
    texture = np.empty((SIZE, SIZE, 3), np.float32)
    texture[:] = color
    return Unwrapped(texture, np.asarray(weight, np.float32), np.zeros((SIZE, SIZE), np.float32))


def test_features_lie_where_the_texture_coordinates_say():
    texture = _view().texture
    right_eye = texture[170:210, 120:215].mean()
    cheek = texture[280:330, 120:180].mean()
    assert right_eye < 0.8 * cheek


def test_the_fringe_is_found_and_the_face_below_it_is_not_hair():
    hair = _view().hair
    assert hair[40:80, 180:340].mean() > 0.6
    assert hair[170:470, 100:410].max() < 0.05


def test_a_face_without_hair_over_it_is_all_skin():
    texture, _ = face_texture.fill(*face_texture.merge([_view()]))
    assert find_hair(texture).mean() < 0.02


@pytest.mark.parametrize(
    ("red", "green", "blue"),
    [(0.35, 0.35, 0.35), (1.0, 0.8, 0.55), (0.7, 0.85, 1.0)],
    ids=["dim", "warm", "cold"],
)
def test_the_fringe_is_found_in_any_light(red, green, blue):
    hair = find_hair(_view().texture * np.array((red, green, blue), np.float32))
    assert hair[40:80, 180:340].mean() > 0.6
    assert hair[170:470, 100:410].max() < 0.05


def test_the_fringe_is_found_where_a_lamp_shines_from_one_side():
    ramp = np.exp(np.linspace(-0.9, 0.3, SIZE, dtype=np.float32))[None, :, None]
    hair = find_hair(_view().texture * ramp)
    assert hair[40:80, 180:340].mean() > 0.6
    assert hair[170:470, 100:410].max() < 0.05


def test_a_pink_highlight_on_the_forehead_is_no_hair():
    texture, _ = face_texture.fill(*face_texture.merge([_view()]))
    texture[30:110, 220:290] *= np.array((1.12, 0.97, 1.02), np.float32)
    assert find_hair(np.clip(texture, 0, 255)).mean() < 0.02


def test_each_texel_comes_from_the_picture_that_shows_it_best():
    half = np.zeros((SIZE, SIZE))
    half[:, : SIZE // 2] = 1
    merged, known = face_texture.merge([_plain((200, 0, 0), half), _plain((0, 200, 0), 1 - half)])
    assert merged[200, 100, 0] > 190
    assert merged[200, 400, 1] > 190
    assert known.min() == 1


def test_pictures_in_different_light_are_matched_before_they_are_merged():
    full = np.ones((SIZE, SIZE))
    half = full.copy()
    half[:, : SIZE // 2] = 0.2
    merged, _ = face_texture.merge([_plain((160, 120, 100), full), _plain((80, 60, 50), half)])
    assert np.abs(merged - (160, 120, 100)).max() < 2


def test_what_was_not_seen_is_taken_from_the_other_half():
    view = _view()
    left = np.ones((SIZE, SIZE), np.float32)
    left[:, SIZE // 2 :] = 0
    filled, known = face_texture.fill(view.texture, left)
    mirrored = filled[:, ::-1]
    assert known.min() == 1
    assert np.abs(filled[150:450, 300:400] - mirrored[150:450, 300:400]).mean() < 25


def test_a_lamp_on_one_side_is_taken_out_of_the_texture():
    view = _view()
    known = view.weight * (1 - view.hair)
    ramp = np.exp(np.linspace(-0.5, 0.5, SIZE, dtype=np.float32))[None, :, None]
    before = face_texture.asymmetry(view.texture * ramp, known)
    after = face_texture.asymmetry(face_texture.even_light(view.texture * ramp, known), known)
    assert np.abs(after).max() < 0.55 * np.abs(before).max()


def test_teeth_become_a_line_between_lips():
    live = live_face(2.0)
    shut = face_texture.shut_mouth(face_texture.unwrap(live.rgb, live.points).texture)
    columns = shut[330:375, 225:285].mean(axis=2)
    # In every column there is a dark line, and no bright one where the teeth were.
    assert (columns[15:30].min(axis=0) < 0.8 * columns[:10].mean(axis=0)).all()
    assert columns[18:27].mean() < 0.95 * columns[:10].mean()


def test_strong_colours_of_a_warm_lamp_are_taken_back_and_usual_ones_kept():
    known = np.ones((SIZE, SIZE), np.float32)
    orange, usual = _plain((190, 100, 50), known).texture, _plain((214, 178, 157), known).texture
    calm = face_texture.usual_saturation(orange, known)[256, 256]
    assert calm.mean() == pytest.approx(340 / 3, rel=0.01)
    assert calm[0] > calm[1] > calm[2]
    assert calm[0] / calm[2] < 1.8
    assert face_texture.usual_saturation(usual, known) == pytest.approx(usual, abs=0.01)


def test_a_shadow_beside_the_nose_is_taken_out():
    texture, known = face_texture.merge([_view()])
    even = face_texture.even_light(texture, known)
    shaded = texture.copy()
    shaded[200:280, 265:310] *= np.float32(0.7)
    freed = face_texture.even_light(shaded, known)
    before = shaded[210:270, 280:295].mean() / texture[210:270, 280:295].mean()
    after = freed[210:270, 280:295].mean() / even[210:270, 280:295].mean()
    assert abs(after - 1) < 0.7 * abs(before - 1)


def _thick_brows(texture: np.ndarray) -> np.ndarray:
    """Thick, dark brows drawn over the texture's own."""
    thick = texture.copy()
    for brow in (regions.RIGHT_BROW, regions.LEFT_BROW):
        points = (canonical.load().uv[brow] * SIZE).astype(np.int32)
        cv2.fillConvexPoly(thick, cv2.convexHull(points), (38, 28, 22))
    return thick


def test_thick_brows_under_a_fringe_are_no_hair():
    hair = find_hair(_thick_brows(_view().texture))
    columns, rows = (canonical.load().uv[regions.RIGHT_BROW].mean(axis=0) * SIZE).astype(int)
    assert hair[rows, columns] < 0.1
    assert hair[40:80, 180:340].mean() > 0.6


def test_the_skin_around_free_brows_is_the_personas_even_beside_hair():
    around = around_brows(find_hair(_thick_brows(_view().texture)))
    for brow in (regions.RIGHT_BROW, regions.LEFT_BROW):
        columns, rows = (canonical.load().uv[brow] * SIZE).astype(int).T
        assert around[rows, columns].min() > 0.9
    assert around[rows.min(), SIZE // 2] > 0.9
    assert around[40:60].max() < 0.1


def test_the_end_of_a_brow_that_hair_covers_stays_hair():
    hair = find_hair(_view().texture)
    column, row = (canonical.load().uv[276] * SIZE).astype(int)
    assert hair[row - 12 : row, column].max() > 0.5


def test_brows_under_a_fringe_stay_hair():
    texture, _ = face_texture.fill(*face_texture.merge([_view()]))
    # Black hair from the edge of the mesh down to the eyes.
    texture[:140] = (30, 24, 20)
    hair = find_hair(texture)
    columns, rows = (canonical.load().uv[regions.RIGHT_BROW].mean(axis=0) * SIZE).astype(int)
    assert hair[rows, columns] > 0.7
    assert around_brows(hair).max() == 0
