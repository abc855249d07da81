from __future__ import annotations

import pytest
from doppel_worker.timing import Rate, RollingTimes
from hypothesis import given
from hypothesis import strategies as st

values = st.lists(st.floats(0, 1e6), min_size=1, max_size=60)


@given(values=values, window=st.integers(1, 20), percent=st.integers(1, 100))
def test_percentiles_are_of_the_last_values(values: list[float], window: int, percent: int) -> None:
    times = RollingTimes(window)
    for value in values:
        times.add(value)
    last = sorted(values[-window:])
    found = times.percentile(percent)
    assert len(times) == len(last)
    assert found in last
    # Nearest rank: so many values are not above it, and it is the smallest such value.
    assert sum(value <= found for value in last) >= percent / 100 * len(last)
    assert sum(value < found for value in last) < percent / 100 * len(last)


def test_without_values_there_is_no_time() -> None:
    assert RollingTimes().percentile(50) == 0


def test_a_rate_counts_the_last_seconds() -> None:
    rate = Rate(seconds=2)
    for step in range(300):
        rate.count(step / 30)
    assert rate.per_second(299 / 30) == pytest.approx(30, rel=0.02)
    assert rate.per_second(299 / 30 + 1) == pytest.approx(15, rel=0.05)
    assert rate.per_second(299 / 30 + 3) == 0


def test_one_event_is_no_rate() -> None:
    rate = Rate()
    rate.count(5)
    assert rate.per_second(5) == 0
