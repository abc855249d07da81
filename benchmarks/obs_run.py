"""What Doppel costs in the running OBS: graphics thread, lagged frames, delay, a worker's replacement.

``python benchmarks/obs_run.py [--seconds 12] [--rounds 3] [--burners 0] [--json]``. Needs OBS Studio, Xvfb,
the repository and its development packages, and a machine that does nothing else. The canvas is 640x360 with
x264 ultrafast, the source 720p and 1080p at 30 frames a second.

* ``graphics / copies``: time inside ``filter_video`` over the two memory copies in it, in the same run
  (budget 1.3, median and p99); the worker only paints over the picture, so every frame is copied in and out.
* ``lagged``: frames that OBS drew late, with the real worker and without any filter, in turns, summed over
  the rounds.
* ``scene``: the filter for other sources on a 720p scene that another scene shows: OBS's own time to draw a
  frame, median of its one-second means, with and without the filter in turns, drawn by llvmpipe (Mesa's
  renderer on the processor: all that a graphics card would do is in these figures); and the gate's part of it
  after the picture has been drawn.
* ``gap``: after a kill of the real worker, seconds without a new picture in the recording (budget 2 s).

``--burners 2`` keeps two processes busy meanwhile, as a game would.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
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

    def scene(self, python: Path, *, filtered: bool) -> tuple[list[float], dict[str, Any]]:
        """OBS's milliseconds for drawing a frame, second by second; and the filter's figures."""
        config = install_config(self.folder, self.library, python)
        camera = media_source(CAMERA, self.clip("720p"))
        setup = Setup(
            [camera], [Scene(SCENE, [CAMERA]), Scene(SHOWN, [])], config=config, canvas=SIZES["720p"]
        )
        with Rig(self.folder / f"obs{next(self.numbers)}", self.display, setup) as rig:
            rig.request("CreateSceneItem", sceneName=SHOWN, sourceName=SCENE)
            rig.request("SetCurrentProgramScene", sceneName=SHOWN)
            if filtered:
                rig.add_filter(SCENE, kind=SYNC_FILTER_ID)
                rig.wait_swapping(SCENE)
            time.sleep(3)
            means = []
            for _ in range(round(self.seconds)):
                time.sleep(1)
                means.append(float(rig.request("GetStats")["averageFrameRenderTime"]))
            lane = rig.lane(SCENE)
            rig.stop()
        return means, lane


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
    means: dict[bool, list[float]] = {True: [], False: []}
    lane: dict[str, Any] = {}
    for _ in range(rounds):
        for filtered in (False, True):
            found, lane = bench.scene(python, filtered=filtered)
            means[filtered] += found
    without, through = statistics.median(means[False]), statistics.median(means[True])
    return {
        "720p scene, llvmpipe: OBS draws, ms": round(without, 3),
        "720p scene, llvmpipe: with the filter, ms": round(through, 3),
        "720p scene, llvmpipe: with / without": round(through / without, 3),
        "720p scene: the gate's part p50 ms": lane["graphics_ms"]["p50"],
        "720p scene: its copies p50 ms": lane["copies_ms"]["p50"],
        "720p scene: wait for the card p50 ms": lane["card_wait_ms"]["p50"],
        "720p scene: wait for the card p99 ms": lane["card_wait_ms"]["p99"],
    }


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
    if options.json:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        print(f"{name:40} {value}")


if __name__ == "__main__":
    main()
