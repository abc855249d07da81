"""What OBS's side says: to OBS's own log, and into Doppel's (:mod:`doppel_ipc.log_file`)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Callable, Mapping

from doppel_ipc.log_file import LogFile, wanted_level

from doppel_obs.libobs import LOG_ERROR, LOG_INFO, LOG_WARNING

_LEVELS = {LOG_ERROR: logging.ERROR, LOG_WARNING: logging.WARNING, LOG_INFO: logging.INFO}


class Log:
    """Both logs; any thread.

    Args:
        folder: of Doppel's log.
        to_obs: takes a level of libobs and a text for OBS's log.
        environ: the process's environment.
    """

    def __init__(
        self, folder: Path, to_obs: Callable[[int, str], None], environ: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.level = wanted_level(environ)
        self.to_obs = to_obs
        self._file = LogFile(folder, lambda text: to_obs(LOG_WARNING, text))
        # All scripts of OBS share the registry of loggers.
        self._logger = logging.Logger("doppel_obs", self.level.upper())  # noqa: LOG001 - known to nobody else
        self._logger.addHandler(self._file)

    def say(self, level: int, text: str, kept: str | None = None) -> None:
        """One text for both logs; ``level`` is libobs's. ``kept``: what Doppel's has instead."""
        self.to_obs(level, text)
        self.note(text if kept is None else kept, _LEVELS[level])

    def note(self, text: str, level: int = logging.INFO) -> None:
        """One text for Doppel's log alone; ``level`` is Python's."""
        self._logger.log(level, "%s", text)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
