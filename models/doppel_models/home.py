"""Where the user's personas and models live."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

HOME_ENV = "DOPPEL_HOME"
"""Environment variable that names another data folder, for tests and portable installations."""


def data_folder() -> Path:
    """``$DOPPEL_HOME``, else the platform's data folder of Doppel; it need not exist."""
    home = os.environ.get(HOME_ENV)
    return Path(home) if home else Path(platformdirs.user_data_dir("doppel", appauthor=False))
