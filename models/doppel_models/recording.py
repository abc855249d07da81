"""Recording a network's launches on a GPU (a CUDA graph): what must not happen beside it.

While CUDA records what one thread launches, memory that another thread of the process allocates on the device
spoils the recording, and is refused itself ("cudaMalloc ... prohibited during capture"; CUDA's programming
guide, "Prohibited and Unhandled Operations"). So networks are loaded under :meth:`RecordingGate.loading`, and
recorded only while none is. Nor may another thread run a network on the same stream, or begin to wait for it:
that it does under :meth:`RecordingGate.waiting`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from typing import Any


@dataclasses.dataclass(slots=True)
class Bound:
    """A network's inputs and outputs at one place in memory."""

    binding: Any
    options: Any
    """Of a run as usual."""
    recorded: Any | None
    """Of a run that is recorded, or played back; None: addresses change."""
    runs: int = 0
    """Of these."""


class RecordingGate:
    """Keeps what allocates memory apart from what is being recorded. Thread-safe; one for a device."""

    def __init__(self) -> None:
        """Nothing is loaded or recorded."""
        self._changed = threading.Condition()
        self._loading = self._waiting = 0
        self._recording = False

    @contextlib.contextmanager
    def loading(self) -> Iterator[None]:
        """While memory may be allocated. Waits for a recording to end, which takes one frame."""
        with self._changed:
            self._changed.wait_for(lambda: not self._recording)
            self._loading += 1
        try:
            yield
        finally:
            with self._changed:
                self._loading -= 1

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """While a thread waits for what it has put on the device, and others may put more there."""
        with self._changed:
            self._changed.wait_for(lambda: not self._recording)
            self._waiting += 1
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def recording(self) -> Iterator[bool]:
        """While a network is recorded; False: not now, something is being loaded.

        Waits for those only that wait for the device, and so for no longer than the device works.
        """
        with self._changed:
            may = self._loading == 0 and not self._recording
            if may:
                self._recording = True
                self._changed.wait_for(lambda: self._waiting == 0)
        try:
            yield may
        finally:
            if may:
                with self._changed:
                    self._recording = False
                    self._changed.notify_all()
