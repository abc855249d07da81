"""Edits of the user's scene collections: the script put in, and everything of Doppel taken out again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from installer.errors import InstallerError
from installer.ipc import sound_record
from installer.scene import FILTER_ID, SYNC_FILTER_ID

SCRIPTS = "scripts-tool"
_OUR_FILTERS = frozenset({FILTER_ID, SYNC_FILTER_ID})
_LISTS = ("sources", "groups")
_AUDIO_DEVICE = re.compile(r"(?:Desktop|Aux)AudioDevice[0-9]+")
"""Desktop audio and the microphones of OBS's settings: sources that stand beside the list of the others."""
_OUR_HOTKEY = re.compile(r"doppel_(?:swap|next_face|previous_face|hold_original)\..*", re.DOTALL)
"""OBS keeps the filters' hotkeys with their source, set or not."""


def read_collection(path: Path) -> dict[str, Any]:
    """A scene collection's object.

    Raises:
        InstallerError: the file cannot be read or is no scene collection.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InstallerError(
            f"the scene collection {path} cannot be read", str(error), "open it in OBS once"
        ) from error
    if not isinstance(data, dict):
        raise InstallerError(f"{path} is no scene collection", "it holds no JSON object", "move it elsewhere")
    return data


def collection_text(data: dict[str, Any]) -> str:
    """A scene collection as OBS writes it."""
    return json.dumps(data, indent=4, ensure_ascii=False) + "\n"


def scripts_of(data: dict[str, Any]) -> list[str]:
    """The paths of the collection's scripts."""
    return [str(entry.get("path", "")) for entry in _script_entries(data)]


def with_script(data: dict[str, Any], script: Path) -> dict[str, Any]:
    """The collection with this script in it once; a Doppel at another place is replaced, settings kept."""
    kept = [entry for entry in _script_entries(data) if Path(str(entry.get("path", ""))).name != script.name]
    mine = [entry for entry in _script_entries(data) if Path(str(entry.get("path", ""))).name == script.name]
    settings = mine[0].get("settings", {}) if mine else {}
    return _with_scripts(data, [*kept, {"path": str(script), "settings": settings}])


def without_doppel(data: dict[str, Any], script: Path) -> tuple[dict[str, Any], int]:
    """The collection without the script, Doppel's filters, hotkeys and delays of sound; how many filters."""
    kept = [entry for entry in _script_entries(data) if Path(str(entry.get("path", ""))).name != script.name]
    cleaned = dict(_with_scripts(data, kept))
    count = 0
    for key, value in cleaned.items():
        if key in _LISTS and isinstance(value, list):
            done = [_source_without(source) for source in value]
            cleaned[key] = [source for source, _ in done]
            count += sum(filters for _, filters in done)
        elif _AUDIO_DEVICE.fullmatch(key):
            cleaned[key], filters = _source_without(value)
            count += filters
    return cleaned, count


def _source_without(source: Any) -> tuple[Any, int]:
    """A source without Doppel's filters, hotkeys and delay, and how many of those filters it had."""
    if not isinstance(source, dict):
        return source, 0
    hotkeys = source.get("hotkeys")
    if isinstance(hotkeys, dict) and any(map(_OUR_HOTKEY.fullmatch, hotkeys)):
        others = {name: keys for name, keys in hotkeys.items() if not _OUR_HOTKEY.fullmatch(name)}
        source = {**source, "hotkeys": others}
    filters = source.get("filters")
    if not isinstance(filters, list):
        return _with_own_sound(source), 0
    kept = [item for item in filters if not isinstance(item, dict) or item.get("id") not in _OUR_FILTERS]
    count = len(filters) - len(kept)
    return _with_own_sound({**source, "filters": kept} if count else source), count


def _with_own_sound(source: dict[str, Any]) -> dict[str, Any]:
    """The source with the user's own sync offset: OBS saves ours with the collection when it is closed."""
    private = source.get("private_settings", {})
    text = private.get(sound_record.RECORD_KEY) if isinstance(private, dict) else None
    if text is None:
        return source
    record = sound_record.Record.from_json(str(text))
    sync = source.get("sync", 0)
    own_ns = sound_record.user_offset_ns(sync if isinstance(sync, int) else 0, record)
    kept = {key: value for key, value in private.items() if key != sound_record.RECORD_KEY}
    return {**source, "private_settings": kept, "sync": own_ns}


def _script_entries(data: dict[str, Any]) -> list[dict[str, Any]]:
    modules = data.get("modules")
    entries = modules.get(SCRIPTS) if isinstance(modules, dict) else None
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _with_scripts(data: dict[str, Any], entries: list[dict[str, Any]]) -> dict[str, Any]:
    if entries == _script_entries(data):
        return data
    modules = data.get("modules")
    return {**data, "modules": {**(modules if isinstance(modules, dict) else {}), SCRIPTS: entries}}
