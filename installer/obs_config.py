"""OBS's configuration files, and how they differ from version to version: the one place that knows.

Read from OBS's source at the tags 28 to 32:

- up to 30 every global setting is in ``global.ini``; from 31 on ``global.ini`` holds only ``LastVersion``
  (an older number beside a ``user.ini`` stops OBS at a migration dialog) and the rest is in ``user.ini``;
- obs-websocket reads ``[OBSWebSocket]`` of ``global.ini`` up to 30.1, and a JSON file of its own from 30.2;
- the recording's container is ``RecFormat`` up to 29.0 and ``RecFormat2`` from 29.1.
"""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
from pathlib import Path

from installer.errors import ObsError

NAME = "Doppel"
"""Name of the profile and of the scene collection in a configuration folder that the installer makes."""


@dataclasses.dataclass(frozen=True, order=True)
class ObsVersion:
    """OBS's version number."""

    major: int
    minor: int
    patch: int = 0

    @classmethod
    def parse(cls, text: str) -> ObsVersion:
        """Finds the version in text such as ``OBS Studio - 29.0.2+dfsg-1+b1``.

        Raises:
            ObsError: the text holds no version number.
        """
        found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
        if not found:
            raise ObsError(
                "OBS's version cannot be read", f"it printed {text.strip()!r}", "reinstall OBS Studio"
            )
        return cls(int(found[1]), int(found[2]), int(found[3] or 0))

    @classmethod
    def of_program(cls, obs: str | Path) -> ObsVersion:
        """Asks the program for its version.

        Raises:
            ObsError: the program cannot be run or prints no version.
        """
        try:
            done = subprocess.run(
                [str(obs), "--version"], capture_output=True, text=True, timeout=60, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ObsError(f"{obs} cannot be run", str(error), "install OBS Studio 28 or later") from error
        return cls.parse(done.stdout + done.stderr)

    @property
    def number(self) -> int:
        """The number as libobs compares it, ``MAKE_SEMANTIC_VERSION``."""
        return self.major << 24 | self.minor << 16 | self.patch

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclasses.dataclass(frozen=True)
class ObsOptions:
    """What a configuration folder made by :func:`write_config` asks of OBS."""

    canvas: tuple[int, int] = (640, 360)
    """Width and height of the canvas and of the output, pixels."""
    fps: int = 30
    """Frames a second: 10, 20, 24, 30, 48 or 60 (OBS's list of common values)."""
    recording_dir: Path | None = None
    """Folder of recordings (MKV)."""
    recording_quality: str = "Small"
    """``Small`` (high quality), ``HQ`` (indistinguishable) or ``Lossless`` (huge, AVI with UT Video)."""
    language: str = "en-US"
    """Of OBS's windows and of its scripts."""
    replay_seconds: int = 0
    """Length of the replay buffer; 0: there is none."""
    encoder: str = "x264_lowcpu"
    """Simple output's recording encoder; ``x264_lowcpu`` is x264 with the preset ultrafast."""
    preview: bool = False
    """Draw the preview in OBS's window; costs much with software rendering."""
    websocket_port: int | None = None
    """Port of obs-websocket; None: off."""
    websocket_password: str | None = None
    """Its password; None: it asks for none."""


def global_settings_name(version: ObsVersion) -> str:
    """The file below ``obs-studio/`` that holds the user's global settings, ``[Python]`` among them."""
    return "user.ini" if version.major >= 31 else "global.ini"


def last_version(root: Path) -> ObsVersion | None:
    """The OBS that last used a folder ``obs-studio``; None where none did.

    Every version keeps that in ``global.ini``, also those whose other settings are in ``user.ini``.
    """
    path = root / "global.ini"
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    number = ini_value(text, "General", "LastVersion")
    if number is None or not number.isdigit():
        return None
    value = int(number)
    return ObsVersion(value >> 24, value >> 16 & 0xFF, value & 0xFFFF)


def write_config(
    config_home: Path, version: ObsVersion, options: ObsOptions, collection: dict[str, object]
) -> Path:
    """Writes a whole configuration for OBS, to be used as ``XDG_CONFIG_HOME``.

    Nothing else of the folder is touched, so what the user changed in this OBS's other files stays.

    Args:
        config_home: folder that gets ``obs-studio/``.
        version: the OBS that will read it.
        options: canvas, recording, websocket.
        collection: scene collection in OBS's JSON form, see :mod:`installer.scene`.

    Returns:
        The scene collection's file.
    """
    root = config_home / "obs-studio"
    scenes = root / "basic" / "scenes"
    profile = root / "basic" / "profiles" / NAME
    for folder in (scenes, profile):
        folder.mkdir(parents=True, exist_ok=True)
    _write_global(root, version, options)
    _write_ini(profile / "basic.ini", _profile_sections(version, options))
    path = scenes / f"{NAME}.json"
    path.write_text(json.dumps({**collection, "name": NAME}, indent=1), encoding="utf-8")
    return path


def ini_value(text: str, section: str, key: str) -> str | None:
    """The value of a key in an OBS .ini file's text; None where it is not set."""
    current = ""
    for line in text.lstrip("\ufeff").splitlines():
        name, equals, value = line.partition("=")
        if line.strip().startswith("[") and line.strip().endswith("]"):
            current = line.strip()[1:-1]
        elif equals and current == section and name.strip() == key:
            return value.strip()
    return None


def set_ini_value(text: str, section: str, key: str, value: str | None) -> str:
    """The text with one key set (None: removed) and every other line as it was."""
    lines = text.splitlines()
    header = f"[{section}]"
    start = next((i for i, line in enumerate(lines) if line.lstrip("\ufeff").strip() == header), None)
    if start is None:
        if value is None:
            return text
        lines += ([""] if lines else []) + [header, f"{key}={value}"]
        return "\n".join(lines) + "\n"
    end = next((i for i in range(start + 1, len(lines)) if lines[i].strip().startswith("[")), len(lines))
    body = [line for line in lines[start + 1 : end] if line.partition("=")[0].strip() != key]
    added = [] if value is None else [f"{key}={value}"]
    return "\n".join([*lines[: start + 1], *added, *body, *lines[end:]]) + "\n"


def write_whole(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    temporary = path.with_name(path.name + ".doppel-tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _write_global(root: Path, version: ObsVersion, options: ObsOptions) -> None:
    user: dict[str, dict[str, object]] = {
        "General": {
            "FirstRun": True,
            "ConfirmOnExit": False,
            "EnableAutoUpdates": False,
            "MaxLogs": 3,
            "Language": options.language,
            "ProcessPriority": "Normal",
        },
        "Basic": {
            "Profile": NAME,
            "ProfileDir": NAME,
            "SceneCollection": NAME,
            "SceneCollectionFile": NAME,
            "ConfigOnNewProfile": False,
        },
        "BasicWindow": {
            "PreviewEnabled": options.preview,
            "SysTrayEnabled": False,
            "WarnBeforeStoppingRecord": False,
        },
    }
    websocket: dict[str, object] = {
        "ServerEnabled": options.websocket_port is not None,
        "ServerPort": options.websocket_port or 4455,
        "AuthRequired": options.websocket_password is not None,
        "ServerPassword": options.websocket_password or "",
        "AlertsEnabled": False,
    }
    if version >= ObsVersion(30, 2):
        folder = root / "plugin_config" / "obs-websocket"
        folder.mkdir(parents=True, exist_ok=True)
        # ServerEnabled -> server_enabled, and so on.
        values = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower(): value for key, value in websocket.items()}
        write_whole(folder / "config.json", json.dumps({"first_load": False, **values}))
    else:
        user["OBSWebSocket"] = {"FirstLoad": False, **websocket}
    if version.major >= 31:
        _write_ini(root / "global.ini", {"General": {"LastVersion": version.number}})
    else:
        user["General"]["LastVersion"] = version.number
    _write_ini(root / global_settings_name(version), user)


def _profile_sections(version: ObsVersion, options: ObsOptions) -> dict[str, dict[str, object]]:
    width, height = options.canvas
    recording = str(options.recording_dir or Path.home())
    simple: dict[str, object] = {
        "FilePath": recording,
        "RecFormat2" if version >= ObsVersion(29, 1) else "RecFormat": "mkv",
        "RecQuality": options.recording_quality,
        "RecEncoder": options.encoder,
        "StreamEncoder": "x264",
    }
    if options.replay_seconds:
        simple |= {"RecRB": True, "RecRBTime": options.replay_seconds}
    return {
        "General": {"Name": NAME},
        "Output": {"Mode": "Simple"},
        "SimpleOutput": simple,
        "Video": {
            "BaseCX": width,
            "BaseCY": height,
            "OutputCX": width,
            "OutputCY": height,
            "FPSType": 0,
            "FPSCommon": options.fps,
        },
    }


def _write_ini(path: Path, sections: dict[str, dict[str, object]]) -> None:
    """Merges the sections into the file."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    for section, values in sections.items():
        for key, value in values.items():
            text = set_ini_value(
                text, section, key, str(value).lower() if isinstance(value, bool) else str(value)
            )
    write_whole(path, text)
