import functools

import numpy as np
import pytest
from doppel_models import face_texture
from doppel_models.engines.mesh import imaging, masks, relight
from doppel_models.engines.mesh.occlusion import Occlusion

from tests.support.live_face import live_face

SIZE = masks.SIZE
INSIDE = masks.distance() > 0.01


@functools.cache
def _texture() -> np.ndarray:
    """The astronaut in texture space, her hair replaced by skin."""
    live = live_face(1.0)
    view = face_texture.unwrap(live.rgb, live.points)
    texture, _ = face_texture.fill(*face_texture.merge([view]))
    return imaging.shrink(texture, (SIZE, SIZE)).astype(np.uint8)


def _run(occlusion, frames, yaw=0.0, start=0):
    found = None
    for frame in frames:
        found = occlusion.update(relight.log_texture(frame), yaw, 0.0, 1 / 15)
        found = None if found is None else found.copy()
    return found


def _noisy(texture, count, seed=1, gain=0.02):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        light = float(np.exp(rng.normal(0, gain)))
        yield np.clip(texture * light + rng.normal(0, 2, texture.shape), 0, 255).astype(np.uint8)


def _with_patch(texture, color, rows=slice(40, 64), columns=slice(20, 46)):
    covered = texture.copy()
    covered[rows, columns] = color
    return covered


def test_a_face_alone_raises_no_alarm():
    occlusion = Occlusion()
    for frame in _noisy(_texture(), 120):
        assert _run(occlusion, [frame]) is None


@pytest.mark.parametrize(
    "color", [(40, 60, 160), (70, 45, 35), (235, 235, 230)], ids=["blue", "dark", "pale"]
)
def test_a_thing_that_comes_in_over_the_chin_is_found_and_forgotten_when_it_leaves(color):
    texture, occlusion = _texture(), Occlusion()
    _run(occlusion, _noisy(texture, 40))
    found = _run(occlusion, _noisy(_with_patch(texture, color), 6, seed=2))
    assert found is not None
    assert found[44:54, 24:42].mean() > 0.85
    assert found[8:34].mean() < 0.02
    after = _run(occlusion, _noisy(texture, 15, seed=3))
    assert after is None or after.max() < 0.05


def test_a_thing_that_rests_there_stays_in_front():
    texture, occlusion = _texture(), Occlusion()
    _run(occlusion, _noisy(texture, 60))
    found = _run(occlusion, _noisy(_with_patch(texture, (40, 60, 160)), 60, seed=2))
    assert found is not None
    assert found[44:54, 24:42].mean() > 0.8


def test_half_a_hidden_face_does_not_make_the_other_half_a_thing():
    texture, occlusion = _texture(), Occlusion()
    _run(occlusion, _noisy(texture, 40))
    found = _run(
        occlusion, _noisy(_with_patch(texture, (40, 60, 160), slice(0, 64), slice(0, 30)), 6, seed=2)
    )
    assert found is not None
    assert found[:, :28][INSIDE[:, :28]].mean() > 0.75
    assert found[:, 40:][INSIDE[:, 40:]].mean() < 0.05


def test_an_expression_in_the_middle_of_the_face_is_no_thing():
    texture, occlusion = _texture(), Occlusion()
    _run(occlusion, _noisy(texture, 40))
    mouth = _with_patch(texture, (60, 20, 20), slice(42, 50), slice(24, 40))
    assert _run(occlusion, _noisy(mouth, 6, seed=2)) is None


def test_a_change_of_light_is_no_thing():
    texture, occlusion = _texture(), Occlusion()
    _run(occlusion, _noisy(texture, 40))
    columns = np.linspace(-1, 1, SIZE)[None, :, None]
    lit = np.clip(texture * np.exp(0.25 * columns) * 0.8, 0, 255).astype(np.uint8)
    assert _run(occlusion, _noisy(lit, 20, seed=2)) is None


def test_landmarks_that_are_a_texel_off_raise_no_alarm():
    texture, occlusion = _texture(), Occlusion()
    _run(occlusion, _noisy(texture, 40))
    for shift in ((0, 1), (1, 0), (-1, -1)):
        assert _run(occlusion, _noisy(np.roll(texture, shift, (0, 1)), 4, seed=4)) is None


def test_a_live_fringe_is_found_at_once_and_a_dark_brow_is_not():
    texture, occlusion = _texture(), Occlusion()
    assert _run(occlusion, [texture]) is None
    fringe = texture.copy()
    fringe[:14, 10:54] = (50, 35, 25)
    found = _run(Occlusion(), [fringe])
    assert found is not None
    assert found[4:12, 20:44][INSIDE[4:12, 20:44]].mean() > 0.9
    assert found[18:].max() < 0.2


def test_after_a_reset_nothing_is_remembered():
    texture, occlusion = _texture(), Occlusion()
    _run(occlusion, _noisy(texture, 40))
    occlusion.reset()
    assert _run(occlusion, _noisy(_with_patch(texture, (40, 60, 160)), 6)) is None


def test_a_thing_that_was_there_from_the_start_and_goes_leaves_no_hole():
    occlusion = Occlusion()
    covered = _with_patch(_texture(), (30, 80, 160))
    _run(occlusion, _noisy(covered, 40))
    for frame in _noisy(_texture(), 40, seed=2):
        found = _run(occlusion, [frame])
        assert found is None or float(found[INSIDE].mean()) < 0.06


def test_a_hole_is_doubtful_until_the_face_is_well_known():
    occlusion = Occlusion()
    _run(occlusion, _noisy(_texture(), 30))
    covered = _with_patch(_texture(), (30, 80, 160))
    assert _run(occlusion, _noisy(covered, 6, seed=3)) is not None
    assert occlusion.doubt == 1
    occlusion = Occlusion()
    _run(occlusion, _noisy(_texture(), 170))
    assert occlusion.doubt == 0
    assert _run(occlusion, _noisy(covered, 6, seed=3)) is not None
    assert occlusion.doubt == 0


def test_a_large_hole_is_doubtful_even_in_a_well_known_face():
    occlusion = Occlusion()
    _run(occlusion, _noisy(_texture(), 170))
    large = _with_patch(_texture(), (30, 80, 160), slice(30, 64), slice(0, 64))
    assert _run(occlusion, _noisy(large, 6, seed=3)) is not None
    assert occlusion.doubt == 1
