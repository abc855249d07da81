"""Does OBS draw on a graphics card, or on the processor?

Without a card Mesa draws on the processor, where libobs's conversion shader for YUV frames takes about a
third of OBS's processor time (docs/figures.md). The worker converts in a tenth of that, so there a lane's
pictures are wanted as RGB.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Mapping

RGB_ENV = "DOPPEL_RGB"
"""``0``: never; ``1``: always. For tests, and for who sees other colours or has llvmpipe without threads."""
FIRST_OBS = 29 << 24
"""``obs_get_version``. OBS 28 shapes a source's textures before the filters have had the frame."""

_TASKS = Path("/proc/self/task")
_RASTERIZER = "llvmpipe-"
"""Mesa names the threads that draw so (src/gallium/drivers/llvmpipe/lp_rast.c)."""


def wants_rgb(obs_version: int, environ: Mapping[str, str] = os.environ) -> bool:
    """Are pictures wanted as RGB? :data:`RGB_ENV` decides, else :func:`draws_on_the_processor`.

    Args:
        obs_version: of ``obs_get_version``; never before :data:`FIRST_OBS`.
        environ: OBS's environment.
    """
    if obs_version < FIRST_OBS:
        return False
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
