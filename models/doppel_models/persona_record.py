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
from collections.abc import Mapping
from pathlib import Path

import msgspec

from doppel_models.errors import PersonaError
from doppel_models.files.licences import Acceptance
from doppel_models.plain_file import is_plain, plain_size
from doppel_models.sentences import Sentence, readable, sentence

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
        grounds = ", ".join(CONSENT_GROUNDS)
        if not isinstance(data, dict):
            raise PersonaError(
                sentence(
                    "consent.none",
                    "there is no consent record; say on what ground the face may be used: {grounds}",
                    grounds=grounds,
                )
            )
        ground, who, when = (data.get(key) for key in ("ground", "who", "when"))
        if ground not in CONSENT_GROUNDS:
            raise PersonaError(
                sentence(
                    "consent.ground",
                    "consent on the ground {ground} is not known; say on what ground the face may be used:"
                    " {grounds}",
                    ground=repr(ground)[:80],
                    grounds=grounds,
                )
            )
        if not isinstance(who, str) or not readable(who).strip() or len(who) > 200:
            raise PersonaError(
                sentence("consent.who", "the consent record does not say who gave it; add the persona again")
            )
        try:
            datetime.datetime.fromisoformat(when if isinstance(when, str) else "")
        except ValueError:
            raise PersonaError(
                sentence(
                    "consent.when",
                    "the consent record does not say when it was given; add the persona again",
                )
            ) from None
        return cls(ground, readable(who).strip(), readable(str(when)))


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


def unusable(name: str, error: BaseException) -> Sentence:
    """What is told of a persona that cannot be worn; ``name``: or its identifier."""
    return sentence("persona.unusable", "persona '{name}' cannot be used: {why}", name=name, why=error)


def wrong_number(photos: int) -> Sentence:
    """What is told of too few or too many photos."""
    return sentence(
        "persona.photos",
        "a persona is made of 1 to {most} photos, not {photos}",
        most=MAX_PHOTOS,
        photos=photos,
    )


def _broken(path: Path, why: str) -> PersonaError:
    """``why``: in English alone, for those who write records by hand."""
    return PersonaError(
        sentence(
            "persona.broken",
            "{path} is damaged: {why}; remove the persona and add it again",
            path=path,
            why=why,
        )
    )


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
    try:
        plain_size(path)
        with path.open("rb") as file:
            text = file.read(MAX_RECORD_BYTES + 1)  # a link may lead to what has no end, and says it is empty
        if len(text) > MAX_RECORD_BYTES:
            raise _broken(path, f"it is larger than {MAX_RECORD_BYTES} bytes")
        data = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or error
        raise PersonaError(
            sentence(
                "persona.unreadable",
                "{path} cannot be read ({why}); remove the persona and add it again",
                path=path,
                why=why,
            )
        ) from error
    if not isinstance(data, dict) or data.get("version") != RECORD_VERSION:
        raise _broken(path, f"it is no persona record of version {RECORD_VERSION}")
    name, kind, engine = (data.get(key) for key in ("name", "kind", "engine"))
    name = readable(name).strip() if isinstance(name, str) else None
    files, look, warnings = data.get("files"), data.get("look", {}), data.get("warnings", [])
    if name is None or not 0 < len(name) <= 200 or (kind, engine) not in ENGINES:
        raise _broken(path, "name, kind or engine is not valid")
    most = MAX_PHOTOS if kind == "photo" else 1
    if not isinstance(files, list) or not 1 <= len(files) <= most:
        raise _broken(path, f"it must name 1 to {most} files")
    for file in files:
        if not isinstance(file, str) or not _FILE.fullmatch(file) or ".." in file:
            raise _broken(path, f"{file!r} is not the name of a file in its folder")
        if not is_plain(folder / file):
            raise PersonaError(
                sentence(
                    "persona.file-missing",
                    "{path} is missing; remove the persona and add it again",
                    path=folder / file,
                )
            )
    if not isinstance(look, dict) or not all(isinstance(v, bool | int | float | str) for v in look.values()):
        raise _broken(path, "look must hold plain values")
    look = {
        readable(key): readable(value) if isinstance(value, str) else value for key, value in look.items()
    }
    if not isinstance(warnings, list) or not all(isinstance(text, str) for text in warnings):
        raise _broken(path, "warnings must be texts")
    try:
        consent = Consent.checked(data.get("consent"))
    except PersonaError as error:
        if need_consent:
            raise PersonaError(unusable(name, error)) from None
        consent = Consent("own", "nobody", "")
    acceptance = None
    if kind == "model":
        try:
            acceptance = msgspec.convert(data.get("licence"), Acceptance)
        except msgspec.ValidationError as error:
            raise PersonaError(
                sentence(
                    "persona.licence",
                    "persona '{name}' cannot be used: its model's licence was not accepted ({why}); remove"
                    " the persona and add it again",
                    name=name,
                    why=error,
                )
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
