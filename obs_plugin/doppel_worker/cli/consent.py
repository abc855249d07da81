"""Which persona ``--persona`` means, and the consent that a photo needs."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

import typer
from doppel_models.files.licences import accept, licence_of
from doppel_models.files.model import ModelFile, open_model
from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import CONSENT_GROUNDS, Consent, Persona, PersonaStore
from doppel_models.photo_file import read_photo
from rich.console import Console
from rich.markup import escape

from doppel_worker.errors import PersonaError

MODEL_SUFFIXES = (".dfm", ".onnx")
"""Of files that are models and not photos. What they are is decided by what is in them."""
QUESTION = """[bold]{photo}[/] shows somebody's face. Doppel uses a face only on one of these grounds:
  own             it is your own face
  permission      the person has agreed to this use
  public-domain   a picture whose use is free, of a person who cannot be harmed by it
  synthetic       nobody's face: drawn or generated"""


def find_persona(
    text: str, ground: str | None, store: PersonaStore, importer: PersonaImporter, console: Console
) -> Persona:
    """The persona of a name, an identifier, a photo or a model trained for one face; files become personas.

    Args:
        text: what the user wrote.
        ground: the consent ground that the user gave, if any.
        store: where personas are kept.
        importer: makes one of a photo.
        console: where to ask and to warn.

    Raises:
        PersonaError: no such persona, or a file without consent and nobody to ask.
        ModelsError: the photo or model cannot be used.
    """
    if ground is not None and ground not in CONSENT_GROUNDS:
        raise PersonaError(f"--consent {ground} is not one of {', '.join(CONSENT_GROUNDS)}")
    path = Path(text).expanduser()
    try:
        is_file = path.is_file()
    except OSError as error:
        raise PersonaError(f"{text} cannot be read: {error.strerror or error}") from error
    if not is_file:
        if path.suffix or len(path.parts) > 1:
            raise PersonaError(
                f"there is no photo or model {text}; give the path of one, or a persona's name"
            )
        return store.find(text)
    if path.suffix.lower() in MODEL_SUFFIXES:
        return _model_persona(path, ground, store, console)
    known = _made_of(read_photo(path).data, store)
    if known is not None and ground is None:
        return known
    persona, _ = importer.add(store, [path], "", Consent.now(ground or _ask(path, console), _who()))
    for warning in persona.warnings:
        console.print(f"[yellow]note:[/] {escape(warning)}")
    return persona


def _model_persona(path: Path, ground: str | None, store: PersonaStore, console: Console) -> Persona:
    """The persona of a model that was trained for one face; its licence is shown, then consent is asked."""
    model = open_model(path)
    known = _made_of(model.data, store)
    if known is not None and ground is None:
        return known
    show_licence(model, console)
    return save_model(store, path.stem, model, Consent.now(ground or _ask(path, console), _who()))


def show_licence(model: ModelFile, console: Console) -> None:
    """Say what a model is and under which terms it may be used."""
    licence = licence_of(model.description.kind, model.description.variant)
    console.print(
        f"{model.name}: {model.description.title}, licence: {licence.name}. {licence.terms}", markup=False
    )


def save_model(store: PersonaStore, name: str, model: ModelFile, consent: Consent) -> Persona:
    """A persona of a model trained for one face, by whoever was shown its licence and gave consent.

    Raises:
        ModelsError: it is another kind of model, or the persona cannot be written.
    """
    licence = licence_of(model.description.kind, model.description.variant)
    acceptance = accept(licence, consent.who, f"consent of the face that it shows: {consent.ground}")
    return store.save_model(name, model, acceptance, consent)


def _made_of(data: bytes, store: PersonaStore) -> Persona | None:
    """The persona that was made of this very file alone, with its consent on record."""
    for persona in store.list():
        paths = persona.paths
        if len(paths) == 1 and paths[0].stat().st_size == len(data) and paths[0].read_bytes() == data:
            return persona
    return None


def _ask(path: Path, console: Console) -> str:
    if not sys.stdin.isatty():
        raise PersonaError(
            f"{path.name} shows a face, and nobody is here to be asked on what ground it may be used;"
            f" add --consent {'|'.join(CONSENT_GROUNDS)}"
        )
    console.print(QUESTION.format(photo=escape(path.name)))
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
