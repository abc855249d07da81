"""The parts of ``doppel_ipc`` that the installer shares with the script; standard library only, too."""

from __future__ import annotations

import sys

from installer.layout import PROJECT

if str(PROJECT / "shared") not in sys.path:
    # Appended, and only the folder that holds uniquely named packages: nothing can be shadowed.
    sys.path.append(str(PROJECT / "shared"))

from doppel_ipc import errors, paths, sound_record

__all__ = ["errors", "paths", "sound_record"]
