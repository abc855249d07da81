"""Personas: the faces a user can pick, and the folder each lives in.

A persona is a folder ``<personas>/<id>/`` with ``persona.json``, the pictures it was made of (or the model
that was trained for it), and ``cache/`` (what the import worked out of the pictures, named by the content's
hash, so it can always be deleted). Built-in masks have no folder. A persona without a consent record cannot
be used.

See :mod:`.persona_record` for what the record holds.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from doppel_models.atomic import write_atomic
from doppel_models.errors import PersonaError
from doppel_models.files.kinds import ModelKind
from doppel_models.files.licences import Acceptance, check_acceptance, licence_of
from doppel_models.files.model import ModelFile
from doppel_models.home import HOME_ENV, data_folder
from doppel_models.persona_folder import put
from doppel_models.persona_naming import Taken, place, slug
from doppel_models.persona_record import (
    CONSENT_GROUNDS,
    MAX_PHOTOS,
    RECORD_NAME,
    RECORD_VERSION,
    Consent,
    LookValue,
    Persona,
    read_record,
    wrong_number,
)
from doppel_models.sentences import readable, sentence, unreadable

__all__ = [
    "BUILT_INS",
    "CONSENT_GROUNDS",
    "HOME_ENV",
    "MAX_PHOTOS",
    "RECORD_NAME",
    "Consent",
    "LookValue",
    "Persona",
    "PersonaStore",
    "Taken",
    "default_folder",
    "slug",
]

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")

_Names = list[str]

BUILT_IN_CONSENT = Consent("synthetic", "The Doppel authors", "2026-01-01T00:00:00+00:00")
BUILT_INS = tuple(
    Persona(id_, name, "mask", "mesh", (), {}, (), BUILT_IN_CONSENT, None)
    for id_, name in (("porcelain", "Porcelain mask"), ("bronze", "Bronze mask"), ("jade", "Jade mask"))
)


def default_folder() -> Path:
    """Where the user's personas live: ``$DOPPEL_HOME/personas``, else the platform's data folder."""
    return data_folder() / "personas"


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
        folder = self.folder / persona_id
        if not _ID.fullmatch(persona_id) or not (folder / RECORD_NAME).is_file():
            known = ", ".join(persona.id for persona in BUILT_INS)
            raise PersonaError(
                sentence(
                    "persona.missing",
                    "there is no persona '{id}' in {folder}; `doppel persona list` shows all (built in:"
                    " {known})",
                    id=persona_id,
                    folder=self.folder,
                    known=known,
                )
            )
        return read_record(persona_id, folder)

    def revision(self, persona_id: str) -> int:
        """A number that changes with the persona's record; 0 where it has none, as built-in ones."""
        if not _ID.fullmatch(persona_id):
            return 0
        try:
            return (self.folder / persona_id / RECORD_NAME).stat().st_mtime_ns
        except OSError:
            return 0

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
        *,
        taken: Taken = "number",
    ) -> Persona:
        """Write a photo persona; adding the same pictures under the same name again renews its record.

        The folder appears complete or not at all.

        Args:
            name: for people; the identifier is made of it.
            pictures: (file suffix such as ``.png``, the file's bytes) of each checked picture.
            consent: why the face may be used.
            warnings: what is not ideal about the pictures.
            look: settings that look best with it.
            taken: what to do if another persona has the name.

        Raises:
            PersonaError: no name or picture, a name that is taken, or the folder cannot be written.
        """
        if not 1 <= len(pictures) <= MAX_PHOTOS:
            raise PersonaError(wrong_number(len(pictures)))
        files = {f"photo-{number}{suffix}": data for number, (suffix, data) in enumerate(pictures, 1)}
        said = [readable(warning) for warning in warnings]  # files' names are in them
        record = {"kind": "photo", "engine": "mesh", "look": dict(look or {}), "warnings": said}
        return self._write(name, files, record, consent, taken)

    def save_model(self, name: str, model: ModelFile, acceptance: Acceptance, consent: Consent) -> Persona:
        """Write a persona that is a model trained for one face; the same one again renews its record.

        Args:
            name: for people; the identifier is made of it.
            model: the checked file, which is copied.
            acceptance: that its licence was accepted.
            consent: why the face may be used.

        Raises:
            PersonaError: the model needs a photo, no name, or the folder cannot be written.
            ModelFileError: its licence was not accepted.
        """
        description = model.description
        if description.kind != ModelKind.DFM:
            raise PersonaError(
                sentence(
                    "persona.no-face-model",
                    "{name} is {title}, not a model that was trained for one face (.dfm); it can be the"
                    " engine of a photo's persona",
                    name=model.name,
                    title=description.title,
                )
            )
        check_acceptance(licence_of(description.kind, description.variant), acceptance)
        record = {
            "kind": "model",
            "engine": str(description.kind),
            "licence": msgspec.to_builtins(acceptance),
        }
        return self._write(name, {"model.dfm": model.data}, record, consent, "number")

    def _write(
        self,
        name: str,
        files: Mapping[str, bytes],
        record: Mapping[str, object],
        consent: Consent,
        taken: Taken,
    ) -> Persona:
        name = " ".join(readable(name).split())[:80]
        if not name or not any(char.isalnum() for char in name):
            raise PersonaError(
                sentence("persona.name", "a persona needs a name with a letter or a digit in it")
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            masks = frozenset(persona.id for persona in BUILT_INS)
            persona_id, name, exists = place(self.folder, name, list(files.values()), taken, masks)
            full = {
                "version": RECORD_VERSION,
                "name": name,
                "files": list(files),
                **record,
                "consent": dataclasses.asdict(consent),
            }
            target = self.folder / persona_id
            if exists:
                write_atomic(target / RECORD_NAME, _dump(full))
                return self.get(persona_id)
            put(target, {**files, RECORD_NAME: _dump(full)})
        except OSError as error:
            raise PersonaError(
                sentence(
                    "persona.no-write",
                    "the persona cannot be written to {folder}: {why}",
                    folder=self.folder,
                    why=error.strerror or error,
                )
            ) from error
        return self.get(persona_id)

    def remove(self, persona_id: str) -> None:
        """Delete a persona's folder with all pictures in it.

        Raises:
            PersonaError: it is built in, does not exist, or cannot be deleted.
        """
        self.check_removable(persona_id)
        folder = self.folder / persona_id
        if not _ID.fullmatch(persona_id) or not folder.is_dir():
            raise PersonaError(f"there is no persona {persona_id!r} in {self.folder}")
        try:
            if folder.is_symlink():
                folder.unlink()
            else:
                shutil.rmtree(folder)
        except OSError as error:
            raise PersonaError(f"{folder} cannot be removed: {error.strerror or error}") from error

    def check_removable(self, persona_id: str) -> None:
        """Refuse what can never be removed, before anybody is asked.

        Raises:
            PersonaError: it is built in.
        """
        if any(persona.id == persona_id for persona in BUILT_INS):
            raise PersonaError(f"{persona_id} is built in and cannot be removed")

    def _entries(self) -> _Names:
        try:
            return sorted(
                entry.name for entry in self.folder.iterdir() if entry.is_dir() and _ID.fullmatch(entry.name)
            )
        except FileNotFoundError:
            return []
        except OSError as error:
            raise PersonaError(unreadable(self.folder, error)) from error


def _dump(record: dict[str, Any]) -> bytes:
    return (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode()
