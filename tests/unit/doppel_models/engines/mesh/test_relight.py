import numpy as np
import pytest
from doppel_models.engines.mesh import masks, relight
from doppel_models.engines.mesh.relight import Relight, log_texture

SIZE = relight.SIZE
EDGE = relight.edge_of(masks.distance())
SKIN = relight.skin_weight()
INNER = (SKIN > 0.5) & (masks.distance() > 0.15)


def _face(color=(180, 140, 120)) -> np.ndarray:
    face = np.empty((SIZE, SIZE, 3), np.float32)
    face[:] = color
    return face


def _settled(live, persona, frames=60) -> np.ndarray:
    light = Relight()
    for _ in range(frames):
        light.update(log_texture(live), log_texture(persona), SKIN, EDGE, 1 / 30)
    return light.gain


def test_the_personas_skin_takes_the_live_tone():
    live, persona = _face((120, 90, 80)), _face((200, 160, 140))
    lit = _settled(live, persona) * persona
    assert lit[INNER].mean(axis=0) == pytest.approx([120, 90, 80], rel=0.06)


def test_a_dark_room_with_little_blue_is_followed():
    live, persona = _face((42, 24, 9)), _face((200, 160, 140))
    lit = _settled(live, persona) * persona
    assert lit[INNER].mean(axis=0) == pytest.approx([42, 24, 9], rel=0.12)


def test_a_lamp_on_one_side_is_followed():
    columns = np.linspace(-1, 1, SIZE, dtype=np.float32)[None, :, None]
    live = _face() * np.exp(0.5 * columns)
    gain = _settled(live, _face()).mean(axis=2)
    left, right = gain[24:44, 8:20].mean(), gain[24:44, 44:56].mean()
    assert 1.4 < right / left < 1.2 * live[30, 50, 0] / live[30, 14, 0]


def test_a_dark_spot_on_the_live_face_is_not_carried_over():
    live = _face()
    live[36:44, 14:22] = (60, 40, 30)
    gain = _settled(live, _face())
    assert gain[36:44, 14:22].mean() == pytest.approx(gain[36:44, 42:50].mean(), rel=0.06)


def test_flicker_of_the_camera_is_damped():
    rng = np.random.default_rng(3)
    light, gains, lives = Relight(), [], []
    for _ in range(90):
        live = _face() * float(np.exp(rng.normal(0, 0.04)))
        light.update(log_texture(live), log_texture(_face()), SKIN, EDGE, 1 / 30)
        gains.append(float(light.gain[INNER].mean()))
        lives.append(float(live.mean()) / float(_face().mean()))
    assert np.abs(np.diff(gains[10:])).mean() < 0.4 * np.abs(np.diff(lives[10:])).mean()


def test_a_switched_lamp_is_followed_within_half_a_second():
    light = Relight()
    for index in range(45):
        live = _face() * (1 if index < 30 else 0.5)
        light.update(log_texture(live), log_texture(_face()), SKIN, EDGE, 1 / 30)
    assert light.gain[INNER].mean() == pytest.approx(0.5, abs=0.06)


def test_a_mask_keeps_its_colour_and_follows_the_brightness():
    light = Relight()
    for _ in range(60):
        light.update(log_texture(_face((60, 30, 20))), None, SKIN, EDGE, 1 / 30)
    gain = light.gain[INNER].mean(axis=0)
    assert gain == pytest.approx(np.full(3, gain.mean()), rel=1e-3)
    assert gain.mean() < 0.7


def test_the_gain_stays_within_limits_in_the_dark_and_without_skin():
    assert np.isfinite(_settled(_face((0, 0, 0)), _face((255, 255, 255)))).all()
    assert _settled(_face((255, 255, 255)), _face((0, 0, 0))).max() <= np.exp(1.6 + 0.6)
    light = Relight()
    light.update(log_texture(_face()), log_texture(_face()), np.zeros_like(SKIN), EDGE, 1 / 30)
    assert light.gain == pytest.approx(1)
