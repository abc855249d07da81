"""The commands of ``doppel``."""

from __future__ import annotations

import typer

from doppel_worker.cli import models, persona
from doppel_worker.cli.bench import bench
from doppel_worker.cli.bench_network import bench_network
from doppel_worker.cli.contact_sheet import contact_sheet
from doppel_worker.cli.devices import devices
from doppel_worker.cli.diagnostics import diagnostics
from doppel_worker.cli.status import status
from doppel_worker.cli.swap import swap

_EXAMPLES = """Examples:

doppel swap in.mp4 out.mp4 --persona porcelain

doppel swap in.mp4 out.mp4 --persona photo.jpg --consent own

doppel persona add photo.jpg --consent own --name me

doppel persona list"""

app = typer.Typer(
    help="Live face swap for OBS Studio: tools beside the filter.",
    epilog=_EXAMPLES,
    rich_markup_mode="rich",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("swap")(swap)
app.command("bench")(bench)
app.command("bench-network")(bench_network)
app.command("devices")(devices)
app.command("status")(status)
app.command("diagnostics")(diagnostics)
app.command("contact-sheet")(contact_sheet)
app.add_typer(persona.app, name="persona")
app.add_typer(models.app, name="models")
