from __future__ import annotations

import itertools

from doppel_obs.delay import GROW_WINDOW_NS, MARGIN_NS, SHRINK_WINDOW_NS, DelayController
from hypothesis import given
from hypothesis import strategies as st

MS = 1_000_000
TICK_NS = 50 * MS


def run(
    controller: DelayController, turnaround_ns: int, interval_ns: int, start_ns: int, seconds: float
) -> list[int]:
    """D after each look, with the frames that a source of that interval gives in between."""
    chosen, frames_due = [], 0.0
    for now_ns in range(start_ns, start_ns + int(seconds * 1e9), TICK_NS):
        frames_due += TICK_NS / interval_ns
        chosen.append(controller.update(now_ns, [turnaround_ns] * int(frames_due), interval_ns))
        frames_due -= int(frames_due)
    return chosen


@given(st.integers(1, 150), st.sampled_from([16_666_667, 33_333_333, 40_000_000]))
def test_a_steady_worker_gets_the_smallest_delay_that_fits_and_keeps_it(
    turnaround_ms: int, interval: int
) -> None:
    most = 9
    controller = DelayController(most)
    chosen = run(controller, turnaround_ms * MS, interval, 0, 40)

    fits = -(-(turnaround_ms * MS + MARGIN_NS) // interval)
    settled = chosen[-1]
    assert min(fits, most) <= settled <= min(fits + 1, most), "one more only within the hysteresis"
    assert set(chosen[len(chosen) // 2 + 200 :]) == {settled}


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 400 * MS), max_size=30), st.sampled_from([0, 16_666_667, 33_333_333])
        ),
        max_size=200,
    ),
    st.integers(-2, 9),
)
def test_the_delay_moves_by_one_frame_at_a_time_and_not_often(
    looks: list[tuple[list[int], int]], most: int
) -> None:
    controller = DelayController(most)
    previous, changes = controller.frames, []
    for look, (turnarounds, interval) in enumerate(looks):
        delay = controller.update(look * TICK_NS, turnarounds, interval)
        assert 1 <= delay <= max(1, most)
        assert abs(delay - previous) <= 1
        if delay != previous:
            changes.append(look * TICK_NS)
        previous = delay

    assert all(later - earlier >= GROW_WINDOW_NS for earlier, later in itertools.pairwise(changes))


def test_a_worker_that_becomes_slower_is_followed_within_two_seconds() -> None:
    controller = DelayController(9)
    run(controller, 20 * MS, 33_333_333, 0, 20)
    assert controller.frames == 1

    run(controller, 50 * MS, 33_333_333, 20_000_000_000, 2)
    assert controller.frames == 2


def test_a_single_late_frame_does_not_move_the_delay() -> None:
    controller = DelayController(9)
    run(controller, 20 * MS, 33_333_333, 0, 20)
    controller.update(20_000_000_000, [300 * MS], 33_333_333)

    assert set(run(controller, 20 * MS, 33_333_333, 20_050_000_000, 10)) == {1}


def test_the_delay_shrinks_only_after_a_long_good_time() -> None:
    controller = DelayController(9, start=3)
    chosen = run(controller, 20 * MS, 33_333_333, 0, 30)

    first_change = next(i for i, delay in enumerate(chosen) if delay != 3) * TICK_NS
    assert first_change >= SHRINK_WINDOW_NS
    assert chosen[-1] == 1


def test_another_frame_rate_starts_the_measurement_anew() -> None:
    controller = DelayController(9)
    run(controller, 20 * MS, 33_333_333, 0, 20)
    assert controller.frames == 1

    run(controller, 20 * MS, 16_666_667, 20_000_000_000, 3)
    assert controller.frames == 2
