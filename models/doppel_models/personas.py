"""Personas: the faces a user can pick, and the folder each lives in.

A persona is a folder ``<personas>/<id>/`` with ``persona.json``, the pictures it was made of, and ``cache/``
(what the import worked out of them, named by the content's hash, so it can always be deleted). Built-in masks
have no folder. A persona without a consent record cannot be used.

``persona.json``::

    {"version": 1, "name": "Eileen", "kind": "photo", "engine": "mesh", "files": ["photo-1.png"],
     "look": {"proportions": 1.0}, "warnings": ["..."],
     "consent": {"ground": "public-domain", "who": "Jo Doe", "when": "2026-01-31T12:00:00+00:00"}}

What stands in that file is not trusted: names of files are taken only when they name a file in the persona's
own folder, and values of ``look`` only when they are plain values.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import platformdirs

from doppel_models.errors import PersonaError

HOME_ENV = "DOPPEL_HOME"
"""Environment variable that names another data folder, for tests and portable installations."""
CONSENT_GROUNDS = ("own", "permission", "public-domain", "synthetic")
RECORD_NAME = "persona.json"
RECORD_VERSION = 1
MAX_PHOTOS = 16
MAX_RECORD_BYTES = 64 * 1024
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_FILE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")

LookValue = bool | int | float | str
_Names = list[str]
_Pictures = list[bytes]


@dataclasses.dataclass(frozen=True, slots=True)
class Consent:
    """Why a face may be used."""

    ground: str
    """One of :data:`CONSENT_GROUNDS`."""
    who: str
    """Who says so."""
    when: str
    """ISO 8601 date and time."""

    @classmethod
    def now(cls, ground: str, who: str) -> Consent:
        """A record made at this moment.

        Raises:
            PersonaError: an unknown ground, or nobody says so.
        """
        when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        return cls.checked({"ground": ground, "who": who, "when": when})

    @classmethod
    def checked(cls, data: object) -> Consent:
        """A record from its JSON form.

        Raises:
            PersonaError: missing or not complete.
        """
        advice = f"say on what ground the face may be used: {', '.join(CONSENT_GROUNDS)}"
        if not isinstance(data, dict):
            raise PersonaError(f"there is no consent record; {advice}")
        ground, who, when = (data.get(key) for key in ("ground", "who", "when"))
        if ground not in CONSENT_GROUNDS:
            raise PersonaError(f"consent on the ground {ground!r} is not known; {advice}")
        if not isinstance(who, str) or not who.strip() or len(who) > 200:
            raise PersonaError("the consent record does not say who gave it; add the persona again")
        try:
            datetime.datetime.fromisoformat(when if isinstance(when, str) else "")
        except ValueError:
            raise PersonaError(
                "the consent record does not say when it was given; add the persona again"
            ) from None
        return cls(ground, who.strip(), str(when))


BUILT_IN_CONSENT = Consent("synthetic", "The Doppel authors", "2026-01-01T00:00:00+00:00")


@dataclasses.dataclass(frozen=True, slots=True)
class Persona:
    """One face that can be picked."""

    id: str
    """Lower-case letters, digits and hyphens; the folder's name."""
    name: str
    """For people."""
    kind: str
    """``mask`` (built in) or ``photo``."""
    engine: str
    """The engine that wears it: ``mesh``."""
    files: tuple[str, ...]
    """Names of its pictures in ``folder``."""
    look: Mapping[str, LookValue]
    """Settings that look best with it; the user's own win."""
    warnings: tuple[str, ...]
    """What is not ideal about the pictures, and what to do."""
    consent: Consent
    folder: Path | None
    """None for built-in masks."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """Its pictures."""
        return tuple(self.folder / name for name in self.files) if self.folder else ()


BUILT_INS = tuple(
    Persona(id_, name, "mask", "mesh", (), {}, (), BUILT_IN_CONSENT, None)
    for id_, name in (("porcelain", "Porcelain mask"), ("bronze", "Bronze mask"), ("jade", "Jade mask"))
)


def default_folder() -> Path:
    """Where the user's personas live: ``$DOPPEL_HOME/personas``, else the platform's data folder."""
    home = os.environ.get(HOME_ENV)
    root = Path(home) if home else Path(platformdirs.user_data_dir("doppel", appauthor=False))
    return root / "personas"


_Personas = list[Persona]


class PersonaStore:
    """The personas of one folder, and the built-in ones."""

    def __init__(self, folder: Path | None = None) -> None:
        """Use ``folder``, or the user's own; it is made when something is first added."""
        self.folder = default_folder() if folder is None else Path(folder)

    def list(self) -> _Personas:
        """All personas that can be used: the built-in ones, then the user's by name."""
        own = []
        for entry in self._entries():
            with contextlib.suppress(PersonaError):
                own.append(self.get(entry))
        return [*BUILT_INS, *sorted(own, key=lambda persona: persona.name.casefold())]

    def problems(self) -> dict[str, str]:
        """Folders that cannot be used, and why."""
        found = {}
        for entry in self._entries():
            try:
                self.get(entry)
            except PersonaError as error:
                found[entry] = str(error)
        return found

    def get(self, persona_id: str) -> Persona:
        """One persona.

        Raises:
            PersonaError: there is none of that identifier, or it has no consent record or is damaged.
        """
        for persona in BUILT_INS:
            if persona.id == persona_id:
                return persona
        if not _ID.fullmatch(persona_id):
            raise PersonaError(f"{persona_id!r} is not the identifier of a persona")
        folder = self.folder / persona_id
        if not (folder / RECORD_NAME).is_file():
            known = ", ".join(persona.id for persona in BUILT_INS)
            raise PersonaError(
                f"there is no persona {persona_id!r} in {self.folder}; `doppel persona list` shows all"
                f" (built in: {known})"
            )
        return _read(persona_id, folder)

    def find(self, text: str) -> Persona:
        """A persona by its identifier or its name, whatever the case.

        Raises:
            PersonaError: none or several have it.
        """
        if _ID.fullmatch(text):
            with contextlib.suppress(PersonaError):
                return self.get(text)
        same = [persona for persona in self.list() if persona.name.casefold() == text.strip().casefold()]
        if len(same) > 1:
            raise PersonaError(
                f"several personas are called {text!r}: {', '.join(persona.id for persona in same)}"
            )
        return same[0] if same else self.get(text)

    def save(
        self,
        name: str,
        pictures: Sequence[tuple[str, bytes]],
        consent: Consent,
        warnings: Sequence[str] = (),
        look: Mapping[str, LookValue] | None = None,
    ) -> Persona:
        """Write a photo persona; adding the same pictures under the same name again renews its record.

        The folder appears complete or not at all.

        Args:
            name: for people; the identifier is made of it.
            pictures: (file suffix such as ``.png``, the file's bytes) of each checked picture.
            consent: why the face may be used.
            warnings: what is not ideal about the pictures.
            look: settings that look best with it.

        Raises:
            PersonaError: no name or picture, or the folder cannot be written.
        """
        name = " ".join(name.split())[:80]
        if not name or not any(char.isalnum() for char in name):
            raise PersonaError("a persona needs a name with a letter or a digit in it")
        if not 1 <= len(pictures) <= MAX_PHOTOS:
            raise PersonaError(f"a persona is made of 1 to {MAX_PHOTOS} photos, not {len(pictures)}")
        files = [f"photo-{number}{suffix}" for number, (suffix, _) in enumerate(pictures, 1)]
        record = {
            "version": RECORD_VERSION,
            "name": name,
            "kind": "photo",
            "engine": "mesh",
            "files": files,
            "look": dict(look or {}),
            "warnings": list(warnings),
            "consent": dataclasses.asdict(consent),
        }
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            persona_id, exists = self._free_id(name, [data for _, data in pictures])
            target = self.folder / persona_id
            if exists:
                _write_atomic(target / RECORD_NAME, _dump(record))
                return self.get(persona_id)
            with tempfile.TemporaryDirectory(prefix=".new-", dir=self.folder) as temporary:
                new = Path(temporary) / persona_id
                new.mkdir()
                for file, (_, data) in zip(files, pictures, strict=True):
                    (new / file).write_bytes(data)
                (new / RECORD_NAME).write_bytes(_dump(record))
                new.replace(target)
        except OSError as error:
            raise PersonaError(f"the persona cannot be written to {self.folder}: {error}") from error
        return self.get(persona_id)

    def remove(self, persona_id: str) -> None:
        """Delete a persona's folder with all pictures in it.

        Raises:
            PersonaError: it is built in, does not exist, or cannot be deleted.
        """
        if any(persona.id == persona_id for persona in BUILT_INS):
            raise PersonaError(f"{persona_id} is built in and cannot be removed")
        folder = self.folder / persona_id
        if not _ID.fullmatch(persona_id) or not folder.is_dir():
            raise PersonaError(f"there is no persona {persona_id!r} in {self.folder}")
        try:
            if folder.is_symlink():
                folder.unlink()
            else:
                shutil.rmtree(folder)
        except OSError as error:
            raise PersonaError(f"{folder} cannot be removed: {error}") from error

    def _entries(self) -> _Names:
        try:
            return sorted(
                entry.name for entry in self.folder.iterdir() if entry.is_dir() and _ID.fullmatch(entry.name)
            )
        except FileNotFoundError:
            return []
        except OSError as error:
            raise PersonaError(f"{self.folder} cannot be read: {error}") from error

    def _free_id(self, name: str, pictures: _Pictures) -> tuple[str, bool]:
        """An identifier for a name; and whether it already holds these very pictures under that name."""
        stem = slug(name)
        taken = {persona.id for persona in BUILT_INS}
        for number in range(1, 1000):
            candidate = stem if number == 1 else f"{stem}-{number}"
            if candidate in taken:
                continue
            folder = self.folder / candidate
            if not folder.exists():
                return candidate, False
            with contextlib.suppress(PersonaError, OSError):
                persona = _read(candidate, folder, need_consent=False)
                if persona.name == name and [path.read_bytes() for path in persona.paths] == pictures:
                    return candidate, True
        raise PersonaError(f"too many personas are called {name!r}; take another name")


