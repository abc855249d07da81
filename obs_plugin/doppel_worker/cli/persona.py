"""``doppel persona add|list|remove|show``: the faces that can be picked."""

from __future__ import annotations

import dataclasses
import getpass
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from doppel_models.errors import PersonaError
from doppel_models.files.model import open_model
from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import CONSENT_GROUNDS, Consent, Persona, PersonaStore
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from doppel_worker.cli.consent import MODEL_SUFFIXES, save_model, show_licence

app = typer.Typer(help="The faces that can be picked.", no_args_is_help=True, pretty_exceptions_enable=False)

_Json = Annotated[bool, typer.Option("--json", help="One line of JSON instead of text.")]
_Dir = Annotated[Path | None, typer.Option("--dir", help="Another persona folder than your own.")]


@app.command("add")
def add(
    photos: Annotated[
        list[Path],
        typer.Argument(help="One or more photos of the same face, or a model trained for it (.dfm)."),
    ],
    name: Annotated[str, typer.Option(help="Its name; default: the first file's.")] = "",
    consent: Annotated[
        str, typer.Option(help=f"Why the face may be used: {', '.join(CONSENT_GROUNDS)}.")
    ] = "",
    who: Annotated[str, typer.Option(help="Who says so; default: you.")] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Put it in the place of the face that has this name.")
    ] = False,
    folder: _Dir = None,
    as_json: _Json = False,
) -> None:
    """Make a persona of photos of one face, or of a model trained for one; each is checked first."""
    model = None
    if len(photos) == 1 and photos[0].suffix.lower() in MODEL_SUFFIXES:
        model = open_model(photos[0])
        if replace:
            raise PersonaError("--replace is for photos; remove the other persona first")
        show_licence(model, Console(stderr=True))
    if not consent:
        if as_json or not sys.stdin.isatty():
            raise PersonaError(f"a face needs --consent with one of: {', '.join(CONSENT_GROUNDS)}")
        consent = typer.prompt(
            f"On what ground may this face be used ({', '.join(CONSENT_GROUNDS)})?", err=True
        )
    record = Consent.now(consent.strip(), who or user_name())
    store = PersonaStore(folder)
    before = {known.id for known in store.list()}
    if model is not None:
        persona = save_model(store, name or photos[0].stem, model, record)
    else:
        persona, _ = PersonaImporter().add(store, photos, name, record, replace=replace)
    if as_json:
        print_json(_info(persona))
        return
    console = Console()
    for warning in persona.warnings:
        console.print("[yellow]note:[/]", escape(warning), highlight=False)
    done = ("replaced" if replace else "known already, written anew:") if persona.id in before else "added"
    console.print(f"[green]{done}[/] {escape(persona.name)} ([bold]{persona.id}[/])", highlight=False)
    console.print(f"kept in {escape(str(persona.folder))}", highlight=False, soft_wrap=True)


@app.command("list")
def list_personas(folder: _Dir = None, as_json: _Json = False) -> None:
    """All personas, and folders that cannot be used."""
    store = PersonaStore(folder)
    personas, problems = store.list(), store.problems()
    if as_json:
        print_json({"personas": [_info(persona) for persona in personas], "problems": problems})
        return
    table = Table("id", "name", "kind", "consent")
    for persona in personas:
        table.add_row(persona.id, escape(persona.name), persona.kind, persona.consent.ground)
    console = Console()
    console.print(table)
    console.print(f"kept in {escape(str(store.folder))}", highlight=False, soft_wrap=True)
    for entry, problem in problems.items():
        console.print(f"[red]{entry}[/]:", escape(problem), highlight=False)


@app.command("show")
def show(
    persona: Annotated[str, typer.Argument(help="Identifier or name.")],
    folder: _Dir = None,
    as_json: _Json = False,
) -> None:
    """What is known of one persona."""
    found = PersonaStore(folder).find(persona)
    if as_json:
        print_json(_info(found))
        return
    console = Console(highlight=False)
    console.print(f"[bold]{escape(found.name)}[/] ({found.id}), {found.kind}, engine {found.engine}")
    consent = found.consent
    console.print(escape(f"consent: {consent.ground}, said by {consent.who} on {consent.when}"))
    for path in found.paths:
        console.print(escape(f"picture: {path}"), soft_wrap=True)
    for key, value in found.look.items():
        console.print(escape(f"look: {key} = {value}"))
    for warning in found.warnings:
        console.print("[yellow]note:[/]", escape(warning))


@app.command("remove")
def remove(
    persona: Annotated[str, typer.Argument(help="Identifier or name.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    folder: _Dir = None,
    as_json: _Json = False,
) -> None:
    """Delete a persona with its pictures."""
    store = PersonaStore(folder)
    # A damaged persona cannot be read, but it can be removed.
    persona_id = persona if persona in store.problems() else store.find(persona).id
    store.check_removable(persona_id)
    if not (yes or as_json) and not typer.confirm(f"Delete {persona_id} and its pictures?", err=True):
        raise typer.Exit(1)
    store.remove(persona_id)
    if as_json:
        print_json({"removed": persona_id})
    else:
        Console().print(f"removed {persona_id}", highlight=False)


def _info(persona: Persona) -> dict[str, Any]:
    return {
        "id": persona.id,
        "name": persona.name,
        "kind": persona.kind,
        "engine": persona.engine,
        "files": [str(path) for path in persona.paths],
        "look": dict(persona.look),
        "warnings": list(persona.warnings),
        "consent": dataclasses.asdict(persona.consent),
    }


def print_json(value: object) -> None:
    """One line of JSON on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def user_name() -> str:
    """Who runs the command, for records of consent."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "the user of this computer"
