"""The worker yields to OBS: while OBS draws its own pictures late, fewer frames are swapped."""

from __future__ import annotations

from typing import Callable

from doppel_ipc.messages import ALL_LANES, Message, Throttle

from doppel_obs.libobs import Libobs
from doppel_obs.phrases import Phrase, phrase
from doppel_obs.throttle import Throttle as LagThrottle


class Yielding:
    """Applies :mod:`doppel_obs.throttle` to OBS's figures and the worker.

    Args:
        libobs: libobs's functions.
        send: sends a message to the worker.
        say: takes a sentence for the log and the report.
    """

    def __init__(
        self, libobs: Libobs, send: Callable[[Message], None], say: Callable[[Phrase], None]
    ) -> None:
        self._obs = libobs
        self._send = send
        self._say = say
        self._lag = LagThrottle()

    @property
    def divisor(self) -> int:
        """One of so many frames is swapped."""
        return self._lag.divisor

    def greet(self) -> None:
        """A new worker is there: it learns what the one before it knew."""
        if self._lag.divisor > 1:
            self._send(Throttle(ALL_LANES, self._lag.divisor))

    def look(self, now_ns: int, *, swapping: bool) -> None:
        """One look at OBS's figures; ``swapping``: the worker serves some lane."""
        if not swapping:
            self._lag.pause()
            return
        before = self._lag.divisor
        after = self._lag.update(now_ns, self._obs.obs_get_total_frames(), self._obs.obs_get_lagged_frames())
        if after == before:
            return
        self._send(Throttle(ALL_LANES, after))
        self._say(phrase("worker.slower", frames=after) if after > 1 else phrase("worker.every-frame"))
