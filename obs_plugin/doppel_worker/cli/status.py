"""``doppel status``: every filter of every OBS that runs, live."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from doppel_ipc import status_file
from doppel_ipc.status_file import Found
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from doppel_worker.cli.installation import installation

REFRESH_S = 1.0
NOBODY = 1
"""Exit code where no OBS is at work with Doppel."""
_SHOWN_MESSAGES = 5
_COLUMNS = ("filter", "state", "speed", "frames")
_OUTCOMES = ("swapped", "no face", "blurred", "covered", "held", "original", "dropped")


def status(
    once: Annotated[bool, typer.Option("--once", help="Show it once, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it once, as JSON.")] = False,
) -> None:
    """Show what every Face Swap filter does, live; Ctrl-C ends it. Exit code 1: no OBS is at work."""
    folder = installation().log_dir
    found = status_file.find(folder)
    if as_json:
        running = [dict(one.data) for one in found if one.fresh]
        sys.stdout.write(json.dumps({"running": bool(running), "obs": running}) + "\n")
    elif once or not sys.stdout.isatty():
        Console().print(picture(found, folder))
    else:
        _live(folder)
        return
    if not any(one.fresh for one in found):
        raise typer.Exit(NOBODY)


def picture(found: Sequence[Found], folder: Path) -> RenderableType:
    """What is shown of the status files of a folder."""
    fresh = [one for one in found if one.fresh]
    if not fresh:
        return Text(_nobody(found, folder))
    return Group(*(part for one in fresh for part in _of_one(one.data)))


def _live(folder: Path) -> None:
    with Live(picture(status_file.find(folder), folder), auto_refresh=False, screen=False) as live:
        while True:
            time.sleep(REFRESH_S)
            live.update(picture(status_file.find(folder), folder), refresh=True)


def _nobody(found: Sequence[Found], folder: Path) -> str:
    if not found:
        return (
            f"No OBS is at work with Doppel (no status in {folder}). Start OBS; if it runs, Tools > Scripts"
            " must list doppel_filter.py. `python3 -m installer doctor` finds what is missing."
        )
    seconds = found[0].age_ns / 1e9
    pid = _part(found[0].data, "obs").get("pid", "?")
    ago = f"{seconds:.0f} s ago" if seconds >= 0 else "before this computer was started"
    return (
        f"OBS (process {pid}) told its status last {ago}: it was killed, or it hangs. Nothing newer is there."
    )


def _of_one(data: Mapping[str, Any]) -> Sequence[RenderableType]:
    obs, worker = _part(data, "obs"), _part(data, "worker")
    lanes = [
        lane for lane in data.get("lanes", ()) if isinstance(lane, dict) and lane.get("state") != "Gone."
    ]
    head = f"OBS {obs.get('version', '?')} (process {obs.get('pid', '?')}), {_worker(worker, bool(lanes))}"
    parts: list[RenderableType] = [Text(head)]
    if obs.get("panic"):
        parts.append(Text("The panic hotkey covers every picture."))
    if not lanes:
        parts.append(Text("No source has a Face Swap filter."))
        return parts
    table = Table(*_COLUMNS, show_lines=True)
    for lane in lanes:
        table.add_row(*map(_plain, _row(lane)))
    messages = [str(text) for text in data.get("messages", ())][-_SHOWN_MESSAGES:]
    return [*parts, table, *(Text(text) for text in messages)]


def _worker(worker: Mapping[str, Any], wanted: bool) -> str:
    if not worker.get("device"):
        return "no worker is ready" if wanted else "no worker is needed"
    megabytes = (worker.get("rss_bytes") or 0) / 1e6
    restarts, throttle = worker.get("restarts") or 0, worker.get("throttle") or 1
    return (
        f"worker {worker.get('pid')} on {worker['device']} ({worker.get('provider')}), {megabytes:.0f} MB"
        f", restarted {restarts} times"
        + (f", takes one picture of {throttle} because OBS is late" if throttle > 1 else "")
    )


def _row(lane: Mapping[str, Any]) -> Sequence[str]:
    frames, turnaround = _part(lane, "frames"), _part(_part(lane, "worker_ms"), "turnaround")
    size = f"{lane['width']} x {lane['height']} {lane.get('pixel_format')}" if lane.get("width") else ""
    delay_ms, delay = _part(lane, "delay_ms").get("p50"), lane.get("delay_frames") or 0
    fps, p50, p95 = (
        _number(value) for value in (lane.get("fps"), turnaround.get("p50"), turnaround.get("p95"))
    )
    speed = (
        f"{fps} pictures/s" if fps else "",
        f"{p50} ms (95 %: {p95} ms)" if p50 else "",
        f"{delay} frames late" + (f" ({delay_ms:.0f} ms)" if delay_ms else "") if delay else "",
    )
    whole = max(int(frames.get("in", 0)), 1)
    counts = ((name, frames.get(name.replace(" ", "_"), 0)) for name in _OUTCOMES)
    return (
        f"{lane.get('source')}\n{lane.get('filter')}",
        f"{lane.get('state') or 'Starting.'}\n{size}".rstrip(),
        "\n".join(filter(None, speed)),
        "\n".join(f"{100 * count / whole:5.1f} % {name}" for name, count in counts if count),
    )


def _part(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = data.get(key)
    return part if isinstance(part, dict) else {}


def _number(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, (int, float)) else ""


def _plain(text: str) -> Text:
    """A source may be called "[red]": names are no markup."""
    return Text(text)
