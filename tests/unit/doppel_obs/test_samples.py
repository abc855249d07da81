from __future__ import annotations

from doppel_obs.samples import Window, percentile
from hypothesis import given
from hypothesis import strategies as st


def test_no_values_have_no_percentile() -> None:
    assert percentile([], 95) is None


@given(st.lists(st.floats(0, 1e9), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_smallest_value_that_enough_values_do_not_exceed(
    values: list[float], percent: int
) -> None:
    found = percentile(values, percent)

    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    smaller = [value for value in values if value < found]
    assert not smaller or sum(v <= max(smaller) for v in values) * 100 < percent * len(values)


def test_a_window_forgets_what_is_older_than_its_length() -> None:
    window = Window(100)
    for time_ns in (0, 50, 90, 140):
        window.add(time_ns, float(time_ns))

    assert list(window.values(149)) == [50.0, 90.0, 140.0]
    assert list(window.values(150)) == [90.0, 140.0]
    assert list(window.values(150, length_ns=20)) == [140.0]
    assert list(window.values(1000)) == []
