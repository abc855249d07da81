"""What somebody who helps a user needs to know, without what is private.

Used by the filter's page in OBS ("Copy diagnostics") and by ``doppel diagnostics``.

Private are pictures, which are never taken; paths, but those of the project and the system; the names of the
user and the computer; addresses (of the network, of pages and streams, with the keys in them, and of people);
the names of faces, models, looks, sources and filters; and texts of the user's own.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import platform
import re
import sys
import unicodedata
from pathlib import Path
from typing import Collection, Iterable, Sequence

from doppel_ipc.log_file import BACKUPS, LOG_NAME
from doppel_ipc.messages import PROTOCOL_VERSION
from doppel_ipc.paths import InstallConfig
from doppel_ipc.settings import FIELDS, FilterSettings
from doppel_ipc.small_file import read_small

_AGREED = ("consent", "licence", "acceptance")
"""Parts of records that say who has agreed to what."""
_MOST_RECORD_BYTES, _LONGEST_NAME = 64 * 1024, 200
"""Of faces, models and looks: those with longer ones cannot be used."""
_FACE = "persona"
"""How settings end that name a face."""
BUILT_IN_FACES = ("porcelain", "bronze", "jade")
"""Faces that are nobody's."""
_HIDDEN_PATH, _HIDDEN_FILE, _HIDDEN_ADDRESS = "(a path)", "(a file)", "(an address)"
_PROJECT, _LOGS, _HOME = "(project)", "(logs)", "~"
_SYSTEM = (
    "/usr/",
    "/lib/",
    "/lib32/",
    "/lib64/",
    "/bin/",
    "/opt/",
    "/etc/",
    "/proc/",
    "/sys/",
    "/dev/",
    "/snap/",
    "/app/",
)
_SYSTEM_WINDOWS = ("program files", "windows")
_FILES = "jpe?g|png|webp|bmp|gif|tiff?|heic|avif|onnx|dfm|json|mp4|mkv|mov|webm|avi|m4v|flv"
_MEDIA_PATH = re.compile(
    rf"(?:(?<![\w)~.:/\\-])|~|\b[A-Za-z]:)[\\/](?:[^\n'\"]{{0,1024}}?)\.(?:{_FILES})\b", re.IGNORECASE
)
"""Of 1024 characters at most: a line full of beginnings without an end must not take minutes."""
_QUOTED_PATH = re.compile(r"""(?P<quote>['"])(?:~|[A-Za-z]:)?[\\/][^\n'"]*(?P=quote)""")
_PATH = re.compile(
    r"(?:(?<![\w)~.:/\\-])|~|\b[A-Za-z]:)[\\/][^\s'\"<>|]*"
    r"(?:(?: [^\s'\"<>|/\\:;,()~]{1,60}){1,3}[\\/][^\s'\"<>|]*)*[^\s'\"<>|.,;:)\]]"
)
"""Up to three spaces in a folder's name are part of a path, where a further slash follows."""
_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://[^\s'\"<>|]*[^\s'\"<>|.,;:)\]]"  # of a page or a stream, its key included
    r"|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"  # of a person
    # Of a computer or its network card, but 127.0.0.1 and the like; versions stand behind "==".
    r"|(?<![\w.=])(?!127\.|0\.)(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.])"
    r"|(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}(?![\w:])"
    r"|(?<![\w:])(?:[0-9a-f]{1,4}:){1,7}(?::[0-9a-f]{1,4}){1,7}(?![\w:])",
    re.IGNORECASE,
)
_BARE_FILE = re.compile(
    r"(?<![\w/\\.~-])[^\s\"/\\:;<>|][^\n\"/\\:;<>|]{0,250}?\."
    r"(?:jpe?g|png|webp|bmp|gif|tiff?|heic|avif|dfm|mp4|mkv|mov|webm|avi|m4v|flv)\b",
    re.IGNORECASE,
)
"""A picture's name (250 characters at most) without its folder, with what stands before it: nobody can tell
where a name begins that has spaces in it."""


def changed_settings(settings: FilterSettings) -> dict[str, object]:
    """What differs from the defaults; the user's words, faces and paths are only said to be set."""
    default = FilterSettings().to_json()
    return {
        key: "(set)" if isinstance(value, str) and value and _is_own_word(key, value) else value
        for key, value in settings.to_json().items()
        if value != default[key]
    }


def faces_in(settings: FilterSettings) -> Sequence[str]:
    """The user's own faces that a filter's settings name; they may have been removed since."""
    return [
        str(value) for key, value in settings.to_json().items() if value and _is_own_face(key, str(value))
    ]


def _is_own_face(key: str, value: str) -> bool:
    return key.endswith(_FACE) and value not in BUILT_IN_FACES


def _is_own_word(key: str, value: str) -> bool:
    limits = FIELDS[key].metadata
    if key.endswith(_FACE):
        return _is_own_face(key, value)
    return value not in limits["choices"] and not limits["device"]


