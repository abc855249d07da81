"""Scene collections in OBS's JSON form, the files ``basic/scenes/*.json``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

SCENE = "Doppel demo"
CAMERA = "Demo camera"
FILTER_NAME = "Face Swap"
FILTER_ID = "doppel_face_swap"
"""Source type of the asynchronous filter, as the script registers it."""
SYNC_FILTER_ID = "doppel_face_swap_sync"
"""Source type of the filter for all other sources."""

_BOUNDS_SCALE_INNER = 2
_ALL_MIXERS = 255


@dataclasses.dataclass(frozen=True)
class Filter:
    """A filter on a source."""

    name: str
    id: str
    settings: dict[str, object] = dataclasses.field(default_factory=dict)
    enabled: bool = True


@dataclasses.dataclass(frozen=True)
class Source:
    """An input source, and its filters in order."""

    name: str
    id: str
    settings: dict[str, object] = dataclasses.field(default_factory=dict)
    filters: Sequence[Filter] = ()
    muted: bool = False


@dataclasses.dataclass(frozen=True)
class Scene:
    """A scene that shows sources, each fitted into the whole canvas, the last one on top."""

    name: str
    sources: Sequence[str]


def media_source(name: str, media: Path, *, loop: bool = True, filters: Sequence[Filter] = ()) -> Source:
    """A media source that plays a local file, from its start whenever it becomes active."""
    settings: dict[str, object] = {
        "is_local_file": True,
        "local_file": str(media),
        "looping": loop,
        "restart_on_activate": True,
        "close_when_inactive": False,
        "hw_decode": False,
    }
    return Source(name, "ffmpeg_source", settings, filters)


def color_source(name: str, width: int, height: int, abgr: int = 0xFF00FF00) -> Source:
    """A plain colour; ``abgr`` as OBS keeps it, alpha in the highest byte."""
    return Source(name, "color_source_v3", {"color": abgr, "width": width, "height": height})


def camera_source(name: str, device: str, *, filters: Sequence[Filter] = ()) -> Source:
    """A webcam of Linux (Video4Linux), unbuffered: a live picture is shown when it comes."""
    return Source(name, "v4l2_input", {"device_id": device, "buffering": False}, filters)


def scene_collection(
    sources: Sequence[Source],
    scenes: Sequence[Scene],
    canvas: tuple[int, int],
    scripts: Sequence[Path] = (),
) -> dict[str, object]:
    """The collection's JSON object; the first scene is the current one.

    Args:
        sources: every source that a scene names.
        scenes: at least one.
        canvas: width and height of OBS's base canvas, pixels.
        scripts: scripts that OBS loads with the collection (before its sources).
    """
    return {
        "current_scene": scenes[0].name,
        "current_program_scene": scenes[0].name,
        "scene_order": [{"name": scene.name} for scene in scenes],
        "sources": [_source_json(source) for source in sources] + [_scene_json(s, canvas) for s in scenes],
        "groups": [],
        "transitions": [],
        "current_transition": "Cut",
        "transition_duration": 0,
        "modules": {"scripts-tool": [{"path": str(path), "settings": {}} for path in scripts]},
    }


def _source_json(source: Source) -> dict[str, object]:
    filters = [
        {
            "id": item.id,
            "versioned_id": item.id,
            "name": item.name,
            "settings": item.settings,
            "enabled": item.enabled,
        }
        for item in source.filters
    ]
    return {
        "id": source.id.rpartition("_v")[0] if source.id.endswith(("_v2", "_v3")) else source.id,
        "versioned_id": source.id,
        "name": source.name,
        "settings": source.settings,
        "mixers": _ALL_MIXERS,
        "muted": source.muted,
        "enabled": True,
        "filters": filters,
    }


def _scene_json(scene: Scene, canvas: tuple[int, int]) -> dict[str, object]:
    items = [
        {
            "name": name,
            "id": number,
            "visible": True,
            "pos": {"x": 0.0, "y": 0.0},
            "scale": {"x": 1.0, "y": 1.0},
            "align": 5,
            "bounds_type": _BOUNDS_SCALE_INNER,
            "bounds_align": 0,
            "bounds": {"x": float(canvas[0]), "y": float(canvas[1])},
        }
        for number, name in enumerate(scene.sources, 1)
    ]
    return {
        "id": "scene",
        "versioned_id": "scene",
        "name": scene.name,
        "settings": {"custom_size": False, "id_counter": len(items), "items": items},
        "mixers": 0,
        "enabled": True,
        "filters": [],
    }
