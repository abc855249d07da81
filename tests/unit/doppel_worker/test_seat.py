"""Seats: how many, whose, and what lanes that share one wait for."""

from __future__ import annotations

import threading

from doppel_worker.assets import PersonaLoader
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.pipeline import FacePipeline
from doppel_worker.seat import Seat, Seats
from doppel_worker.turns import Turns

from tests.support.networks import detector, landmarker


def seat(turns: Turns) -> Seat:
    loader = PersonaLoader(lambda _key: None)  # type: ignore[arg-type, return-value]
    return Seat(turns, FacePipeline(CpuCompositor(), detector(), landmarker(), loader))


def test_the_second_lane_gets_a_seat_of_its_own_and_further_ones_share() -> None:
    turns, made = Turns(), []

    def another() -> Seat:
        made.append(seat(turns))
        return made[-1]

    seats = Seats(seat(turns), another)
    first = seats.take()
    assert first is seats.first
    assert not made, "one lane needs one"
    second, third, fourth = seats.take(), seats.take(), seats.take()
    assert [second] == made
    assert {third, fourth} == {first, second}
    seats.leave(second)
    seats.leave(fourth if fourth is second else third)
    assert seats.take() is second, "where the fewest are"
    assert len(made) == 1


def test_where_a_seat_cannot_be_had_it_is_not_tried_for_every_lane() -> None:
    tries = []
    seats = Seats(seat(Turns()), lambda: tries.append(1))  # type: ignore[arg-type, func-returns-value]
    assert {seats.take() for _ in range(4)} == {seats.first}
    assert len(tries) == 1


def test_a_lane_that_waits_lets_the_other_seat_work_and_not_the_other_lane_of_its_own() -> None:
    turns = Turns()
    mine, other = seat(turns), seat(turns)
    reached = {mine: threading.Event(), other: threading.Event()}

    def lane(where: Seat) -> None:
        with where.turn():
            reached[where].set()

    threads = [threading.Thread(target=lane, args=(where,)) for where in (mine, other)]
    with mine.turn():
        for thread in threads:
            thread.start()
        with turns.released():  # as while it waits for the device
            assert reached[other].wait(60)
            assert not reached[mine].wait(0.05)
        assert not reached[mine].is_set()
    for thread in threads:
        thread.join(60)
    assert reached[mine].is_set()


def test_a_lane_that_leaves_a_seat_for_a_while_gives_up_all_of_it() -> None:
    turns = Turns()
    mine, reached = seat(turns), threading.Event()

    def lane() -> None:
        with mine.turn():
            reached.set()

    thread = threading.Thread(target=lane)
    with mine.turn(), mine.turn():
        thread.start()
        with mine.released():
            assert reached.wait(60)
        thread.join(60)
        assert turns.waiting == 0
