"""What is remembered of an audio source whose sync offset holds Doppel's delay.

The script writes it into the source's private settings, which OBS saves together with the offset; the
installer reads it when it takes Doppel out of a scene collection.
"""

from __future__ import annotations

import dataclasses
import json

RECORD_KEY = "doppel_sync"
"""Its key in the audio source's private settings."""
TOLERANCE_NS = 500_000
"""Offsets nearer than this are the same: OBS keeps nanoseconds but edits milliseconds."""


@dataclasses.dataclass(frozen=True)
class Record:
    """What is remembered."""

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
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None


def user_offset_ns(current_ns: int, record: Record | None) -> int:
    """The user's own offset of a source whose offset is ``current_ns``.

    Where the offset is none of those that the record knows, the user has edited it since, and it is the
    user's.
    """
    known = record is not None and any(same_offset(current_ns, total) for total in record.totals_ns)
    return record.user_ns if known and record is not None else current_ns


def same_offset(one_ns: int, other_ns: int) -> bool:
    """True for offsets that OBS shows as the same."""
    return abs(one_ns - other_ns) < TOLERANCE_NS
