from __future__ import annotations

from doppel_obs.restarts import FIRST_NS, LONGEST_NS, USEFUL_NS, Backoff
from hypothesis import given
from hypothesis import strategies as st


def test_the_first_start_does_not_wait() -> None:
    assert Backoff().may_start(0)


def test_a_worker_that_was_of_use_is_started_again_at_once() -> None:
    backoff = Backoff()
    for failure in range(5):
        backoff.ended(failure, served_ns=0)
    now_ns = 10 * LONGEST_NS
    backoff.ended(now_ns, served_ns=USEFUL_NS)

    assert backoff.may_start(now_ns)


def test_a_single_failure_is_no_reason_to_wait() -> None:
    backoff = Backoff()
    backoff.ended(5, served_ns=0)

    assert backoff.may_start(5)


@given(st.integers(2, 60))
def test_useless_workers_are_started_ever_more_rarely_but_not_given_up(failures: int) -> None:
    backoff, now_ns, waits = Backoff(), 0, []
    for _ in range(failures):
        backoff.ended(now_ns, served_ns=0)
        waits.append(next(w for w in range(0, LONGEST_NS + 1, FIRST_NS) if backoff.may_start(now_ns + w)))
        now_ns += waits[-1]

    assert waits == sorted(waits)
    assert waits[:2] == [0, FIRST_NS]
    assert waits[-1] <= LONGEST_NS