def slug(name: str) -> str:
    """An identifier made of a name: ``Zoë's face`` -> ``zoe-s-face``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-") or "persona"


def _dump(record: dict[str, Any]) -> bytes:
    return (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode()


def _write_atomic(path: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _read(persona_id: str, folder: Path, *, need_consent: bool = True) -> Persona:
    path = folder / RECORD_NAME
    repair = "remove the persona and add it again"
    try:
        if path.stat().st_size > MAX_RECORD_BYTES:
            raise PersonaError(f"{path} is larger than {MAX_RECORD_BYTES} bytes; {repair}")
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise PersonaError(f"{path} cannot be read ({error}); {repair}") from error
    if not isinstance(data, dict) or data.get("version") != RECORD_VERSION:
        raise PersonaError(f"{path} is no persona record of version {RECORD_VERSION}; {repair}")
    name, kind, engine = (data.get(key) for key in ("name", "kind", "engine"))
    files, look, warnings = data.get("files"), data.get("look", {}), data.get("warnings", [])
    if not isinstance(name, str) or not 0 < len(name) <= 200 or kind != "photo" or engine != "mesh":
        raise PersonaError(f"{path}: name, kind or engine is not valid; {repair}")
    if not isinstance(files, list) or not 1 <= len(files) <= MAX_PHOTOS:
        raise PersonaError(f"{path}: it must name 1 to {MAX_PHOTOS} pictures; {repair}")
    for file in files:
        if not isinstance(file, str) or not _FILE.fullmatch(file) or ".." in file:
            raise PersonaError(f"{path}: {file!r} is not the name of a picture in its folder; {repair}")
        if (folder / file).is_symlink() or not (folder / file).is_file():
            raise PersonaError(f"{folder / file} is missing; {repair}")
    if not isinstance(look, dict) or not all(isinstance(v, bool | int | float | str) for v in look.values()):
        raise PersonaError(f"{path}: look must hold plain values; {repair}")
    if not isinstance(warnings, list) or not all(isinstance(text, str) for text in warnings):
        raise PersonaError(f"{path}: warnings must be texts; {repair}")
    try:
        consent = Consent.checked(data.get("consent"))
    except PersonaError as error:
        if need_consent:
            raise PersonaError(f"persona {name!r} cannot be used: {error}") from None
        consent = Consent("own", "nobody", "")
    return Persona(persona_id, name, kind, engine, tuple(files), look, tuple(warnings), consent, folder)
