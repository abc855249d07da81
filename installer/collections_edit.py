"""Edits of the user's scene collections: the script put in, and everything of Doppel taken out again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from installer.errors import InstallerError
from installer.ipc import sound_record
from installer.scene import FILTER_ID, SYNC_FILTER_ID

SCRIPTS = "scripts-tool"
_OUR_FILTERS = frozenset({FILTER_ID, SYNC_FILTER_ID})


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
    """The collection without the script, Doppel's filters and delays of sound; how many filters it had."""
    kept = [entry for entry in _script_entries(data) if Path(str(entry.get("path", ""))).name != script.name]
    count = 0
    sources = []
    for source in data.get("sources", []):
        filters = source.get("filters", [])
        others = [item for item in filters if item.get("id") not in _OUR_FILTERS]
        count += len(filters) - len(others)
        kept_source = {**source, "filters": others} if len(others) != len(filters) else source
        sources.append(_with_own_sound(kept_source))
    cleaned = _with_scripts(data, kept)
    return ({**cleaned, "sources": sources} if "sources" in data else cleaned), count


def _with_own_sound(source: dict[str, Any]) -> dict[str, Any]:
    """The source with the user's own sync offset: OBS saves ours with the collection when it is closed."""
    private = source.get("private_settings", {})
    text = private.get(sound_record.RECORD_KEY) if isinstance(private, dict) else None
    if text is None:
        return source
    record = sound_record.Record.from_json(str(text))
    own_ns = sound_record.user_offset_ns(int(source.get("sync", 0)), record)
    kept = {key: value for key, value in private.items() if key != sound_record.RECORD_KEY}
    return {**source, "private_settings": kept, "sync": own_ns}


def _script_entries(data: dict[str, Any]) -> list[dict[str, Any]]:
    entries = data.get("modules", {}).get(SCRIPTS, [])
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _with_scripts(data: dict[str, Any], entries: list[dict[str, Any]]) -> dict[str, Any]:
    if entries == _script_entries(data):
        return data
    return {**data, "modules": {**data.get("modules", {}), SCRIPTS: entries}}
