"""A lane's place on a device: a pipeline whose compositor has memory of its own, so that frames can overlap.

While one seat's frame waits for the device, another seat's is prepared; two keep a GPU busy. Lanes that have
one seat between them come one after another.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Final

from doppel_worker.compositor import Compositor
from doppel_worker.pipeline import FacePipeline
from doppel_worker.turns import Turns

_MOST: Final = 2
"""Seats of a device. A third would only make the other two wait longer for their networks."""


class Seat:
    """One place; frames on it are judged one after another."""

    def __init__(self, device_turns: Turns, pipeline: FacePipeline) -> None:
        """``device_turns``: for what all seats of the device share."""
        self.pipeline = pipeline
        self.lanes = 0
        """That have it."""
        self._own, self._device = Turns(), device_turns

    @property
    def compositor(self) -> Compositor:
        """Its own."""
        return self.pipeline.compositor

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Held while a frame is taken and judged; may be entered again."""
        with self._own, self._device:
            yield

    @contextlib.contextmanager
    def released(self) -> Iterator[None]:
        """Whoever has the turn gives it up for this block, and then waits for it anew."""
        with self._device.released(), self._own.released():
            yield


class Seats:
    """The seats of one device. Thread-safe."""

    def __init__(self, first: Seat, another: Callable[[], Seat | None]) -> None:
        """Begin with one.

        Args:
            first: there from the beginning.
            another: makes a further one, which may take a moment; None: it is of no use, or cannot be had.
        """
        self._seats, self._another = [first], another
        self._most = _MOST
        self._lock = threading.Lock()

    @property
    def first(self) -> Seat:
        """For those that are no lane."""
        return self._seats[0]

    def take(self) -> Seat:
        """The seat with the fewest lanes; :meth:`leave` gives it back."""
        with self._lock:
            if len(self._seats) < self._most and all(seat.lanes for seat in self._seats):
                further = self._another()
                if further is None:
                    self._most = len(self._seats)
                else:
                    self._seats.append(further)
            seat = min(self._seats, key=lambda one: one.lanes)
            seat.lanes += 1
            return seat

    def leave(self, seat: Seat) -> None:
        """A lane has gone."""
        with self._lock:
            seat.lanes -= 1
