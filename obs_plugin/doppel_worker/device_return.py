"""A device that had no memory for a while is tried again, beside the frames, less and less often."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

import cv2
from doppel_models.errors import ModelsError
from doppel_models.sentences import told_by

from doppel_worker.errors import WorkerError

_logger = logging.getLogger(__name__)

FIRST_SECONDS: Final = 30.0
"""Until the first try: a game that is being started is done with it then."""
_MOST_SECONDS: Final = 600.0
_REFUSALS: Final = (WorkerError, ModelsError, MemoryError, OSError, RuntimeError, cv2.error)
"""What want of memory (why the device was given up) and drivers raise. Each is tried again; an error that
leaves a thread is a mistake in the program, and ends the worker."""


class DeviceReturn:
    """Tries until it succeeds, on a thread of its own, which does not keep the process alive."""

    def __init__(self, name: str, attempt: Callable[[], bool], first_seconds: float = FIRST_SECONDS) -> None:
        """Start to wait.

        Args:
            name: of the device.
            attempt: True when it is in use again. May take seconds.
            first_seconds: until the first try; each further one waits twice as long, up to ten minutes.
        """
        self._attempt, self._name = attempt, name
        self._pause = min(first_seconds, _MOST_SECONDS)
        threading.Thread(target=self._run, name=f"return-{name}", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(self._pause)
            self._pause = min(2 * self._pause, _MOST_SECONDS)
            try:
                if self._attempt():
                    return
            except _REFUSALS as error:
                why = told_by(error) or type(error).__name__
                _logger.warning("%s could not be tried: %s", self._name, why, exc_info=True)
            _logger.info("%s cannot be used yet; next try in %.0f s", self._name, self._pause)
