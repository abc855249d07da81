"""What OBS does wrong at its end without us."""

from __future__ import annotations

import dataclasses
import re

from installer.obs_result import ObsResult

OBS_32_LEAKS = 4
_LEFT = "Not all sources were cleared when clearing scene data"
_CRASH = -11


def without_own_faults(result: ObsResult) -> ObsResult:
    """The same without the faults that OBS 32 has by itself; OBS 29 and 30 are held to none.

    Where a scene collection names a filter whose script is not loaded yet, 4 of 6 starts and ends of OBS
    32.2.2 without any script left 3 or 4 allocations, and 0 of 10 without such a filter. Where scenes have
    changed much it may end while one is still there, says so, and ends in signal 11: after the neighbours'
    test in 1 of 6 runs without Doppel, in 3 of 7 with it.
    """
    found = re.search(r"^.*\bOBS (\d+)\.", result.log, re.MULTILINE)
    if found is None or int(found[1]) < 32:
        return result
    if result.exit_code == _CRASH and _LEFT in result.log:
        return dataclasses.replace(result, exit_code=0, memory_leaks=0)
    if result.memory_leaks is not None and result.memory_leaks <= OBS_32_LEAKS:
        return dataclasses.replace(result, memory_leaks=0)
    return result
