from __future__ import annotations

from doppel_obs.restarts import FIRST_NS, LONGEST_NS, USEFUL_NS, WORKED_NS, Backoff
from hypothesis import given
from hypothesis import strategies as st


def waits_of(backoff: Backoff, failures: int, *, judged: bool, served_ns: int = 0) -> list[int]:
    """How long the next start waits after each of so many failures in a row."""
    now_ns, waits = 0, []
    for _ in range(failures):
        backoff.ended(now_ns, served_ns, judged=judged)
        waits.append(next(w for w in range(0, LONGEST_NS + 1, FIRST_NS) if backoff.may_start(now_ns + w)))
        now_ns += waits[-1]
    return waits


def test_the_first_start_does_not_wait() -> None:
    assert Backoff().may_start(0)


def test_a_single_failure_is_no_reason_to_wait() -> None:
    assert waits_of(Backoff(), 2, judged=False) == [0, FIRST_NS]


def test_what_failed_before_a_worker_that_was_of_use_is_forgotten() -> None:
    backoff = Backoff()
    waits_of(backoff, 8, judged=False)

    assert waits_of(backoff, 1, judged=True, served_ns=USEFUL_NS) == [0]


def test_workers_that_are_killed_while_they_serve_are_replaced_at_once() -> None:
    assert set(waits_of(Backoff(), 50, judged=True, served_ns=USEFUL_NS)) == {0}
    assert set(waits_of(Backoff(), 10, judged=True, served_ns=USEFUL_NS // 4)) == {0}


def test_workers_that_end_after_a_frame_for_ever_are_started_more_rarely_in_the_end() -> None:
    assert waits_of(Backoff(), 60, judged=True)[-1] > 0


@given(st.integers(2, 60))
def test_useless_workers_are_started_ever_more_rarely_but_not_given_up(failures: int) -> None:
    waits = waits_of(Backoff(), failures, judged=False)

    assert waits == sorted(waits)
    assert waits[-1] <= LONGEST_NS


def test_one_that_is_killed_before_it_could_say_that_it_works_is_no_failure() -> None:
    assert set(waits_of(Backoff(), 10, judged=False, served_ns=WORKED_NS)) == {0}
    assert waits_of(Backoff(), 10, judged=False, served_ns=WORKED_NS - 1)[-1] > 0
