"""``doppel diagnostics``: what a helper needs to know, in one file, without faces and private paths."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import io
import json
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from doppel_ipc import status_file
from doppel_ipc.diagnostics import BUILT_IN_FACES, Veil, about, log_end
from doppel_ipc.paths import InstallConfig
from doppel_models.atomic import write_atomic

from doppel_worker.cli.installation import installation
from doppel_worker.devices import list_devices

LOG_LINES = 20_000
_README = """What is in here: versions and devices (about.txt), what each Face Swap filter did and how it is
set (status.json), and Doppel's log (doppel.log). Pictures are not, nor names of faces, sources, models
and looks, nor names of you and your computer, nor addresses, nor paths other than the system's.
Read it all the same before you publish it.
"""


def diagnostics(
    out: Annotated[
        Path | None, typer.Argument(help="The file to write; else doppel-diagnostics-<time>.zip here.")
    ] = None,
) -> None:
    """Write versions, devices, status and log into a zip for a helper; no faces, no private paths."""
    path = out or Path(time.strftime("doppel-diagnostics-%Y%m%d-%H%M%S.zip"))
    write_atomic(path, bundle(installation(), Path.home()))
    sys.stdout.write(f"{path}: read it before you send it to anybody\n")


def bundle(config: InstallConfig, home: Path, user: str | None = None) -> bytes:
    """The zip.

    Args:
        config: the installation.
        home: the user's folder.
        user: the user's name; None: as the system says.
    """
    found = status_file.find(config.log_dir)
    statuses = [{"age_s": round(one.age_ns / 1e9, 1), **one.data} for one in found]
    veil = Veil(config, home, _names(statuses), user)
    lines = [*about(config), *_versions(), *(f"device: {dataclasses.asdict(one)}" for one in list_devices())]
    parts = {
        "README.txt": _README,
        "about.txt": veil.text("\n".join(lines) + "\n"),
        "status.json": json.dumps(veil.data(statuses), indent=1, ensure_ascii=False) + "\n",
        "doppel.log": veil.text("\n".join(log_end(config.log_dir, LOG_LINES)) + "\n"),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def _names(statuses: Sequence[dict[str, object]]) -> Sequence[str]:
    """Of sources, filters and faces in use, which may be removed; others are read from their files."""
    found: list[str] = []
    for one in statuses:
        lanes = one.get("lanes")
        for lane in lanes if isinstance(lanes, list) else ():
            if isinstance(lane, dict):
                found += [str(lane.get(key) or "") for key in ("source", "filter", "persona")]
    return [name for name in found if name not in BUILT_IN_FACES]


def _versions() -> Sequence[str]:
    found = {f"{one.name}=={one.version}" for one in importlib.metadata.distributions()}
    return [f"package: {text}" for text in sorted(found)]
