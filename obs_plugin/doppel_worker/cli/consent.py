"""Which persona ``--persona`` means, and the consent that a photo needs."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

import typer
from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import CONSENT_GROUNDS, Consent, Persona, PersonaStore
from doppel_models.photo_file import read_photo
from rich.console import Console

from doppel_worker.errors import PersonaError

QUESTION = """[bold]{photo}[/] shows somebody's face. Doppel uses a face only on one of these grounds:
  own             it is your own face
  permission      the person has agreed to this use
  public-domain   a picture whose use is free, of a person who cannot be harmed by it
  synthetic       nobody's face: drawn or generated"""


def find_persona(
    text: str, ground: str | None, store: PersonaStore, importer: PersonaImporter, console: Console
) -> Persona:
    """The persona of a name, an identifier or a photo; a photo becomes a persona, which is kept.

    Args:
        text: what the user wrote.
        ground: the consent ground that the user gave, if any.
        store: where personas are kept.
        importer: makes one of a photo.
        console: where to ask and to warn.

    Raises:
        PersonaError: no such persona, or a photo without consent and nobody to ask.
        doppel_models.errors.PersonaError: the photo cannot be used.
    """
    if ground is not None and ground not in CONSENT_GROUNDS:
        raise PersonaError(f"--consent {ground} is not one of {', '.join(CONSENT_GROUNDS)}")
    path = Path(text).expanduser()
    if not path.is_file():
        if path.suffix or len(path.parts) > 1:
            raise PersonaError(f"there is no photo {text}; give a photo's path or a persona's name")
        return store.find(text)
    known = _made_of(path, store)
    if known is not None and ground is None:
        return known
    persona, _ = importer.add(store, [path], path.stem, Consent.now(ground or _ask(path, console), _who()))
    for warning in persona.warnings:
        console.print(f"[yellow]note:[/] {warning}")
    return persona


def _made_of(path: Path, store: PersonaStore) -> Persona | None:
    """The persona that was made of this very photo, with its consent on record."""
    data = read_photo(path).data
    for persona in store.list():
        if len(persona.paths) == 1 and persona.paths[0].read_bytes() == data:
            return persona
    return None


def _ask(path: Path, console: Console) -> str:
    if not sys.stdin.isatty():
        raise PersonaError(
            f"{path.name} is a photo, and nobody is here to be asked on what ground it may be used;"
            f" add --consent {'|'.join(CONSENT_GROUNDS)}"
        )
    console.print(QUESTION.format(photo=path.name))
    answer = typer.prompt("On what ground may it be used? (empty: not at all)", default="", err=True)
    if answer.strip() not in CONSENT_GROUNDS:
        raise PersonaError(f"{path.name} is not used: no consent")
    return str(answer.strip())


def _who() -> str:
    """Who says so: the user of this computer."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "the user of this computer"
