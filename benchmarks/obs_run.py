"""What Doppel costs in the running OBS: graphics thread, lagged frames, delay, a worker's replacement.

``python benchmarks/obs_run.py [--seconds 12] [--rounds 3] [--burners 0] [--json]``. Needs OBS Studio, Xvfb,
the repository and its development packages, and a machine that does nothing else. The canvas is 640x360 with
x264 ultrafast, the source 720p and 1080p at 30 frames a second.

* ``graphics / copies``: time inside ``filter_video`` over the two memory copies in it, in the same run
  (budget 1.3, median and p99); the worker only paints over the picture, so every frame is copied in and out.
* ``lagged``: frames that OBS drew late, with the real worker and without any filter, in turns, summed over
  the rounds.
* ``scene``: the filter for other sources on a 720p scene that another scene shows, with and without it in
  turns: processor time per frame of OBS's graphics thread, and of that thread with those of llvmpipe (Mesa's
  renderer on the processor: what a graphics card would do is in these figures); the gate's wait for the card.
* ``gap``: after a kill of the real worker, seconds without a new picture in the recording (budget 2 s).

``--burners 2`` keeps two processes busy meanwhile, as a game would.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / name) for name in ("", "shared", "models", "obs_plugin")]

from doppel_ipc.paths import InstallConfig  # noqa: E402 - needs the paths above

from installer.display import VirtualDisplay  # noqa: E402
from installer.scene import SYNC_FILTER_ID, Scene, media_source  # noqa: E402
from tests.integration.conftest import build_native, install_config, write_mark_python  # noqa: E402
from tests.integration.rig import CAMERA, SCENE, Rig, Setup, face_swap  # noqa: E402
from tests.support.coded_clip import write_coded_clip  # noqa: E402
from tests.support.frame_code import FRAME_NUMBER  # noqa: E402
from tests.support.video import read_video  # noqa: E402

SIZES = {"720p": (1280, 720), "1080p": (1920, 1080)}
FPS = 30
SHOWN = "Shown"
GRAPHICS, RENDERER = "libobs: graphic", "llvmpipe"
"""Beginnings of the names of OBS's threads, as the kernel keeps them (15 characters)."""


class Bench:
    """Runs OBS again and again.

    Args:
        folder: for everything that is made.
        display: X display.
        seconds: how long each run records.
    """

    def __init__(self, folder: Path, display: str, seconds: float) -> None:
        self.folder, self.display, self.seconds = folder, display, seconds
        self.library = build_native(folder / "native")
        self.numbers = itertools.count()

    def clip(self, name: str) -> Path:
        """The coded clip in that size."""
        path = self.folder / f"{name}.mp4"
        if not path.is_file():
            write_coded_clip(path, *SIZES[name], count=360)
        return path

    def run(self, name: str, python: Path | None, kills: int = 0) -> tuple[dict[str, Any], Path, int | None]:
        """Records; returns the filter's figures, the recording and OBS's lagged frames."""
        filters = [face_swap()] if python is not None else []
        config: InstallConfig = install_config(self.folder, self.library, python or Path(sys.executable))
        camera = media_source(CAMERA, self.clip(name), filters=filters)
        setup = Setup([camera], [Scene(SCENE, [CAMERA])], config=config)
        with Rig(self.folder / f"obs{next(self.numbers)}", self.display, setup) as rig:
            if filters:
                rig.wait_swapping()
            time.sleep(3)  # the start is over
            with rig.recording() as recording:
                for _ in range(kills):
                    rig.worker().kill()
                    rig.wait_swapping()
                    time.sleep(1.5)
                time.sleep(self.seconds)
            lane = rig.lane()
            result = rig.stop()
        return lane, recording[0], result.lagged_frames

    def scene(self, python: Path, *, filtered: bool) -> tuple[SceneCost, dict[str, Any]]:
        """What OBS spends on a frame of a scene in a scene; and the filter's figures."""
        config = install_config(self.folder, self.library, python)
        camera = media_source(CAMERA, self.clip("720p"))
        scenes = [Scene(SCENE, [CAMERA]), Scene(SHOWN, [])]
        setup = Setup([camera], scenes, config=config, canvas=SIZES["720p"])
        with Rig(self.folder / f"obs{next(self.numbers)}", self.display, setup) as rig:
            rig.request("CreateSceneItem", sceneName=SHOWN, sourceName=SCENE)
            rig.request("SetCurrentProgramScene", sceneName=SHOWN)
            if filtered:
                rig.add_filter(SCENE, kind=SYNC_FILTER_ID)
                rig.wait_swapping(SCENE)
            time.sleep(3)
            before, frames = processor_seconds(rig.pid), drawn_frames(rig)
            time.sleep(self.seconds)
            after, frames = processor_seconds(rig.pid), drawn_frames(rig) - frames
            lane = rig.lane(SCENE)
            rig.stop()
        spent = {name: 1e3 * (after[name] - before[name]) / frames for name in after}
        return SceneCost(spent[GRAPHICS], sum(spent.values())), lane


