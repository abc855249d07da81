"""Does OBS draw on a graphics card, or on the processor?

Without a card Mesa draws on the processor, and libobs's conversion of every YUV frame to RGB is by far the
most of that work: for a 720p source at 30 frames a second OBS took 138 % of a core with it, and 51 % without.
The worker converts in a few hundredths of that, so there a lane's pictures are wanted as RGB.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Mapping

RGB_ENV = "DOPPEL_RGB"
"""``0``: never as RGB; ``1``: always. For tests, and for whoever sees other colours."""

_TASKS = Path("/proc/self/task")
_RASTERIZER = "llvmpipe-"
"""Mesa names the threads that draw so (src/gallium/drivers/llvmpipe/lp_rast.c)."""


def wants_rgb(environ: Mapping[str, str] = os.environ) -> bool:
    """Are pictures wanted as RGB? :data:`RGB_ENV` decides, else :func:`draws_on_the_processor`."""
    word = environ.get(RGB_ENV)
    return word == "1" if word in ("0", "1") else draws_on_the_processor()


def draws_on_the_processor(tasks: Path = _TASKS) -> bool:
    """True where this process has threads of Mesa's software rasterizer. False where that cannot be known.

    Args:
        tasks: Linux's list of this process's threads, by number.
    """
    return any(_name_of(task).startswith(_RASTERIZER) for task in tasks.glob("*/comm"))


def _name_of(task: Path) -> str:
    try:
        return task.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # the thread has ended meanwhile