class Veil:
    """Takes out of texts what is private.

    Args:
        config: where the parts lie.
        home: the user's folder.
        names: what else must not be read: of faces, sources, filters.
        user: the user's name; None: as the system says.
        host: the computer's name; None: as the system says.
    """

    def __init__(
        self,
        config: InstallConfig,
        home: Path,
        names: Iterable[str],
        user: str | None = None,
        host: str | None = None,
    ) -> None:
        folders = [(config.project, _PROJECT), (config.log_dir, _LOGS)]
        if len(home.parts) > 1:
            folders.append((home, _HOME))
        written = {
            spelled: short
            for folder, short in folders
            for spelled in (str(folder), folder.as_posix(), str(folder).replace("\\", "\\\\"))
        }
        self._folders = [
            (re.compile(re.escape(spelled) + r"(?![\w-]|\.\w)"), short)  # "/home/jo" is not "/home/jo2"
            for spelled, short in sorted(written.items(), key=lambda item: -len(item[0]))
        ]
        known = {name.strip() for name in (*names, *_names_of_files(config.persona_dir))}
        # The longest first: "Jo" must not leave half of "Jo Miller".
        ordered = sorted((name for name in known if len(name) > 1), key=lambda name: (-len(name), name))
        self._names = [(_word(name), f"(name {number})") for number, name in enumerate(ordered, 1)]
        users = {_user() if user is None else user, home.name}
        self._names += [(_word(name, within=True), "(user)") for name in sorted(users) if name]
        whole = platform.node() if host is None else host
        hosts = {name for name in (whole, whole.partition(".")[0]) if name and name != "localhost"}
        self._names += [(_word(name, within=True), "(host)") for name in sorted(hosts, key=len, reverse=True)]

    def text(self, text: str) -> str:
        """The text as others may read it."""
        for folder, short in self._folders:
            text = folder.sub(short, text)
        text = _ADDRESS.sub(_HIDDEN_ADDRESS, text)
        text = _QUOTED_PATH.sub(_hidden_quoted, text)
        text = _MEDIA_PATH.sub(_hidden, text)
        text = _PATH.sub(_hidden, text)
        text = _BARE_FILE.sub(_HIDDEN_FILE, text)
        for word, short in self._names:
            text = word.sub(short, text)
        return text

    def data(self, value: object) -> object:
        """The same for what JSON holds; the keys of objects are ours and stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.data(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.data(item) for item in value]
        return value


def about(config: InstallConfig) -> Sequence[str]:
    """Versions, and whether the parts are there; paths as they are."""
    parts = (
        ("worker's Python", config.python),
        ("native library", config.native_library),
        ("folder of faces", config.persona_dir),
        ("folder of logs", config.log_dir),
    )
    return [
        f"{platform.platform()}, Python {sys.version.split()[0]}",
        f"protocol {PROTOCOL_VERSION}, project {config.project}",
        *(f"{name}: {path} ({'there' if path.exists() else 'MISSING'})" for name, path in parts),
    ]


def log_end(folder: Path, lines: int) -> Sequence[str]:
    """The last lines of the log, over its files; empty: there is none that can be read."""
    found: list[str] = []
    for suffix in ("", *(f".{number}" for number in range(1, BACKUPS + 1))):
        if len(found) >= lines:
            break
        with contextlib.suppress(OSError):
            text = (folder / f"{LOG_NAME}{suffix}").read_text(encoding="utf-8", errors="replace")
            found = [*text.splitlines(), *found]
    return found[-lines:]


def _names_of_files(persona_dir: Path) -> Collection[str]:
    """What the user calls faces, models and looks: the names of their files, and those written in them."""
    found = set()
    for folder in (persona_dir, persona_dir.parent / "models", persona_dir.parent / "looks"):
        with contextlib.suppress(OSError):
            for path in folder.iterdir():
                found |= {path.name, path.stem, *_written_names(path)}
    return found


def _written_names(path: Path) -> Sequence[str]:
    """What a record calls its face, model or look, and who has agreed to it."""
    for record in (path / "persona.json", path):
        if record.suffix != ".json":
            continue
        with contextlib.suppress(OSError, ValueError, RecursionError):
            data = json.loads(read_small(record, _MOST_RECORD_BYTES))
            if not isinstance(data, dict):
                return []
            parts = [data, *(data[key] for key in _AGREED if isinstance(data.get(key), dict))]
            found = [part.get(key) for part in parts for key in ("name", "who")]
            return [name for name in found if isinstance(name, str) and len(name.strip()) <= _LONGEST_NAME]
    return []


def _word(name: str, *, within: bool = False) -> re.Pattern[str]:
    """The name as a word of its own; ``within``: also where underlines join it to others.

    It is found as JSON or a program's stack would quote it, too, and in both ways to write accents.
    """
    ways = [unicodedata.normalize(form, name) for form in ("NFC", "NFD")]
    spelled = {text for way in (name, *ways) for text in (way, json.dumps(way)[1:-1], repr(way)[1:-1])}
    letter = r"[^\W_]" if within else r"\w"
    words = "|".join(map(re.escape, sorted(spelled)))
    return re.compile(rf"(?<!{letter})(?:{words})(?!{letter})", re.IGNORECASE)


def _hidden(found: re.Match[str]) -> str:
    path = found[0]
    if not _is_system(path):
        return _HIDDEN_PATH
    first, space, rest = path.partition(" ")  # what follows such a path may be one of the user's
    return first + space + _PATH.sub(_hidden, rest)


def _hidden_quoted(found: re.Match[str]) -> str:
    path, quote = found[0][1:-1], found["quote"]
    return found[0] if _is_system(path) else f"{quote}{_HIDDEN_PATH}{quote}"


def _is_system(path: str) -> bool:
    return path.startswith(_SYSTEM) or path[2:].lstrip("\\/").lower().startswith(_SYSTEM_WINDOWS)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""  # no such user on this system, as in some containers
