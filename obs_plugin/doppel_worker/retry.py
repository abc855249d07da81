"""When that which has failed is tried again: each time after a longer pause."""

from __future__ import annotations

import dataclasses

from doppel_models.sentences import told_by

_FIRST_S, _MOST_S = 2.0, 64.0


def pause_s(failures: int) -> float:
    """Seconds from a failure to the next try.

    Args:
        failures: in a row, before that one.
    """
    return min(_FIRST_S * (1 << min(failures, 10)), _MOST_S)


@dataclasses.dataclass(slots=True)
class Failures:
    """In a row, of something that is tried again for as long as it is wanted."""

    count: int = 0
    why: str = ""
    """The last one's."""
    last: float = 0.0
    """When that was; seconds, by the clock of whoever tries."""

    def add(self, error: BaseException, now: float) -> None:
        """One more."""
        self.count, self.why, self.last = self.count + 1, told_by(error) or type(error).__name__, now

    def is_due(self, now: float) -> bool:
        """Whether it is time for the next try; always, while nothing has failed."""
        return not self.count or now - self.last > pause_s(self.count - 1)
