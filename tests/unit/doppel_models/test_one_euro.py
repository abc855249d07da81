from __future__ import annotations

import numpy as np
from doppel_models.one_euro import OneEuroFilter
from doppel_models.types import FloatArray

FRAME = 1 / 30
FACE = 200.0


def run(filter_: OneEuroFilter, sequence: FloatArray) -> FloatArray:
    return np.stack([filter_(points, FRAME, FACE) for points in sequence])


def still_points(frames: int, noise: float) -> FloatArray:
    rng = np.random.default_rng(0)
    base = rng.uniform(100, 500, (40, 3))
    return (base + rng.normal(0, noise, (frames, 40, 3))).astype(np.float32)


def jitter(sequence: FloatArray) -> float:
    return float(np.diff(sequence, axis=0).std())


def test_the_first_points_and_those_after_a_reset_pass_unchanged() -> None:
    filter_ = OneEuroFilter()
    first, second = still_points(2, 30)
    assert np.array_equal(filter_(first, FRAME, FACE), first)
    filter_.reset()
    assert np.array_equal(filter_(second, FRAME, FACE), second)


def test_points_that_stand_still_tremble_much_less() -> None:
    noisy = still_points(90, 0.3)
    assert jitter(run(OneEuroFilter(), noisy)[10:]) < 0.4 * jitter(noisy[10:])


def test_a_lower_cutoff_smooths_more() -> None:
    noisy = still_points(90, 0.3)
    assert jitter(run(OneEuroFilter(0.4), noisy)[10:]) < 0.7 * jitter(run(OneEuroFilter(4.0), noisy)[10:])


def test_a_fast_move_lags_by_a_few_hundredths_of_the_face() -> None:
    start = still_points(1, 0)[0]
    speed = 1.5 * FACE * FRAME
    ramp = np.stack([start + np.float32([speed * n, 0, 0]) for n in range(40)])
    lag = np.abs(run(OneEuroFilter(), ramp) - ramp)[-1].max()
    assert 0 < lag < 0.03 * FACE


def test_the_result_does_not_depend_on_where_or_how_large_the_face_is() -> None:
    noisy = still_points(30, 0.3)
    plain = run(OneEuroFilter(), noisy)
    moved = run(OneEuroFilter(), noisy + 1000)
    filter_ = OneEuroFilter()
    larger = np.stack([filter_(points * 4, FRAME, FACE * 4) for points in noisy])
    assert np.abs(moved - 1000 - plain).max() < 1e-3
    assert np.abs(larger / 4 - plain).max() < 1e-3


def test_one_point_that_moves_does_not_loosen_the_others() -> None:
    noisy = still_points(60, 0.3)
    shaken = noisy.copy()
    shaken[:, 0] += 50 * np.sin(np.arange(60))[:, None]
    assert np.array_equal(run(OneEuroFilter(), shaken)[:, 1:], run(OneEuroFilter(), noisy)[:, 1:])
