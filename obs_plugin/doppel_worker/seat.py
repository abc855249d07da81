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
        self.closed = ""
        """Why lanes go to another one; empty: they do not."""
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
        self._lock, self._making = threading.Lock(), threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def first(self) -> Seat:
        """For those that are no lane."""
        return self._seats[0]

    @property
    def note(self) -> str:
        """What slows the frames of any of them down; empty: nothing."""
        return next((note for seat in list(self._seats) if (note := seat.compositor.note)), "")

    def prepare(self) -> None:
        """Have a further seat made beside the frames, on a thread of its own, if the next lane needs one."""
        if self._is_short() and self.is_prepared:
            self._thread = threading.Thread(target=self._add, name="seat", daemon=True)
            self._thread.start()

    @property
    def is_prepared(self) -> bool:
        """False while one is being made that :meth:`prepare` began."""
        return self._thread is None or not self._thread.is_alive()

    def take(self) -> Seat:
        """The seat with the fewest lanes; :meth:`leave` gives it back. The second lane's is made now."""
        self._add()
        with self._lock:
            seat = min(self._seats, key=lambda one: one.lanes)
            seat.lanes += 1
            return seat

    def leave(self, seat: Seat) -> None:
        """A lane has gone."""
        with self._lock:
            seat.lanes -= 1

    def close(self, seat: Seat, why: str) -> bool:
        """Do without a seat on which frames fail; False: it is the first one, so the device fails."""
        with self._lock:
            if seat is self.first:
                return False
            if not seat.closed:
                seat.closed = why
                self._seats.remove(seat)
                self._most = len(self._seats)
            return True

    def _is_short(self) -> bool:
        with self._lock:
            return len(self._seats) < self._most and all(seat.lanes for seat in self._seats)

    def _add(self) -> None:
        with self._making:  # whoever leaves meanwhile does not wait for it
            if not self._is_short():
                return
            further = self._another()
            with self._lock:
                if further is None:
                    self._most = len(self._seats)
                else:
                    self._seats.append(further)
