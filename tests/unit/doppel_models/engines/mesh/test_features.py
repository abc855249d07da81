import numpy as np
import pytest
from doppel_models.engines.mesh import features, regions
from doppel_models.engines.mesh.features import EYES, MASK_SLITS, MOUTH, fit_affine

from tests.support.live_face import live_face


def _green(live):
    rgb = np.empty_like(live.rgb)
    rgb[:] = (0, 255, 0)
    return rgb


def keep(crop, rgb, live, target, slit, soft):
    opening = regions.opening(live, slit.upper, slit.lower)
    patch = features.patch_of(crop.shape[1::-1], live, target, slit, soft, slit.open_share(opening))
    if patch is not None:
        features.lay(crop, rgb, [patch])


def _shut(points, slit):
    shut = points.copy()
    middle = 0.5 * (shut[slit.upper[1:-1]] + shut[slit.lower[1:-1]])
    shut[slit.upper[1:-1]] = shut[slit.lower[1:-1]] = middle
    return shut


def test_the_open_eye_is_the_live_one_and_nothing_else_is():
    live = live_face()
    rgb = _green(live)
    keep(live.rgb, rgb, live.points, live.points, EYES[0], 1.0)
    x, y = np.rint(live.points[468, :2]).astype(int)  # the iris
    assert rgb[y, x] == pytest.approx(live.rgb[y, x], abs=6)
    x, y = np.rint(live.points[4, :2]).astype(int)  # the nose
    assert rgb[y, x].tolist() == [0, 255, 0]


def test_a_moved_eye_takes_its_picture_along():
    live = live_face()
    rgb, target = _green(live), live.points.copy()
    target[:, 0] += 12
    keep(live.rgb, rgb, live.points, target, EYES[0], 1.0)
    x, y = np.rint(live.points[468, :2]).astype(int)
    assert rgb[y, x + 12] == pytest.approx(live.rgb[y, x], abs=6)


def test_shut_lips_are_the_personas_own():
    live = live_face()
    rgb, points = _green(live), _shut(live.points, MOUTH)
    open_rgb = _green(live)
    keep(live.rgb, open_rgb, live.points, live.points, MOUTH, 1.0)
    keep(live.rgb, rgb, points, points, MOUTH, 1.0)
    changed = (rgb[:, :, 1] < 200).sum()
    assert changed < 0.1 * (open_rgb[:, :, 1] < 200).sum()


def test_a_shut_eye_keeps_its_lids_in_the_colour_of_the_swapped_skin():
    live = live_face()
    points = _shut(live.points, EYES[0])
    rgb = np.empty_like(live.rgb)
    rgb[:] = (90, 60, 50)
    keep(live.rgb, rgb, points, points, EYES[0], 1.0)
    x, y = np.rint(points[[159, 145], :2].mean(axis=0)).astype(int)
    lid = rgb[y - 4 : y + 5, x - 6 : x + 7].astype(float)
    assert lid.std() > 5  # the live lid's lines are there
    assert lid.mean(axis=(0, 1)) == pytest.approx([90, 60, 50], abs=50)


def test_a_painted_masks_shut_eye_shows_no_live_skin():
    live = live_face()
    for slit in MASK_SLITS[1:]:
        rgb, points = _green(live), _shut(live.points, slit)
        keep(live.rgb, rgb, points, points, slit, 1.0)
        assert (rgb == (0, 255, 0)).all()


def test_an_eye_outside_the_crop_is_no_error():
    live = live_face()
    rgb = _green(live)
    for shift in (-2000, 2000):
        target = live.points.copy()
        target[:, 0] += shift
        keep(live.rgb, rgb, live.points, target, EYES[0], 1.0)
    assert (rgb == (0, 255, 0)).all()


def test_the_fit_is_exact_for_a_shift_and_stable_for_a_line():
    points = np.array([[0, 0], [10, 0], [10, 4], [0, 4]], np.float32)
    assert fit_affine(points, points + 3) == pytest.approx(np.array([[1, 0, 3], [0, 1, 3]]), abs=1e-6)
    line = np.array([[0, 5], [5, 5], [10, 5], [5, 5]], np.float32)
    matrix = fit_affine(line, line + np.array([1, 2], np.float32))
    assert matrix[:, :2] == pytest.approx(np.eye(2), abs=1e-6)


def test_opening_is_judged_smoothly():
    live = live_face()
    shut = _shut(live.points, MOUTH)
    mixed = [shut * (1 - part) + live.points * part for part in np.linspace(0, 1, 30)]
    shares = [MOUTH.open_share(regions.openings(points)[0]) for points in mixed]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert max(np.diff(shares)) < 0.25
    assert EYES[0].open_share(regions.openings(live.points)[1]) > 0.9
