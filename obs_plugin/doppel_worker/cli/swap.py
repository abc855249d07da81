"""``doppel swap``: the pipeline of the live filter on a video file."""

from __future__ import annotations

import dataclasses
import json
import re
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Annotated, cast

import av.error
import cv2
import typer
from av.audio.stream import AudioStream
from av.packet import Packet
from av.video.frame import VideoFrame
from doppel_ipc.errors import SettingError
from doppel_ipc.settings import FilterSettings, parse_value
from doppel_ipc.verdict import Verdict
from doppel_models.errors import SessionError
from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import PersonaStore
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from doppel_worker.assets import PersonaKey
from doppel_worker.cli.consent import find_persona
from doppel_worker.cli.replacing import replacing
from doppel_worker.cli.swap_device import open_parts
from doppel_worker.cli.text import INTERRUPTED, counted
from doppel_worker.cli.video_file import (
    frame_time_ns,
    is_sideways,
    lost_in,
    open_input,
    prepared,
    reason,
    view,
)
from doppel_worker.cli.video_writer import VideoWriter, check_target
from doppel_worker.errors import DeviceError, MediaError
from doppel_worker.lane_state import LaneState
from doppel_worker.people import People
from doppel_worker.pipeline import FacePipeline
from doppel_worker.report import Report

_READY = re.compile(r"person ([\d, ]+): now using ")
"""What a face that was made ready for people is told with."""


@dataclasses.dataclass(slots=True)
class Summary:
    """What became of a file's frames."""

    verdicts: Counter[Verdict] = dataclasses.field(default_factory=Counter)
    stage_ms: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    total_ms: list[float] = dataclasses.field(default_factory=list)
    events: list[str] = dataclasses.field(default_factory=list)
    corrupt: int = 0
    """Packets of the input that could not be decoded."""

    def add(self, report: Report) -> None:
        """Count one frame."""
        self.verdicts[report.verdict] += 1
        self.total_ms.append(report.total_ms)
        for stage, milliseconds in report.stage_ms.items():
            self.stage_ms.setdefault(stage, []).append(milliseconds)
        self.events += [event.message for event in report.events if event.message not in self.events]

    def as_json(self) -> dict[str, object]:
        """For ``--json``."""
        return {
            "frames": sum(self.verdicts.values()),
            "swapped": self.verdicts[Verdict.SWAPPED],
            "blurred": self.verdicts[Verdict.BLURRED],
            "covered": self.verdicts[Verdict.COVERED],
            "no_face": self.verdicts[Verdict.NO_FACE],
            "original": self.verdicts[Verdict.ORIGINAL],
            "undecodable": self.corrupt,
            "stage_ms": {name: _spread(values) for name, values in sorted(self.stage_ms.items())},
            "frame_ms": _spread(self.total_ms),
            "events": self.events,
        }


def swap_file(
    source: Path,
    target: Path,
    pipeline: FacePipeline,
    lane: LaneState,
    progress: Callable[[int, int | None], None] = lambda _done, _total: None,
) -> Summary:
    """Swap the faces of every frame of a file; ``target`` appears complete or not at all.

    Args:
        source: the video.
        target: where the result goes.
        pipeline: its persona must be ready, else frames are covered until it is.
        lane: with the settings.
        progress: called with the frames done and, where the file says it, their number.

    Raises:
        MediaError: the input cannot be read, the output cannot be written, or the device failed.
    """
    check_target(source, target)
    container, video = open_input(source)
    summary = Summary()
    with container, replacing(target) as temporary:
        writer = VideoWriter(temporary, target.suffix, container, video)
        try:
            for packet in container.demux([video, *container.streams.audio]):
                if isinstance(packet.stream, AudioStream):
                    writer.sound(cast("Packet[AudioStream]", packet))
                    continue
                try:
                    decoded = packet.decode()
                except av.error.InvalidDataError:
                    summary.corrupt += 1
                    continue
                for raw in cast("list[VideoFrame]", decoded):
                    if writer.frames == 0 and (lost := lost_in(raw)):
                        summary.events.append(lost)
                    frame = prepared(raw)
                    base = frame.time_base or video.time_base
                    number = writer.frames
                    stamp = (
                        frame_time_ns(frame.pts, base)
                        if frame.pts is not None and base
                        else number * 33_333_333
                    )
                    report = pipeline.process(view(frame, number, stamp), lane)
                    if isinstance(report.error, (DeviceError, SessionError)):
                        raise MediaError(
                            f"{target} was not made: the device failed at frame {number} ({report.error});"
                            " run it again with --set device=cpu"
                        )
                    summary.add(report)
                    writer.write(frame, sideways=is_sideways(raw))
                    progress(writer.frames, video.frames or None)
            writer.close()
        except (av.error.FFmpegError, OSError) as error:
            writer.abort()
            raise MediaError(f"{target} cannot be made from {source}: {reason(error)}") from error
        except BaseException:  # also Ctrl-C: no half file stays; it is raised again
            writer.abort()
            raise
    return summary


