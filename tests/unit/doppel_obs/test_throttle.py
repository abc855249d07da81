from __future__ import annotations

from collections.abc import Callable

from doppel_obs.throttle import MOST, Throttle
from hypothesis import given
from hypothesis import strategies as st

TICK_NS = 50_000_000
FRAMES_PER_SECOND = 30


def run(throttle: Throttle, seconds: int, lag: Callable[[int], float], start_s: int = 0) -> list[int]:
    """The divisor once a second; ``lag`` gives the share of late frames at a divisor."""
    total, lagged, seen = start_s * FRAMES_PER_SECOND * 100, 0.0, []
    for tick in range(start_s * 20, (start_s + seconds) * 20):
        total += FRAMES_PER_SECOND / 20
        lagged += FRAMES_PER_SECOND / 20 * lag(throttle.divisor)
        throttle.update(tick * TICK_NS, int(total), int(lagged))
        if tick % 20 == 19:
            seen.append(throttle.divisor)
    return seen


def test_without_lag_the_worker_runs_at_full_rate() -> None:
    assert set(run(Throttle(), 120, lambda divisor: 0.0)) == {1}


def test_lag_that_the_worker_causes_halves_its_rate_for_as_long_as_that_helps() -> None:
    seen = run(Throttle(), 12, lambda divisor: 0.2 if divisor == 1 else 0.0)

    assert seen[0] == 1
    assert seen[-1] == 2


def test_a_halving_that_does_not_lower_the_lag_is_taken_back_and_not_tried_again_for_a_minute() -> None:
    seen = run(Throttle(), 60, lambda divisor: 0.2)

    assert 2 in seen
    assert seen[-1] == 1
    assert seen.count(2) <= 6


def test_one_late_moment_changes_nothing() -> None:
    throttle = Throttle()
    assert set(run(throttle, 2, lambda divisor: 0.5)) == {1}
    assert set(run(throttle, 30, lambda divisor: 0.0, start_s=2)) == {1}


def test_lag_while_no_frame_is_swapped_is_not_blamed_on_the_worker() -> None:
    throttle = Throttle()
    for tick in range(400):
        throttle.pause()
        assert throttle.update(tick * TICK_NS, tick * 2, tick) == 1


def test_after_a_calm_time_the_full_rate_is_tried_again() -> None:
    throttle = Throttle()
    run(throttle, 12, lambda divisor: 0.2 if divisor == 1 else 0.0)
    assert throttle.divisor == 2

    assert run(throttle, 60, lambda divisor: 0.0, start_s=12)[-1] == 1


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 5_000_000_000))))
def test_any_counters_give_a_divisor_in_range(looks: list[tuple[int, int, int]]) -> None:
    throttle, now_ns = Throttle(), 0
    for total, lagged, step_ns in looks:
        now_ns += step_ns
        assert throttle.update(now_ns, total, lagged) in (1, 2, MOST)
