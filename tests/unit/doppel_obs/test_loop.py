from __future__ import annotations

import threading
import time
from collections.abc import Callable

from doppel_obs.loop import ControlLoop


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Bench:
    """Loops on one seat, and in which order they did what."""

    def __init__(self) -> None:
        self.seat = threading.Lock()
        self.done: list[str] = []
        self.said: list[str] = []

    def loop(self, name: str, look: Callable[[], None] | None = None) -> ControlLoop:
        def note(what: str) -> None:
            if self.done[-1:] != [f"{name} {what}"]:
                self.done.append(f"{name} {what}")

        return ControlLoop(
            self.seat,
            look or (lambda: note("looks")),
            lambda: note("clears up"),
            self.said.append,
            0.001,
        )


def test_a_loop_looks_until_it_is_stopped_and_clears_up_last() -> None:
    bench = Bench()
    loop = bench.loop("one")
    loop.start()
    until(lambda: bench.done != [])

    assert loop.stop()
    assert bench.done == ["one looks", "one clears up"]
    assert not bench.seat.locked()


def test_a_loop_that_is_stuck_keeps_the_next_one_from_the_gate_until_it_has_cleared_up() -> None:
    bench = Bench()
    stuck, go_on = threading.Event(), threading.Event()

    def look() -> None:
        stuck.set()
        go_on.wait(20)
        bench.done.append("one comes back")

    one, two = bench.loop("one", look), bench.loop("two")
    one.start()
    assert stuck.wait(60)
    assert not one.stop(0.05)
    two.start()
    until(lambda: any("waits for the one before it" in text for text in bench.said))
    assert bench.done == []

    go_on.set()
    until(lambda: "two looks" in bench.done)
    assert two.stop()
    assert bench.done == ["one comes back", "one clears up", "two looks", "two clears up"]


def test_a_loop_that_never_had_the_seat_clears_nothing_up() -> None:
    bench = Bench()
    with bench.seat:
        loop = bench.loop("one")
        loop.start()
        assert loop.stop()
    assert bench.done == []


def test_an_error_is_logged_once_and_the_loop_goes_on() -> None:
    bench = Bench()
    looks: list[int] = []

    def look() -> None:
        looks.append(1)
        raise ValueError("this look fails")

    loop = bench.loop("one", look)
    loop.start()
    until(lambda: len(looks) > 5)
    loop.stop()

    assert sum("this look fails" in text for text in bench.said) == 1
    assert bench.done == ["one clears up"]
