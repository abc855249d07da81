import dataclasses

import cv2
import numpy as np
import pytest
from doppel_models import canonical, masks_builtin
from doppel_models.engines.base import LookSettings
from doppel_models.engines.mesh import regions
from doppel_models.engines.mesh.engine import MeshEngine
from doppel_models.engines.mesh.shape import HeadFrame

from tests.support.live_face import blended, live_face, plain_persona, swap

GREEN = (40, 200, 60)
PLAIN = LookSettings(color_match="none")


@pytest.fixture(scope="module")
def green() -> MeshEngine:
    return MeshEngine(plain_persona(GREEN))


def _at(picture, live, vertex):
    x, y = np.rint(live.points[vertex, :2]).astype(int)
    return picture[y, x].astype(int)


def test_the_skin_is_the_personas_and_everything_around_the_face_stays(green):
    live = live_face()
    result = swap(green, live, PLAIN)
    picture = blended(live, result)
    for vertex in (4, 50, 280, 199):  # nose, cheeks, chin
        assert _at(picture, live, vertex) == pytest.approx(GREEN, abs=3)
    outline = np.zeros(result.mask.shape, np.uint8)
    cv2.fillPoly(outline, [np.rint(live.points[regions.OVAL, :2]).astype(np.int32)], 1)
    assert result.mask[cv2.dilate(outline, np.ones((13, 13), np.uint8)) == 0].max() == 0


@pytest.mark.parametrize(("keep", "vertex"), [("keep_eyes", 468), ("keep_mouth", 13)])
def test_eyes_and_mouth_are_the_live_ones_by_choice(green, keep, vertex):
    live = live_face()
    point = np.rint(live.points[[13, 14], :2].mean(axis=0) if vertex == 13 else live.points[468, :2]).astype(
        int
    )
    kept = blended(live, swap(green, live, PLAIN))[point[1], point[0]]
    swapped = blended(live, swap(green, live, dataclasses.replace(PLAIN, **{keep: False})))[
        point[1], point[0]
    ]
    assert kept == pytest.approx(live.rgb[point[1], point[0]].astype(int), abs=40)
    assert swapped == pytest.approx(GREEN, abs=3)


@pytest.mark.parametrize("strength", [0.0, 0.4])
def test_strength_is_in_the_mask(green, strength):
    live = live_face()
    result = swap(green, live, dataclasses.replace(PLAIN, strength=strength))
    assert _at(result.mask, live, 4) == pytest.approx(255 * strength, abs=2)


def test_a_softer_edge_is_a_wider_one():
    live, engine = live_face(), MeshEngine(plain_persona(own_color=False))
    partly = []
    for softness in (0.0, 0.5, 1.0):
        mask = swap(engine, live, dataclasses.replace(PLAIN, edge_softness=softness)).mask
        partly.append(int(((mask > 10) & (mask < 245)).sum()))
    assert partly == sorted(partly)
    assert partly[2] > 1.5 * partly[0]


def test_the_same_frames_give_the_same_picture(green):
    live = live_face()
    runs = []
    for _ in range(2):
        state = green.new_state()
        runs.append([swap(green, live, state=state, index=index) for index in range(3)])
    for first, second in zip(*runs, strict=True):
        assert (first.rgb == second.rgb).all()
        assert (first.mask == second.mask).all()


def test_a_still_noisy_face_gives_a_steadier_picture_than_it_is():
    engine, live, rng = MeshEngine(masks_builtin.load("porcelain")), live_face(), np.random.default_rng(5)
    state, seen, filmed = engine.new_state(), [], []
    for index in range(24):
        light = float(np.exp(rng.normal(0, 0.03)))
        noisy = np.clip(live.rgb * light + rng.normal(0, 4, live.rgb.shape), 0, 255).astype(np.uint8)
        frame = live.with_picture(noisy)
        seen.append(blended(frame, swap(engine, frame, state=state, index=index)).astype(float))
        filmed.append(noisy.astype(float))
    skin = swap(engine, live).mask > 250
    flicker = [np.abs(np.diff(np.array(run[4:]), axis=0))[:, skin].mean() for run in (seen, filmed)]
    assert flicker[0] < 0.6 * flicker[1]


