"""A persona's record: what ``persona.json`` holds, and how it is read without being trusted.

::

    {"version": 1, "name": "Eileen", "kind": "photo", "engine": "mesh", "files": ["photo-1.png"],
     "look": {"proportions": 1.0}, "warnings": ["..."],
     "consent": {"ground": "public-domain", "who": "Jo Doe", "when": "2026-01-31T12:00:00+00:00"}}

A persona of kind ``model`` has a model file of engine ``dfm`` instead, and the licence that was accepted::

    {"kind": "model", "engine": "dfm", "files": ["model.dfm"], ..., "licence": {"licence": "dfm-trainer",
     "who": "Jo Doe", "when": "2026-01-31T12:00:00+00:00", "ground": "I trained it myself"}}

Names of files are taken only when they name a file in the persona's own folder, and values of ``look`` only
when they are plain values.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import msgspec

from doppel_models.errors import PersonaError
from doppel_models.files.licences import Acceptance

CONSENT_GROUNDS = ("own", "permission", "public-domain", "synthetic")
RECORD_NAME = "persona.json"
RECORD_VERSION = 1
MAX_PHOTOS = 16
MAX_RECORD_BYTES = 64 * 1024
MAX_WARNINGS, MAX_WARNING = 20, 2000
"""Warnings that are read of a record, and letters of each: they are sent to OBS, which takes no more."""
ENGINES = (("photo", "mesh"), ("model", "dfm"))
"""Which kinds of persona there are in folders, and the engine that wears each by itself."""
_FILE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")

LookValue = bool | int | float | str


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
        if not isinstance(who, str) or not readable(who).strip() or len(who) > 200:
            raise PersonaError("the consent record does not say who gave it; add the persona again")
        try:
            datetime.datetime.fromisoformat(when if isinstance(when, str) else "")
        except ValueError:
            raise PersonaError(
                "the consent record does not say when it was given; add the persona again"
            ) from None
        return cls(ground, readable(who).strip(), str(when))


@dataclasses.dataclass(frozen=True, slots=True)
class Persona:
    """One face that can be picked."""

    id: str
    """Lower-case letters, digits and hyphens; the folder's name."""
    name: str
    """For people."""
    kind: str
    """``mask`` (built in), ``photo`` or ``model``."""
    engine: str
    """The engine that wears it: ``mesh``, or ``dfm`` of a model."""
    files: tuple[str, ...]
    """Names of its pictures, or of its model, in ``folder``."""
    look: Mapping[str, LookValue]
    """Settings that look best with it; the user's own win."""
    warnings: tuple[str, ...]
    """What is not ideal about the pictures, and what to do."""
    consent: Consent
    folder: Path | None
    """None for built-in masks."""
    acceptance: Acceptance | None = None
    """Of the licence of a model."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """Its pictures, or its model."""
        return tuple(self.folder / name for name in self.files) if self.folder else ()


def readable(text: str) -> str:
    """Text without what no file can hold in UTF-8 (halves of characters) and what steers a terminal."""
    return "".join(" " if unicodedata.category(char) in ("Cc", "Cs") else char for char in text)


def read_record(persona_id: str, folder: Path, *, need_consent: bool = True) -> Persona:
    """The persona of a folder.

    Args:
        persona_id: its identifier.
        folder: where it lives.
        need_consent: False reads a persona whose consent record is broken, to compare it, not to use it.

    Raises:
        PersonaError: the record or a picture is missing or broken, or there is no consent record.
    """
    path = folder / RECORD_NAME
    repair = "remove the persona and add it again"
    try:
        if path.stat().st_size > MAX_RECORD_BYTES:
            raise PersonaError(f"{path} is larger than {MAX_RECORD_BYTES} bytes; {repair}")
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or error
        raise PersonaError(f"{path} cannot be read ({why}); {repair}") from error
    if not isinstance(data, dict) or data.get("version") != RECORD_VERSION:
        raise PersonaError(f"{path} is no persona record of version {RECORD_VERSION}; {repair}")
    name, kind, engine = (data.get(key) for key in ("name", "kind", "engine"))
    name = readable(name).strip() if isinstance(name, str) else None
    files, look, warnings = data.get("files"), data.get("look", {}), data.get("warnings", [])
    if name is None or not 0 < len(name) <= 200 or (kind, engine) not in ENGINES:
        raise PersonaError(f"{path}: name, kind or engine is not valid; {repair}")
    most = MAX_PHOTOS if kind == "photo" else 1
    if not isinstance(files, list) or not 1 <= len(files) <= most:
        raise PersonaError(f"{path}: it must name 1 to {most} files; {repair}")
    for file in files:
        if not isinstance(file, str) or not _FILE.fullmatch(file) or ".." in file:
            raise PersonaError(f"{path}: {file!r} is not the name of a file in its folder; {repair}")
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
    acceptance = None
    if kind == "model":
        try:
            acceptance = msgspec.convert(data.get("licence"), Acceptance)
        except msgspec.ValidationError as error:
            raise PersonaError(
                f"persona {name!r} cannot be used: its model's licence was not accepted ({error}); {repair}"
            ) from error
    return Persona(
        persona_id,
        name,
        str(kind),
        str(engine),
        tuple(files),
        look,
        tuple(readable(text[:MAX_WARNING]) for text in warnings[:MAX_WARNINGS]),
        consent,
        folder,
        acceptance,
    )
