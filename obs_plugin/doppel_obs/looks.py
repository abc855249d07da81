"""Saved looks: named sets of the settings of the page's group Look, one file each in the user's data folder.

A look holds nothing else, whatever a file says: it can neither switch the disclosure label off nor change
what is covered. Models it names as Doppel keeps them, never by a path.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path

from doppel_ipc.errors import SettingError
from doppel_ipc.settings import FilterSettings, Value, check_value
from doppel_ipc.small_file import read_small

from doppel_obs.errors import LookError
from doppel_obs.page_layout import LOOK_KEYS

VERSION = 1
MOST_BYTES = 64 * 1024
MOST_LOOKS = 500
LONGEST_NAME = 80


class LookStore:
    """The looks of one folder.

    Args:
        folder: where they lie; it is made when the first one is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """All that can be read, by name."""
        found = []
        try:
            paths = sorted(self.folder.glob("*.json"))[:MOST_LOOKS]
        except OSError:
            paths = []
        for path in paths:
            with contextlib.suppress(LookError):
                _, name = _read(path)
                # One that was copied under another file's name could be neither applied nor deleted.
                if path == self._path(name) and _is_text(name):
                    found.append(name)
        return sorted(found, key=str.casefold)

    def save(self, name: str, settings: FilterSettings) -> str:
        """Keeps the look of some settings under a name, in place of another of that name; returns the name.

        Raises:
            LookError: the name is empty, or the folder cannot be written.
        """
        name = " ".join(name.split())[:LONGEST_NAME]
        if not name:
            raise LookError("it needs a name")
        values = {key: value for key, value in settings.to_json().items() if key in LOOK_KEYS}
        text = json.dumps({"version": VERSION, "name": name, "look": values}, ensure_ascii=False, indent=1)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=str(self.folder), suffix=".new")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text + "\n")
                Path(temporary).replace(self._path(name))
            except OSError:
                Path(temporary).unlink()
                raise
        except OSError as error:
            raise LookError(f"{self.folder} cannot be written: {error.strerror or error}") from error
        return name

    def load(self, name: str) -> dict[str, Value]:
        """The values of a look; those that this version does not know are left out.

        Raises:
            LookError: there is none of that name, or it is damaged.
        """
        look = _read(self._path(name))[0]["look"]
        if not isinstance(look, dict):
            raise LookError(f"the look {name!r} is damaged")
        values: dict[str, Value] = {}
        for key, value in look.items():
            if key in LOOK_KEYS and not (isinstance(value, str) and ("/" in value or "\\" in value)):
                with contextlib.suppress(SettingError):
                    values[key] = check_value(key, value)
        return values

    def remove(self, name: str) -> None:
        """Deletes a look.

        Raises:
            LookError: there is none of that name, or it cannot be deleted.
        """
        try:
            self._path(name).unlink()
        except OSError as error:
            raise LookError(f"{self._path(name)}: {error.strerror or error}") from error

    def _path(self, name: str) -> Path:
        """No name of the user's becomes a path."""
        return self.folder / f"{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:20]}.json"


def _is_text(name: str) -> bool:
    """False: half a surrogate pair, which no page can show."""
    return name.encode("utf-8", "replace").decode() == name


def _read(path: Path) -> tuple[dict[str, object], str]:
    """What a look's file holds, and the name in it."""
    try:
        data = json.loads(read_small(path, MOST_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise LookError(f"{path} cannot be read: {error}") from error
    if not isinstance(data, dict) or data.get("version") != VERSION or not {"name", "look"} <= set(data):
        raise LookError(f"{path} is no look of version {VERSION}")
    name = data["name"]
    # The diagnostics do not look for longer ones (doppel_ipc/diagnostics.py): they would show them.
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        raise LookError(f"{path} has no name of at most {LONGEST_NAME} characters")
    return data, name
