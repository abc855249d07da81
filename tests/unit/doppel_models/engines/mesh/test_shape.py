import numpy as np
import pytest
from doppel_models import canonical
from doppel_models.engines.mesh import regions
from doppel_models.engines.mesh.shape import (
    HeadFrame,
    NeutralEstimate,
    keep_openings,
    proportion_shift,
    resting,
)
from hypothesis import given
from hypothesis import strategies as st

LIPS = (regions.LIPS_INNER_UPPER, regions.LIPS_INNER_LOWER)
EYE = (regions.RIGHT_EYE_UPPER, regions.RIGHT_EYE_LOWER)


def _rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    a, b, c = np.deg2rad([yaw, pitch, roll])
    ry = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    rx = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return rz @ rx @ ry


def _at_rest() -> np.ndarray:
    """The canonical face with its lips, which stand a little open, shut."""
    return resting(canonical.load().vertices)


def _open(shape: np.ndarray, amount: float) -> np.ndarray:
    """The canonical mouth opened by the jaw, in centimetres."""
    opened = shape.copy()
    opened[regions.LIPS_INNER_LOWER[1:-1], 1] += amount
    opened[[84, 17, 314, 181, 405, 152], 1] += amount
    return opened


@given(st.floats(-40, 40), st.floats(-25, 25), st.floats(-30, 30), st.floats(2, 60))
def test_a_shape_does_not_depend_on_where_and_how_the_head_is(yaw, pitch, roll, scale):
    neutral = canonical.load().vertices
    points = (neutral @ _rotation(yaw, pitch, roll).T * scale + [300, 200, 5]).astype(np.float32)
    frame = HeadFrame.of(points)
    assert frame.shape_of(points) == pytest.approx(neutral, abs=0.01)
    assert frame.vectors(neutral[:1]) == pytest.approx(points[:1] - [300, 200, 5], abs=0.05 * scale)


def test_the_resting_face_is_learnt_from_frames_at_rest():
    neutral, estimate = _at_rest(), NeutralEstimate()
    learnt = neutral
    for index in range(200):
        talking = index % 3 != 0
        learnt = estimate.update(_open(neutral, 1.5) if talking else neutral.copy(), 0.0)
    assert regions.opening(learnt, *LIPS) - regions.opening(neutral, *LIPS) < 0.01


def test_a_face_first_seen_talking_is_corrected_as_soon_as_it_rests():
    neutral, estimate = _at_rest(), NeutralEstimate()
    estimate.update(_open(neutral, 2.0), 0.0)
    learnt = neutral
    for _ in range(5):
        learnt = estimate.update(neutral.copy(), 0.0)
    assert regions.opening(learnt, *LIPS) < 0.02


@given(st.integers(0, 1000))
def test_shut_lips_and_lids_stay_shut_whatever_the_persona_looks_like(seed):
    neutral = _at_rest()
    persona = neutral + np.random.default_rng(seed).normal(0, 0.4, neutral.shape).astype(np.float32)
    shut = neutral.copy()
    for upper, lower in (LIPS, EYE):
        shut[upper[1:-1]] = shut[lower[1:-1]] = 0.5 * (shut[upper[1:-1]] + shut[lower[1:-1]])
    moved = shut + proportion_shift(neutral, persona)
    keep_openings(moved, shut, regions.openings(neutral))
    for slit in (LIPS, EYE):
        assert regions.opening(moved, *slit) < 1e-4


def test_features_move_to_the_persona_and_the_outline_stays():
    neutral = canonical.load().vertices
    persona = neutral * np.array([1.1, 0.95, 1], np.float32)
    shift = proportion_shift(neutral, persona)
    assert shift[regions.OVAL] == pytest.approx(0, abs=1e-6)
    assert (neutral + shift)[1] == pytest.approx(persona[1], abs=1e-4)
    assert (neutral + shift)[61] == pytest.approx(persona[61], abs=0.05)


def test_a_wider_mouth_opens_in_proportion():
    live = canonical.load().vertices.copy()
    live = _open(live, 1.0)
    target = live.copy()
    mouth = np.concatenate([regions.LIPS, regions.MOUTH])
    target[mouth, 0] *= 1.2
    keep_openings(target, live, regions.openings(canonical.load().vertices))
    assert regions.opening(target, *LIPS) == pytest.approx(regions.opening(live, *LIPS), rel=0.12)


def test_openings_are_those_of_each_slit():
    points = _open(_at_rest(), 0.9)
    slits = (LIPS, EYE, (regions.LEFT_EYE_UPPER, regions.LEFT_EYE_LOWER))
    assert regions.openings(points) == pytest.approx([regions.opening(points, *slit) for slit in slits])


def test_a_frame_that_stands_for_four_counts_as_four():
    neutral, talking = _at_rest(), _open(_at_rest(), 0.3)
    each, fourth = NeutralEstimate(), NeutralEstimate()
    for estimate in (each, fourth):
        estimate.update(talking.copy(), 0.0)
    for _ in range(4):
        seen = each.update(neutral.copy(), 0.0)
    assert fourth.update(neutral.copy(), 0.0, 4) == pytest.approx(seen, abs=1e-3)


def test_a_grin_rests():
    grin = _open(_at_rest(), 0.9)
    mouth = np.concatenate([regions.LIPS, regions.MOUTH])
    grin[mouth, 0] *= 1.4
    rested = resting(grin)
    assert regions.opening(rested, *LIPS) < 0.3 * regions.opening(grin, *LIPS)
    width = np.linalg.norm(rested[61] - rested[291])
    assert width < 0.95 * np.linalg.norm(grin[61] - grin[291])
    assert rested[regions.OVAL[:8]] == pytest.approx(grin[regions.OVAL[:8]])


def test_a_face_at_rest_is_left_as_it_is():
    neutral = _at_rest()
    assert regions.opening(neutral, *LIPS) < 0.03
    assert resting(neutral) == pytest.approx(neutral, abs=0.06)


def test_most_of_a_smiles_lift_is_taken_back_and_a_relaxed_mouth_kept():
    neutral = _at_rest()
    smile = neutral.copy()
    smile[[61, 76, 62, 78, 291, 306, 292, 308], 1] -= 0.6

    def lift(shape):
        return float(shape[[13, 14], 1].mean() - shape[[61, 291], 1].mean())

    assert lift(smile) > 0.3
    assert lift(resting(smile)) < 0.4 * lift(smile)
    assert resting(neutral)[[61, 291]] == pytest.approx(neutral[[61, 291]], abs=0.01)
    # The nose and the eyes stay.
    assert resting(smile)[[1, 33, 263, 168]] == pytest.approx(smile[[1, 33, 263, 168]], abs=0.02)
