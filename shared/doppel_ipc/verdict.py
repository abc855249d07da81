"""What the worker judged about one frame: the numbers of ``enum doppel_verdict`` in ``native/ring.h``."""

from __future__ import annotations

import enum


class Verdict(enum.IntEnum):
    """The gate takes any other number as :attr:`COVERED`."""

    NONE = 0
    """Not judged; never written by a worker."""
    SWAPPED = 1
    """Every judged face is swapped, and nothing is blurred."""
    BLURRED = 2
    """A face region is blurred."""
    NO_FACE = 3
    """No face, and none lately: the frame is as it was."""
    ORIGINAL = 4
    """The user chose to show the original for this case."""
    COVERED = 5
    """The gate must show the cover, whatever the slot holds."""
