"""``doppel devices``: what networks can run on here."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from doppel_worker.devices import choose, list_devices


def devices(
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the devices that networks can run on, and the one that `auto` takes."""
    found, choice = list_devices(), choose()
    if as_json:
        rows = [dataclasses.asdict(device) for device in found]
        result = {"devices": rows, "auto": choice.device.id, "fallback": choice.fallback}
        sys.stdout.write(json.dumps(result) + "\n")
        return
    table = Table("device", "name", "memory", "by")
    for device in found:
        memory = "" if device.memory_mb is None else f"{device.memory_mb} MB"
        table.add_row(device.id, device.name, memory, device.provider)
    Console().print(table, f"auto: {choice.device.id}")
    if choice.fallback:
        Console(stderr=True).print(choice.fallback)
