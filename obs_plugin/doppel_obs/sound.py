"""The sync offset that keeps sound and delayed picture together: a state machine without OBS in it.

Three facts shape it (measured on OBS 29.0.2, and in the source up to 32):

- OBS ignores the first change of an audio source's sync offset from 0 and follows the second, so every
  change goes in two steps, at least one audio packet apart;
- OBS saves the offset with the scene collection while ours is in it. So what is the user's own is written
  beside it (:class:`.Record`, in the audio source's private settings, which OBS saves together with the
  offset): after a crash ours is not added twice, and the user's own comes back when no filter delays the
  source any more;
- the user may edit the offset while ours is in it. What was edited then counts as the user's.
"""

from __future__ import annotations

import dataclasses
from typing import Iterable

from doppel_ipc.sound_record import Record, same_offset, user_offset_ns

STEP_GAP_NS = 150_000_000
"""Time between the two steps; an audio packet is 21 ms, a media file's up to 100 ms."""
NUDGE_NS = 1_000_000
"""Distance of the first step from the second."""


@dataclasses.dataclass(frozen=True)
class Action:
    """What to do now; the record first, then the offset."""

    offset_ns: int | None = None
    """Set the sync offset; None: leave it."""
    record: Record | None = None
    """Write this record; None: leave it."""
    erase_record: bool = False
    """The offset is the user's own again: the record goes, after the offset is set."""


class SoundOffset:
    """The offset of one audio source.

    Args:
        current_ns: the source's offset now.
        record: what an earlier run left, if anything.
    """

    def __init__(self, current_ns: int, record: Record | None) -> None:
        self.user_ns = user_offset_ns(current_ns, record)
        self._total_ns = current_ns
        """What the offset is if nobody else touches it."""
        self._goal_ns = current_ns
        self._step_ns: int | None = None
        """When the first of two steps was made; None: no change is under way."""
        self._recorded = record is not None

    def update(self, now_ns: int, current_ns: int, wanted_ns: int) -> Action:
        """One look at the source.

        Args:
            now_ns: monotonic time.
            current_ns: its offset now.
            wanted_ns: how much its sound must be delayed beyond the user's own offset; 0: not at all.
        """
        if not same_offset(current_ns, self._total_ns):
            self._user_edited(current_ns)
        if self._step_ns is not None:
            if now_ns - self._step_ns < STEP_GAP_NS:
                return Action()
            self._step_ns = None
            self._total_ns = self._goal_ns
            done = same_offset(self._goal_ns, self.user_ns)
            self._recorded = not done
            return Action(self._goal_ns, erase_record=done)
        goal = self.user_ns + wanted_ns
        if same_offset(goal, self._total_ns):
            if wanted_ns == 0 and self._recorded:
                self._recorded = False
                return Action(erase_record=True)
            return Action()
        # The step between must not be 0, or the second change would be ignored too.
        first = goal + NUDGE_NS if same_offset(goal, NUDGE_NS) else goal - NUDGE_NS
        record = Record(self.user_ns, (self._total_ns, first, goal))
        self._goal_ns, self._total_ns, self._step_ns, self._recorded = goal, first, now_ns, True
        return Action(first, record)

    def restore(self) -> Action:
        """The user's own offset at once, in one step: nothing of ours will run after this."""
        self._step_ns = None
        self._total_ns = self._goal_ns = self.user_ns
        recorded, self._recorded = self._recorded, False
        return Action(self.user_ns, erase_record=True) if recorded else Action()

    def _user_edited(self, current_ns: int) -> None:
        self.user_ns += current_ns - self._total_ns
        self._goal_ns = self._total_ns = current_ns
        self._step_ns = None


def largest(wanted_ns: Iterable[int]) -> int:
    """What several filters on one audio source want together: the largest delay; 0 for none."""
    return max(wanted_ns, default=0)