@dataclasses.dataclass(frozen=True)
class SceneCost:
    """Processor milliseconds per frame."""

    graphics_thread: float
    with_renderer: float


def drawn_frames(rig: Rig) -> int:
    """Frames that OBS has drawn so far; not those that it left out because it was late."""
    stats = rig.request("GetStats")
    return int(stats["renderTotalFrames"]) - int(stats["renderSkippedFrames"])


def processor_seconds(pid: int) -> dict[str, float]:
    """Processor time so far of OBS's graphics thread and of the renderer's threads."""
    spent = {GRAPHICS: 0.0, RENDERER: 0.0}
    for task in Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text()
        for known in spent:
            if name.startswith(known):
                fields = (task / "stat").read_text().rpartition(") ")[2].split()
                spent[known] += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return spent


def longest_gap_s(recording: Path) -> float:
    """The longest time for which the recording shows no new frame of the clip."""
    numbers = [FRAME_NUMBER.read(rgb).value for _, rgb in read_video(recording)]
    return max(len(list(group)) for _, group in itertools.groupby(numbers)) / FPS


def measure(bench: Bench, rounds: int) -> dict[str, float | None]:
    """All figures; ``rounds`` runs each with the real worker and without a filter."""
    figures: dict[str, float | None] = {}
    mark = write_mark_python(bench.folder)
    for name in SIZES:
        lane, _, _ = bench.run(name, mark)
        for percent in ("p50", "p99"):
            graphics, copies = lane["graphics_ms"][percent], lane["copies_ms"][percent]
            figures[f"{name} graphics {percent} ms"] = graphics
            figures[f"{name} copies {percent} ms"] = copies
            figures[f"{name} graphics / copies {percent}"] = round(graphics / copies, 3)
    figures.update(measure_scene(bench, mark, rounds))
    lagged, alone, since = 0, 0, collections.Counter[str]()
    delay_frames, delay_p95 = [], []
    for _ in range(rounds):
        lane, _, late = bench.run("720p", Path(sys.executable))
        lagged += late or 0
        alone += bench.run("720p", None)[2] or 0
        since.update(lane["frames_since_swap"])
        delay_frames.append(lane["delay_frames"])
        delay_p95.append(lane["delay_ms"]["p95"])
    figures["720p real worker: lagged frames"] = lagged
    figures["720p no filter: lagged frames"] = alone
    figures["720p real worker: delay frames"] = max(delay_frames)
    figures["720p real worker: delay p95 ms"] = max(delay_p95)
    figures["720p real worker: swapped share"] = round(since["swapped"] / since["in"], 4)
    figures["720p real worker: held share"] = round(since["held"] / since["in"], 4)
    _, recording, _ = bench.run("720p", Path(sys.executable), kills=5)
    figures["5 kills: longest gap s"] = round(longest_gap_s(recording), 2)
    return figures


def measure_scene(bench: Bench, python: Path, rounds: int) -> dict[str, float | None]:
    """The filter for other sources, with and without in turns."""
    costs: dict[bool, list[SceneCost]] = {True: [], False: []}
    lane: dict[str, Any] = {}
    for _ in range(rounds):
        for filtered in (False, True):
            cost, lane = bench.scene(python, filtered=filtered)
            costs[filtered].append(cost)
    figures: dict[str, float | None] = {}
    for what in dataclasses.fields(SceneCost):
        without, through = (
            statistics.median(getattr(cost, what.name) for cost in costs[filtered])
            for filtered in (False, True)
        )
        name = f"720p scene, llvmpipe, {what.name}"
        figures[f"{name} ms"] = round(without, 3)
        figures[f"{name} with the filter ms"] = round(through, 3)
        figures[f"{name} ratio"] = round(through / without, 3)
    for percent in ("p50", "p99"):
        figures[f"720p scene: wait for the card {percent} ms"] = lane["card_wait_ms"][percent]
    return figures


@contextlib.contextmanager
def burning(count: int) -> Iterator[None]:
    """Keeps ``count`` processes busy."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def show(figures: Mapping[str, object], *, as_json: bool) -> None:
    """Prints figures, a line each, or all of them as JSON."""
    if as_json:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        print(f"{name:40} {value}")


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--burners", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only-scene", action="store_true", help="only the filter for other sources")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, VirtualDisplay() as display, burning(options.burners):
        bench = Bench(Path(folder), display.name, options.seconds)
        if options.only_scene:
            figures = measure_scene(bench, write_mark_python(bench.folder), options.rounds)
        else:
            figures = measure(bench, options.rounds)
    show(figures, as_json=options.json)


if __name__ == "__main__":
    main()
