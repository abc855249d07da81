"""``installer install`` and ``uninstall``: Doppel in the user's own OBS."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from installer.collections_edit import collection_text, read_collection, with_script, without_doppel
from installer.environment import VENV
from installer.errors import InstallerError
from installer.layout import MADE, PROJECT, SCRIPT, user_cache_dir, user_data_dir
from installer.obs_config import set_ini_value, write_whole
from installer.obs_user import (
    PYTHON_KEY,
    PYTHON_SECTION,
    UserObs,
    choose_python_folder,
    newest_python_minor,
    obs_runs,
    python_folders,
    python_minor_in,
    user_configurations,
)
from installer.own_files import DELETE, asked_to_keep, own_data, own_in_project
from installer.prepare import prepare_environment, prepare_script
from installer.progress import Progress

BACKUPS = MADE / "backups"
RECORD = MADE / "installed.json"
"""What ``install`` changed outside the project, for ``uninstall``."""


def install(progress: Progress, device: str = "auto") -> dict[str, Any]:
    """Adds the script to every scene collection of the user; does nothing twice.

    Raises:
        InstallerError: OBS runs or was never started, or a step failed; nothing is half changed.
    """
    configurations = _closed_configurations()
    usable = [item for item in configurations if item.collections]
    if not usable:
        raise InstallerError(
            "OBS has no scene collection yet",
            "it was never started by this user" if not configurations else "its folder holds none",
            "start OBS once, close it, and run the same command again",
        )
    environment = prepare_environment(progress, device=device)
    prepare_script(environment, progress)
    changed: list[str] = []
    for configuration in usable:
        if configuration.kind != "native":
            progress.say(f"{configuration.root} belongs to a {configuration.kind} of OBS: {_SANDBOX}")
        changed += add_script(configuration, SCRIPT, BACKUPS, progress)
        if sys.platform in ("win32", "darwin"):
            _set_python(configuration, progress)
    names = ", ".join(Path(path).stem for path in changed)
    progress.say(f"added to the scene collections: {names}" if changed else "it was installed already")
    progress.say("in OBS: right-click the webcam, Filters, +, Face Swap")
    return {"ok": True, "problems": [], "changed": changed}


def add_script(configuration: UserObs, script: Path, backups: Path, progress: Progress) -> list[str]:
    """Adds the script to each scene collection that lacks it, after a backup of the file.

    Every collection is read before the first is written, so a broken one stops it with nothing changed.

    Returns:
        The files that were changed.

    Raises:
        InstallerError: a scene collection cannot be read.
    """
    read = {path: read_collection(path) for path in configuration.collections}
    edited = {path: with_script(data, script) for path, data in read.items()}
    changed = [path for path in read if edited[path] != read[path]]
    for path in changed:
        progress.say(f"backup of {path.name} in {_back_up(path, backups)}")
        write_whole(path, collection_text(edited[path]))
    return [str(path) for path in changed]


def remove_script(configuration: UserObs, script: Path, progress: Progress) -> list[str]:
    """Takes the script and Doppel's filters out of each scene collection, and out of OBS's own copies.

    Returns:
        The files that were changed.

    Raises:
        InstallerError: a scene collection cannot be read.
    """
    files = configuration.collections + configuration.collection_copies
    read = {path: read_collection(path) for path in files}
    changed = []
    for path, data in read.items():
        cleaned, filters = without_doppel(data, script)
        if cleaned != data:
            progress.say(f"{path.name}: script taken out, and its filters: {filters}")
            write_whole(path, collection_text(cleaned))
            changed.append(str(path))
    return changed


def uninstall(progress: Progress, *, keep_personas: bool | None = None) -> dict[str, Any]:
    """Takes Doppel out of the user's OBS and removes everything that was made.

    Args:
        progress: told what happens.
        keep_personas: leave the user's personas and models where they are; None: ask, where somebody can be
            asked, and else leave them.

    Returns:
        The report; ``kept`` are the user's own things that are still there.

    Raises:
        InstallerError: OBS runs, or a scene collection cannot be read.
    """
    changed: list[str] = []
    closed = _closed_configurations()
    if keep_personas is None:
        keep_personas = asked_to_keep(user_data_dir(), progress)
    for configuration in closed:
        changed += remove_script(configuration, SCRIPT, progress)
        _restore_python(configuration)
    removed = []
    warnings = []
    # The faces first: whatever cannot be removed, they do not stay.
    cache = user_cache_dir()
    for folder in [*([] if keep_personas else [user_data_dir()]), MADE, PROJECT / VENV, cache]:
        if not folder.is_dir():
            continue
        progress.say(f"removing {folder}")
        try:
            shutil.rmtree(folder)
        except OSError as error:
            if folder != cache:
                raise
            # Root folders of other versions of OBS may lie there, made with sudo.
            warnings.append(f"{folder} could not be removed whole: {error}; remove it as root (sudo rm -r)")
        else:
            removed.append(str(folder))
    for folder in _bytecode_folders():
        shutil.rmtree(folder, ignore_errors=True)
    kept = _say_what_stays(progress, done=bool(changed or removed))
    return {
        "ok": True,
        "problems": [],
        "warnings": warnings,
        "changed": changed,
        "removed": removed,
        "kept": kept,
    }


def _say_what_stays(progress: Progress, *, done: bool) -> list[str]:
    """The closing words: nobody may delete the folder with recordings of theirs in it. Returns what stays."""
    data, inside = user_data_dir(), own_in_project(PROJECT)
    stays = own_data(data)
    if stays:
        progress.say(f"your {' and '.join(stays)} stay in {data}; `{DELETE}` deletes them")
    end = "done" if done else "nothing to remove"
    if inside:
        names = ", ".join(inside)
        progress.say(f"{end}; not Doppel's, and still in this folder: {names}; keep what you need of it")
    progress.say(f"{end}; this folder can be deleted" if not inside else "then this folder can be deleted")
    return [*([str(data)] if stays else []), *(str(PROJECT / name) for name in inside)]


def _bytecode_folders() -> list[Path]:
    """What OBS's and the worker's interpreters left beside the project's modules."""
    parts = ("installer", "models", "obs_plugin", "shared")
    return [folder for part in parts for folder in (PROJECT / part).rglob("__pycache__")]


