"""Whether the newest frame of a source that has stopped would be judged differently by now."""

from __future__ import annotations

UNSETTLED_S = 3.0
"""For so long what is being loaded is looked for whenever it is asked, then less often."""
UNSETTLED_POLL_S = 2.0


class SecondLook:
    """Of one lane. Times are those of a monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._judged_with: tuple[int, object] | None = None
        self._unsettled_since: float | None = None
        self._not_before = 0.0

    def note(self, now: float, serial: int, processor: object, *, settled: bool) -> None:
        """A frame was judged.

        Args:
            now: the time.
            serial: of the settings in use.
            processor: what judged it; another one may judge differently.
            settled: False where something is still being loaded.
        """
        if self._judged_with is None or self._judged_with[0] != serial:
            self._unsettled_since = None
        self._judged_with = (serial, processor)
        if settled:
            self._unsettled_since = None
        elif self._unsettled_since is None:
            self._unsettled_since = now

    def is_due(self, now: float, serial: int, processor: object) -> bool:
        """No frame has come since. True, once for each reason, if the last one should come again."""
        if self._judged_with is None:
            return False
        if self._judged_with != (serial, processor):
            self._judged_with, self._unsettled_since = (serial, processor), None
            return True
        if self._unsettled_since is None or now < self._not_before:
            return False
        patient = now - self._unsettled_since > UNSETTLED_S
        self._not_before = now + (UNSETTLED_POLL_S if patient else 0.0)
        return True
