from __future__ import annotations

import itertools
import threading
import time

import pytest
from doppel_worker.turns import Turns


def until(what: object, deadline_s: float = 60.0) -> None:
    end = time.monotonic() + deadline_s
    while not what():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_threads_get_their_turn_in_the_order_in_which_they_asked() -> None:
    turns, order = Turns(), []

    def ask(name: int) -> None:
        with turns:
            order.append(name)

    with turns:
        threads = []
        for name in range(6):
            threads.append(threading.Thread(target=ask, args=(name,)))
            threads[-1].start()
            until(lambda name=name: turns.waiting == name + 1)
        assert order == []
    for thread in threads:
        thread.join(60)
    assert order == list(range(6))


def test_one_that_asks_at_once_again_waits_for_the_others() -> None:
    """A greedy lane and a patient one: between two turns of the first comes one of the second."""
    turns, order, stop = Turns(), [], threading.Event()

    def lane(name: str) -> None:
        while not stop.is_set():
            with turns:
                order.append(name)
                # Until the other one waits too, or the end.
                end = time.monotonic() + 5
                while not turns.waiting and not stop.is_set() and time.monotonic() < end:
                    time.sleep(0.0005)
                if len(order) >= 40:
                    stop.set()

    threads = [threading.Thread(target=lane, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    middle = order[2:40]
    assert all(one != other for one, other in itertools.pairwise(middle)), order


def test_the_holder_may_enter_again_and_an_error_hands_the_turn_on() -> None:
    turns, reached = Turns(), threading.Event()

    def other() -> None:
        with turns:
            reached.set()

    thread = threading.Thread(target=other)

    def fails() -> None:
        with turns, turns:
            thread.start()
            until(lambda: turns.waiting == 1)
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fails()
    thread.join(60)
    assert reached.is_set()
    with turns:
        assert turns.waiting == 0


def test_who_gives_the_turn_up_for_a_while_gets_it_back_as_deep_as_before() -> None:
    turns, order = Turns(), []

    def other() -> None:
        with turns:
            order.append("other")

    thread = threading.Thread(target=other)
    with turns, turns:
        thread.start()
        until(lambda: turns.waiting == 1)
        assert order == []
        with turns.released():
            thread.join(60)
            assert order == ["other"]
        last = threading.Thread(target=other)
        last.start()
        until(lambda: turns.waiting == 1)
    last.join(60)
    assert order == ["other", "other"]


def test_giving_up_a_turn_that_another_has_changes_nothing() -> None:
    turns, has, may_go = Turns(), threading.Event(), threading.Event()

    def other() -> None:
        with turns:
            has.set()
            assert may_go.wait(60)

    thread = threading.Thread(target=other)
    thread.start()
    assert has.wait(60)
    with turns.released():
        pass
    assert thread.is_alive()
    may_go.set()
    thread.join(60)
