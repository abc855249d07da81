"""The sync offset that keeps sound and delayed picture together: a state machine without OBS in it.

Three facts shape it (measured on OBS 29.0.2, and in the source up to 32):

- OBS ignores the first change of an audio source's sync offset from 0 and follows the second, so every
  change goes in two steps, at least one audio packet apart;
- OBS saves the offset with the scene collection while ours is in it. So what is the user's own is written
  beside it (:class:`Record`, in the audio source's private settings, which OBS saves together with the
  offset): after a crash ours is not added twice, and the user's own comes back when no filter delays the
  source any more;
- the user may edit the offset while ours is in it. What was edited then counts as the user's.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Iterable

STEP_GAP_NS = 150_000_000
"""Time between the two steps; an audio packet is 21 ms, a media file's up to 100 ms."""
NUDGE_NS = 1_000_000
"""Distance of the first step from the second."""
TOLERANCE_NS = 500_000
"""Offsets nearer than this are the same: OBS keeps nanoseconds but edits milliseconds."""


@dataclasses.dataclass(frozen=True)
class Record:
    """What is remembered of an audio source whose offset holds ours."""

    user_ns: int
    """The user's own offset."""
    totals_ns: tuple[int, ...]
    """Offsets with ours in them that OBS may have saved: the last one, the step between, the new one."""

    def to_json(self) -> str:
        """Text for OBS's settings."""
        return json.dumps({"user_ns": self.user_ns, "totals_ns": list(self.totals_ns)})

    @classmethod
    def from_json(cls, text: str) -> Record | None:
        """Reads :meth:`to_json`; None for anything else."""
        try:
            data = json.loads(text)
            return cls(int(data["user_ns"]), tuple(int(total) for total in data["totals_ns"]))
        except (ValueError, KeyError, TypeError):
            return None


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
        known = record is not None and any(_same(current_ns, total) for total in record.totals_ns)
        self.user_ns = record.user_ns if known and record is not None else current_ns
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
        if not _same(current_ns, self._total_ns):
            self._user_edited(current_ns)
        if self._step_ns is not None:
            if now_ns - self._step_ns < STEP_GAP_NS:
                return Action()
            self._step_ns = None
            self._total_ns = self._goal_ns
            done = _same(self._goal_ns, self.user_ns)
            self._recorded = not done
            return Action(self._goal_ns, erase_record=done)
        goal = self.user_ns + wanted_ns
        if _same(goal, self._total_ns):
            if wanted_ns == 0 and self._recorded:
                self._recorded = False
                return Action(erase_record=True)
            return Action()
        # The step between must not be 0, or the second change would be ignored too.
        first = goal + NUDGE_NS if _same(goal, NUDGE_NS) else goal - NUDGE_NS
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


def _same(a_ns: int, b_ns: int) -> bool:
    return abs(a_ns - b_ns) < TOLERANCE_NS


def largest(wanted_ns: Iterable[int]) -> int:
    """What several filters on one audio source want together: the largest delay; 0 for none."""
    return max(wanted_ns, default=0)