def _closed_configurations() -> list[UserObs]:
    configurations = user_configurations(dict(os.environ))
    for configuration in configurations:
        if obs_runs(configuration):
            raise InstallerError(
                "OBS runs",
                "it would overwrite its settings when it ends",
                "close OBS and run the same command again",
            )
    return configurations


def _back_up(path: Path, backups: Path) -> Path:
    folder = backups / time.strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / path.name
    shutil.copy2(path, copy)
    return copy


def _set_python(configuration: UserObs, progress: Progress) -> None:
    """Points OBS at a Python that it can load, unless it is set to one."""
    version = configuration.version
    if version is None:
        progress.say("OBS was never started: set its Python under Tools > Scripts > Python Settings")
        return
    limit = newest_python_minor(version)
    current = configuration.python_path
    minor = python_minor_in(Path(current)) if current else None
    if minor is not None and minor <= limit:
        return
    folder = choose_python_folder(python_folders(dict(os.environ)), version)
    if folder is None:
        raise InstallerError(
            f"OBS {version} needs a Python 3.8 to 3.{limit} for its scripts",
            "none was found in the usual folders",
            f"install Python 3.{limit} (64 bit) from python.org and run the same command again",
        )
    path = configuration.global_settings
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.is_file() else {}
    record.setdefault(str(path), current)
    write_whole(RECORD, json.dumps(record))
    text = path.read_text(encoding="utf-8-sig") if path.is_file() else ""
    write_whole(path, set_ini_value(text, PYTHON_SECTION, PYTHON_KEY, folder.as_posix()))
    progress.say(f"OBS's Python is {folder}")


def _restore_python(configuration: UserObs) -> None:
    path = configuration.global_settings
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.is_file() else {}
    if str(path) in record and path.is_file():
        text = path.read_text(encoding="utf-8-sig")
        write_whole(path, set_ini_value(text, PYTHON_SECTION, PYTHON_KEY, record[str(path)]))


_SANDBOX = "its sandbox must be able to reach this folder, and a snap cannot start the worker"
