"""``doppel models add|list|show|remove|verify``: the model files that engines use."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote, urlsplit

import typer
from doppel_models.errors import AmbiguousModelError, ModelFileError
from doppel_models.files.licences import Acceptance, accept, check_acceptance, licence_of
from doppel_models.files.model import ModelFile, open_model
from doppel_models.files.record import clean_origin
from doppel_models.files.store import ModelStore
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from doppel_worker.cli.models_output import (
    acceptance_words,
    model_words,
    print_licence,
    record_json,
    tensor_json,
)
from doppel_worker.cli.persona import print_json, user_name

if TYPE_CHECKING:
    from doppel_models.files.download import Download

app = typer.Typer(
    help="Your own model files: DeepFaceLab models, one-photo swappers, enhancers and what they need.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_Json = Annotated[bool, typer.Option("--json", help="One line of JSON instead of text.")]
_Dir = Annotated[Path | None, typer.Option("--dir", help="Another model folder than your own.")]
_Model = Annotated[str, typer.Argument(help="Name, or the first 6 or more digits of its sha256.")]
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@app.command("add")
def add(
    source: Annotated[str, typer.Argument(help="An ONNX file (.onnx, .dfm) or its http(s) address.")],
    name: Annotated[str, typer.Option(help="Its name; default: the file's.")] = "",
    kind: Annotated[
        str, typer.Option("--as", help="What it is, where its contents leave a choice.", metavar="KIND")
    ] = "",
    sha256: Annotated[str, typer.Option(help="What its sha256 must be.")] = "",
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Accept its licence without being asked.")
    ] = False,
    ground: Annotated[str, typer.Option(help="Why you may use it, where its licence is not known.")] = "",
    who: Annotated[str, typer.Option(help="Who accepts the licence; default: you.")] = "",
    folder: _Dir = None,
    as_json: _Json = False,
) -> None:
    """Check a model file, show its licence, and keep it for use by its name."""
    if sha256 and not _SHA256.fullmatch(sha256):
        raise ModelFileError(f"{sha256[:80]!r} is no sha256: 64 digits 0-9 and a-f are expected")
    # Loads an HTTP client, which no other command needs.
    from doppel_models.files.download import Download

    store, console = ModelStore(folder), Console(stderr=as_json, highlight=False)
    download = None
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+://", source):
        download = Download(source, store.folder / ".downloads")
        path = _fetch(download, console, sha256 or None)
        file_name = _name_in(source)
    else:
        path = Path(source).expanduser()
        file_name = path.name
    try:
        model, choice = _read(path, file_name, kind, console, ask=not as_json)
    except AmbiguousModelError:
        raise  # what was fetched is kept: the user will run the command again with an answer
    except ModelFileError:
        if download is not None:
            download.discard()
        raise
    if sha256 and download is None and model.sha256 != sha256.lower():
        raise ModelFileError(f"{file_name} has the sha256 {model.sha256}, not {sha256.lower()}: another file")
    acceptance = _licence(store, model, console, accept_licence, ground, who or user_name(), ask=not as_json)
    origin = clean_origin(source) if download is not None else path.name
    record = store.add(model, acceptance, name=name, origin=origin, choice=choice)
    if download is not None:
        download.discard()
    missing = store.missing(model.description)
    if as_json:
        print_json({**record_json(record, store), "missing": missing, "notes": model.description.notes})
        return
    console.print(
        f"[green]added[/] {escape(record.name)} ({record.sha256[:12]}): {model_words(model.description)}"
    )
    for note in model.description.notes:
        console.print("[yellow]note:[/]", note)
    for what in missing:
        console.print(f"[yellow]it also needs:[/] {what}; add it in the same way")


@app.command("list")
def list_models(folder: _Dir = None, as_json: _Json = False) -> None:
    """All models, and files that cannot be used."""
    store = ModelStore(folder)
    records, problems = store.list(), store.problems()
    if as_json:
        print_json({"models": [record_json(record, store) for record in records], "problems": problems})
        return
    console = Console(highlight=False)
    table = Table("name", "what it is", "pixels", "MB", "licence", "sha256")
    for record in records:
        pixels = str(record.pixels or "")
        megabytes = f"{record.bytes / 1e6:.1f}"
        table.add_row(
            escape(record.name), record.title, pixels, megabytes, record.licence.name, record.sha256[:12]
        )
    console.print(table if records else f"no models in {store.folder}; `doppel models add FILE` adds one")
    for sha256, problem in problems.items():
        console.print(f"[red]{sha256[:12]}[/]:", escape(problem))


@app.command("show")
def show(model: _Model, folder: _Dir = None, as_json: _Json = False) -> None:
    """What is known of one model: what it is, what it needs, its licence, its inputs and outputs."""
    store = ModelStore(folder)
    record = store.find(model)
    description = store.verify(record).description
    missing = store.missing(description)
    if as_json:
        tensors = {
            "inputs": [tensor_json(tensor) for tensor in description.inputs],
            "outputs": [tensor_json(tensor) for tensor in description.outputs],
        }
        print_json({**record_json(record, store), **tensors, "missing": missing, "notes": description.notes})
        return
    console = Console(highlight=False)
    console.print(f"[bold]{escape(record.name)}[/]: {model_words(description)}")
    console.print(f"file: {store.path(record.sha256)} ({record.bytes:,} bytes)", soft_wrap=True)
    console.print(f"sha256: {record.sha256}", soft_wrap=True)
    console.print(f"from: {escape(record.origin or 'unknown')}, added {record.added[:10]}")
    print_licence(console, record.licence)
    if record.acceptance is not None:
        console.print(escape(acceptance_words(record.acceptance)))
    for title, tensors_of in (("input", description.inputs), ("output", description.outputs)):
        for tensor in tensors_of:
            shape = ", ".join("?" if size is None else str(size) for size in tensor.shape)
            console.print(escape(f"{title}: {tensor.name} [{shape}] {tensor.dtype} ({tensor.role})"))
    for note in description.notes:
        console.print("[yellow]note:[/]", note)
    for what in missing:
        console.print(f"[yellow]it also needs:[/] {what}")


@app.command("remove")
def remove(
    model: _Model,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    folder: _Dir = None,
    as_json: _Json = False,
) -> None:
    """Delete a model from the folder."""
    store = ModelStore(folder)
    # A damaged model cannot be found by its name, but it can be removed by its hash.
    broken = [sha256 for sha256 in store.problems() if len(model) >= 6 and sha256.startswith(model.lower())]
    sha256 = broken[0] if len(broken) == 1 else store.find(model).sha256
    if not (yes or as_json) and not typer.confirm(f"Delete the model {model}?", err=True):
        raise typer.Exit(1)
    store.remove(sha256)
    if as_json:
        print_json({"removed": sha256})
    else:
        Console().print(escape(f"removed {model}"), highlight=False)


@app.command("verify")
def verify(
    models: Annotated[list[str] | None, typer.Argument(help="Names or hashes; default: all.")] = None,
    folder: _Dir = None,
    as_json: _Json = False,
) -> None:
    """Read models again and compare them with what was added; exit code 1 if one is not as it was."""
    store, console = ModelStore(folder), Console(highlight=False, stderr=as_json)
    records = [store.find(model) for model in models] if models else store.list()
    bad = {} if models else store.problems()
    good = []
    with Progress(TextColumn("{task.description}"), BarColumn(), console=console, transient=True) as bar:
        task = bar.add_task("", total=len(records))
        for record in records:
            bar.update(task, description=escape(record.name))
            try:
                store.verify(record)
                good.append(record)
            except ModelFileError as error:
                bad[record.sha256] = str(error)
            bar.advance(task)
    if as_json:
        print_json({"good": [record.sha256 for record in good], "bad": bad})
    else:
        for record in good:
            console.print(f"[green]good[/] {escape(record.name)}: {record.title}")
        for sha256, problem in bad.items():
            console.print(f"[red]bad[/] {sha256[:12]}:", escape(problem))
    if bad:
        raise typer.Exit(1)


def _fetch(download: Download, console: Console, sha256: str | None) -> Path:
    columns = (
        TextColumn("fetching"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        return download.fetch(lambda came, total: bar.update(task, completed=came, total=total), sha256)


def _read(path: Path, name: str, kind: str, console: Console, *, ask: bool) -> tuple[ModelFile, str | None]:
    """A file, and what the user said it is (None where it needed no answer)."""
    try:
        with console.status(f"reading {escape(name)}"):
            model = open_model(path, name=name)
    except AmbiguousModelError as error:
        if not kind:
            if not ask:
                raise
            console.print(escape(str(error)))
            kind = typer.prompt(f"Which is it ({', '.join(error.choices)})?", err=True).strip()
        return open_model(path, kind, name), kind
    if kind and kind != model.description.key:
        raise ModelFileError(f"{name} is not {kind}: by its contents it is {model.description.key}")
    return model, None


def _licence(
    store: ModelStore, model: ModelFile, console: Console, given: bool, ground: str, who: str, *, ask: bool
) -> Acceptance:
    """Show the licence and have it accepted, unless that was done before."""
    licence = licence_of(model.description.kind, model.description.variant)
    print_licence(console, licence)
    for record in store.list():
        # An unknown licence says nothing of another file of the same kind.
        if record.sha256 == model.sha256 or not licence.needs_ground:
            try:
                check_acceptance(licence, record.acceptance)
            except ModelFileError:
                continue
            if record.acceptance is not None:
                console.print(escape(acceptance_words(record.acceptance)))
                return record.acceptance
    if not given:
        if not ask:
            raise ModelFileError(f"its licence ({licence.name}) must be accepted: --accept-licence")
        if not typer.confirm("Do you accept these terms for this file?", err=True):
            raise ModelFileError("the licence was not accepted; nothing was added")
        if licence.needs_ground and not ground:
            ground = typer.prompt("On what ground may you use it (such as: I trained it myself)?", err=True)
    return accept(licence, who, ground)


def _name_in(url: str) -> str:
    """What a file is called at an address, without characters that a terminal obeys."""
    name = Path(unquote(urlsplit(url).path)).name
    return "".join(c for c in name if c.isprintable())[:80] or "model"
