"""Whose memory a frame lies in: the shared segment behind its planes."""

from __future__ import annotations

import ctypes
import dataclasses
import mmap

import numpy as np

from doppel_worker.frame import FrameView


@dataclasses.dataclass(frozen=True, slots=True)
class FrameMemory:
    """A block of this process's memory that holds many frames, one after another."""

    address: int
    size: int


def memory_of(frame: FrameView) -> FrameMemory | None:
    """The shared segment that a frame lies in; None where its planes are memory of their own.

    Plain numbers: nothing here keeps the segment from being closed.
    """
    holder: object = frame.planes[0]
    while True:
        if isinstance(holder, np.ndarray):
            holder = holder.base
        elif isinstance(holder, memoryview):
            holder = holder.obj
        elif isinstance(holder, mmap.mmap):
            first = ctypes.c_char.from_buffer(holder)
            return FrameMemory(ctypes.addressof(first), len(holder))
        else:
            return None
