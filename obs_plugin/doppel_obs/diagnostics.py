"""What somebody who helps a user needs to know, as a text. No pictures, and no name of the user in paths."""

from __future__ import annotations

import dataclasses
import json
import platform
import sys
from pathlib import Path
from typing import Mapping, Sequence

from doppel_ipc.messages import PROTOCOL_VERSION, Choices, Status
from doppel_ipc.paths import InstallConfig
from doppel_ipc.settings import FilterSettings

FILE_NAME = "diagnostics.txt"
LOG_LINES = 60
LOGS = ("worker.log", "worker-stderr.log")
_PRIVATE = ("slate_image", "label_text", "sound_source")
"""Settings that hold the user's own words or paths."""


@dataclasses.dataclass(frozen=True)
class Facts:
    """The worker, at one moment."""

    status: Status | None
    starts: int
    restarts: int
    choices: Choices


def report(
    config: InstallConfig,
    obs_version: tuple[int, int, int],
    facts: Facts,
    filters: Sequence[tuple[str, FilterSettings]],
    home: Path,
) -> str:
    """The text.

    Args:
        config: where the parts lie.
        obs_version: of the running OBS.
        facts: the worker.
        filters: status line (in English) and settings of each filter.
        home: the user's folder, which becomes ``~``.
    """
    lines = [
        "Doppel diagnostics",
        f"OBS {'.'.join(map(str, obs_version))}, {platform.platform()}, Python {sys.version.split()[0]}",
        f"protocol {PROTOCOL_VERSION}, project {config.project}",
        f"worker's Python {config.python} ({_there(config.python)})",
        f"native library {config.native_library} ({_there(config.native_library)})",
        f"faces {config.persona_dir} ({_there(config.persona_dir)})",
        f"worker: {facts.starts} starts, {facts.restarts} after an end by itself",
        f"worker says: {'nothing yet' if facts.status is None else dataclasses.asdict(facts.status)}",
        *(f"device: {dataclasses.asdict(one)}" for one in facts.choices.devices),
        *(f"model: {one.role}" for one in facts.choices.models),
    ]
    for number, (status, settings) in enumerate(filters, 1):
        lines += [f"filter {number}: {line}" for line in status.splitlines()]
        lines.append(f"filter {number} differs from the defaults in: {json.dumps(_changed(settings))}")
    for name in LOGS:
        path = config.log_dir / name
        lines += ["", f"end of {path}:", *_tail(path)]
    text = "\n".join(lines) + "\n"
    if len(home.parts) > 1:
        for written in (str(home).replace("\\", "\\\\"), str(home), home.as_posix()):
            text = text.replace(written, "~")
    return text


def _changed(settings: FilterSettings) -> Mapping[str, object]:
    default = FilterSettings().to_json()
    return {
        key: "(set)" if key in _PRIVATE else value
        for key, value in settings.to_json().items()
        if value != default[key]
    }


def _there(path: Path) -> str:
    return "there" if path.exists() else "MISSING"


def _tail(path: Path) -> Sequence[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
    except OSError as error:
        return [f"(cannot be read: {error.strerror or error})"]