def test_a_turned_head_fades_and_is_gone_past_the_band(green):
    live = live_face()
    for yaw, low, high in ((20, 0, 0), (42, 0.2, 0.8), (60, 1, 1)):
        face = dataclasses.replace(live.face, yaw=float(yaw))
        result = green.swap(live.rgb, live.points, face, PLAIN, green.new_state(), 0)
        assert low <= result.pose_fade <= high
        assert (result.cover_mask is None) == (result.pose_fade == 0)
    assert result.mask.max() == 0
    # The cover has no holes where eyes and mouth are kept.
    assert _at(result.cover_mask, live, 468) == 255
    assert _at(result.cover_mask, live, 13) == 255


def test_proportions_move_the_features_by_choice(green):
    live = live_face()
    wide = plain_persona(GREEN)
    shape = HeadFrame.of(live.points).shape_of(live.points)
    marked = wide.texture.copy()
    u, v = (canonical.load().uv[1] * 256).astype(int)
    marked[v - 4 : v + 5, u - 4 : u + 5] = (255, 0, 0)
    moved = shape.copy()
    moved[:, 1] += 0.8
    engine = MeshEngine(dataclasses.replace(wide, texture=marked, shape=moved))

    def spot(look):
        rgb = swap(engine, live, look).rgb.astype(int)
        rows, columns = np.nonzero((rgb[:, :, 0] > 150) & (rgb[:, :, 1] < 120))
        return np.array([columns.mean(), rows.mean()])

    still, full = spot(dataclasses.replace(PLAIN, proportions=0.0)), spot(PLAIN)
    half = spot(dataclasses.replace(PLAIN, proportions=0.5))
    scale = HeadFrame.of(live.points).scale
    assert full[1] - still[1] == pytest.approx(0.8 * scale, rel=0.3)
    assert half[1] - still[1] == pytest.approx(0.4 * scale, rel=0.3)


def test_a_hand_before_the_chin_stays_in_front(green):
    live, state = live_face(), green.new_state()
    for index in range(40):
        swap(green, live, PLAIN, state, index)
    covered = live.rgb.copy()
    chin = np.rint(live.points[199, :2]).astype(int)
    cv2.rectangle(
        covered,
        (int(chin[0]) - 45, int(chin[1]) - 14),
        (int(chin[0]) + 45, covered.shape[0]),
        (40, 60, 170),
        -1,
    )
    frame = live.with_picture(covered)
    for index in range(40, 52):
        result = swap(green, frame, PLAIN, state, index)
    picture = blended(frame, result)
    assert picture[chin[1], chin[0]] == pytest.approx((40, 60, 170), abs=25)
    assert _at(picture, live, 50) == pytest.approx(GREEN, abs=10)


def test_faces_of_every_size_and_at_every_edge_give_a_crop_inside_the_frame(green):
    live = live_face()
    for scale in (0.1, 0.5, 2, 9):
        for x in (-300, -50, 0, 300, 900):
            points = live.points * np.float32(scale) + np.array([x, 40, 0], np.float32)
            face = live.with_points(points).face
            request = green.crop_for(face, 1280, 720)
            if request is None:
                continue
            x0, y0, x1, y1 = request.frame_rect(1280, 720)
            assert 0 <= x0 < x1 <= 1280
            assert 0 <= y0 < y1 <= 720
            width, height = request.dsize
            assert max(width, height) <= 720
            if request.rect is not None:
                assert (x1 - x0, y1 - y0) == (width, height)
            crop = np.full((height, width, 3), 120, np.uint8)
            result = green.swap(crop, request.to_crop(points), face, PLAIN, green.new_state(), 0)
            assert result.rgb.shape == crop.shape
            assert result.mask.shape == crop.shape[:2]


def test_a_face_outside_the_frame_has_no_crop(green):
    live = live_face()
    face = live.with_points(live.points + np.array([5000, 0, 0], np.float32)).face
    assert green.crop_for(face, 1280, 720) is None


def test_the_texture_is_as_fine_as_the_picture_and_does_not_switch_back_and_forth():
    engine = MeshEngine(plain_persona())
    state = engine.new_state()
    sizes = [engine._texture_for(width, state).shape[0] for width in np.linspace(50, 400, 200)]
    assert sizes == sorted(sizes)
    level = engine._texture_for(180.0, state).shape[0]
    assert {engine._texture_for(180.0 * f, state).shape[0] for f in (0.93, 1.07, 0.95, 1.05)} == {level}


def test_a_jump_in_time_is_no_error(green):
    live, state = live_face(), green.new_state()
    for index in (0, 1, 500, 3, 4, 4):
        swap(green, live, state=state, index=index)
    state.reset()
    swap(green, live, state=state, index=0)
