"""How a run of OBS ended, and what its log says of it."""

from __future__ import annotations

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class ObsResult:
    """How an OBS ended. Counts are None where OBS's log does not give them."""

    exit_code: int
    """Exit status; negative: the signal that ended it, -9 where it had to be killed."""
    log: str
    memory_leaks: int | None
    drawn_frames: int | None
    """Frames of the output that were drawn, of the last recording or stream."""
    lagged_frames: int | None
    """Frames of the output that came late from rendering, of the last recording or stream."""
    skipped_frames: int | None
    """Frames that the encoder did not keep up with, since OBS started."""

    @classmethod
    def from_log(cls, exit_code: int, log: str) -> ObsResult:
        """What an OBS that ended with ``exit_code`` wrote into its log."""
        return cls(
            exit_code=exit_code,
            log=log,
            memory_leaks=_last_number(r"Number of memory leaks: (\d+)", log),
            drawn_frames=_last_number(r"Total drawn frames: (\d+)", log),
            lagged_frames=_zero_if(
                log, _last_number(r"lagged frames due to rendering lag/stalls: (\d+)", log)
            ),
            skipped_frames=_zero_if(log, _last_number(r"skipped frames due to encoding lag: (\d+)", log)),
        )


def _last_number(pattern: str, text: str) -> int | None:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else None


def _zero_if(log: str, count: int | None) -> int | None:
    """OBS leaves out the lines of counts that are zero; an output that ended proves that it counted."""
    return 0 if count is None and "Total drawn frames:" in log else count
