"""Whether a figure grows is told from its noise."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.trend import Trend

TIMES = np.arange(200.0)


def test_a_straight_line_has_its_slope_and_no_error() -> None:
    trend = Trend.of(list(TIMES), list(3 + 0.25 * TIMES))
    assert trend.slope == pytest.approx(0.25)
    assert trend.error == pytest.approx(0, abs=1e-9)
    assert trend.level == pytest.approx(3 + 0.25 * 199)
    assert trend.rises(least=0.2)
    assert not trend.rises(least=0.3)


def test_the_error_is_the_spread_of_slopes_that_noise_makes() -> None:
    random = np.random.default_rng(1)
    trends = [Trend.of(list(TIMES), list(random.normal(0, 5, 200))) for _ in range(300)]
    spread = float(np.std([trend.slope for trend in trends]))
    assert np.median([trend.error for trend in trends]) == pytest.approx(spread, rel=0.2)
    assert sum(trend.rises() for trend in trends) <= 3


def test_what_wanders_is_not_called_growth_by_its_many_samples() -> None:
    random = np.random.default_rng(2)

    def wandering() -> list[float]:
        values = [0.0]
        for kick in random.normal(0, 1, 199):
            values.append(0.8 * values[-1] + kick)
        return values

    trends = [Trend.of(list(TIMES), wandering()) for _ in range(300)]
    spread = float(np.std([trend.slope for trend in trends]))
    assert np.median([trend.error for trend in trends]) == pytest.approx(spread, rel=0.3)


def test_growth_beneath_noise_is_found() -> None:
    noise = np.random.default_rng(3).normal(0, 5, 200)
    assert Trend.of(list(TIMES), list(noise + 0.1 * TIMES)).rises()


def test_three_samples_tell_no_trend() -> None:
    with pytest.raises(ValueError, match="3 samples"):
        Trend.of([0, 1, 2], [1, 2, 3])