def swap(
    source: Annotated[Path, typer.Argument(metavar="IN", help="The video file.")],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="Where the result goes (.mp4 .mov .mkv .webm).")
    ],
    persona: Annotated[
        str,
        typer.Option(
            help="A persona's name, a photo of a face, or a model trained for one face (.dfm).",
            metavar="NAME|PHOTO|FILE.dfm",
        ),
    ],
    consent: Annotated[
        str | None,
        typer.Option(
            help="The ground on which the face may be used.", metavar="own|permission|public-domain|synthetic"
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Any setting of the filter: label=off, engine=FILE.onnx, device=cuda:0.",
            metavar="KEY=VALUE",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Swap the faces in a video file. Frame i of OUT is frame i of IN; sound is kept."""
    cv2.setNumThreads(1)
    console = Console(stderr=True)
    chosen = parse_settings(settings or [])
    check_target(source, target)
    open_input(source)[0].close()
    store, importer = PersonaStore(), PersonaImporter()
    found = find_persona(persona, consent, store, importer, console)
    chosen = chosen.replace(persona=found.id)
    parts = open_parts(chosen.device, store, importer, console)
    loader, pipeline = parts.loader, parts.pipeline
    try:
        lane, main = pipeline.new_lane(chosen), PersonaKey.of(chosen)
        told: list[str] = []
        for key in (main, *People.of(chosen).keys(main).values()):
            loader.wait(key)
            _, events = pipeline.follow_personas(lane)
            told += [event.message for event in events if event.message not in told]
        parts.recognition.waits = True
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
            task = bar.add_task(escape(f"{found.name} → {target.name}"), total=None)
            summary = swap_file(
                source,
                target,
                pipeline,
                lane,
                lambda done, total: bar.update(task, completed=done, total=total),
            )
        summary.events[:0] = [text for text in told if text not in summary.events]
        summary.events = _as_met(summary.events, People.of(chosen), lane.casting.met)
    except KeyboardInterrupt:
        console.print(f"stopped; {target} was not written", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        loader.close()
    if as_json:
        sys.stdout.write(
            json.dumps(
                {"output": str(target), "persona": found.id, "device": parts.description, **summary.as_json()}
            )
            + "\n"
        )
    else:
        counts = ", ".join(
            f"{count} {verdict.name.lower().replace('_', ' ')}"
            for verdict, count in sorted(summary.verdicts.items())
        )
        frames = counted(sum(summary.verdicts.values()), "frame")
        console.print(f"{target}: {frames} ({counts})", markup=False, soft_wrap=True)
        for event in summary.events:
            if event != f"now using {found.id}":
                console.print(f"  {event}", markup=False, soft_wrap=True)


def parse_settings(assignments: list[str]) -> FilterSettings:
    """Settings from ``KEY=VALUE`` texts.

    Raises:
        SettingError: no ``=``, an unknown key, or a value that does not fit.
    """
    chosen = FilterSettings()
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise SettingError(f"--set {assignment}: write KEY=VALUE, for example label=off")
        if key == "persona":
            raise SettingError("choose the persona with --persona")
        chosen = chosen.replace(**{key: parse_value(key, value)})
    return chosen


def _as_met(events: Sequence[str], people: People, met: Collection[int]) -> list[str]:
    """What was told, as it turned out: a face made ready for somebody who never came was not used."""
    absent = [person for person in people.persons if person.number not in met]
    numbers = {str(person.number) for person in absent}
    kept = []
    for text in events:
        found = _READY.match(text)
        if found is None or not numbers.issuperset(found[1].split(", ")):
            kept.append(text)
    return [*kept, *(f"nobody in this video was person {one.number} ({one.who})" for one in absent)]


def _spread(values: list[float]) -> dict[str, float]:
    """Median and 95th percentile, milliseconds."""
    if not values:
        return {}
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {"p50": round(statistics.median(values), 3), "p95": round(p95, 3)}
