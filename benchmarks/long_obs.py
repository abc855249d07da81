"""Minutes or hours of swapping in the real OBS, recorded: what grows, drifts or does not add up.

The camera is one of our own (tests/integration/obs_scripts/test_sources.c) that sends the coded clip's frames
by the clock, 640 x 360 at 30 a second, and a microphone claps by the same clock. Face Swap is on the camera,
with the real worker and the microphone as its sound, and OBS records. Afterwards every frame of the recording
is judged, and every clap compared with its picture.
"""

from __future__ import annotations

import collections
import dataclasses
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
from doppel_ipc.pixel_format import FrameLayout, PixelFormat

from benchmarks.long_frames import CLIP_FRAMES, SIZE, i420
from benchmarks.long_samples import Growth, Held, more_held, told
from installer.display import VirtualDisplay
from installer.scene import Scene
from tests.integration.conftest import build_native, install_config
from tests.integration.faults import Kept
from tests.integration.leftovers import bad_lines
from tests.integration.rig import CAMERA, EMPTY_SCENE, REMOTE, SCENE, SCRIPT, SCRIPTS, Rig, Setup
from tests.integration.sound import clap_lags
from tests.integration.stage import judged
from tests.support.coded_clip import coded_frames
from tests.support.demo_clip import demo_truth
from tests.support.judge import Judge, Verdict
from tests.support.native_build import compile_c

MICROPHONE = "Microphone"
MOST_GROWTH_MB = 4.0
"""Of OBS or the worker over the run, beyond the noise."""
MOST_DELAY_MS = 5.0
MOST_DRIFT_MS = 10.0
"""Between sound and picture over the run, either way, beyond the noise; a third of a frame."""
SPARE = 3
"""Descriptors and threads that OBS itself opens and closes: websocket's, its pools'."""
FPS = 30
"""Of OBS and of the camera."""
MOST_OFF = 0.02
"""By which the filter's frames and the pictures that OBS drew in time may differ: each takes one."""
LEAST_JUDGED = 0.9
"""Of the frames and claps that are due: a recording that broke off proves nothing."""


@dataclasses.dataclass(frozen=True)
class Sample:
    """One look at everything."""

    hours: float
    obs: Held
    used_mb: float
    """What OBS's allocator has given out: frames that wait in OBS (up to 10 MB) come and go with it."""
    worker: Held
    delay_frames: int
    delay_p50_ms: float
    delay_p95_ms: float
    """Percentiles over the last 6,000 frames."""
    turnaround_p95_ms: float
    drawn: int
    lagged: int
    skipped: int
    """Frames of OBS: drawn, drawn late, left out by the encoder; since its start."""
    frames: dict[str, int]
    restarts: int


def run(folder: Path, minutes: float, every_s: float, persona: str) -> dict[str, Any]:
    """Swaps for so long; returns what was measured, ``problems`` and ``row`` with it."""
    camera = folder / "camera.i420"
    write_pictures(camera)
    library = compile_c(folder / "test_sources.so", [SCRIPTS / "test_sources.c"], "-shared", "-pthread")
    config = install_config(folder, build_native(folder / "native"), Path(sys.executable))
    setup = Setup([], [Scene(SCENE, []), Scene(EMPTY_SCENE, [])], scripts=(SCRIPT, REMOTE), config=config)
    samples: list[Sample] = []
    with VirtualDisplay() as display, Rig(folder / "obs", display.name, setup) as rig:
        rig.remote("register_sources", library)
        add_input(rig, MICROPHONE, "doppel_test_microphone", {})
        add_input(rig, CAMERA, "doppel_test_camera", {"pictures": str(camera)})
        rig.add_filter(CAMERA, persona=persona, sound_source=MICROPHONE)
        rig.wait_swapping()
        time.sleep(10)  # the delay and the sound's offset are set, the second worker is there
        begin = time.monotonic()
        before = sample(rig, 0.0)
        with rig.recording() as recording:
            while (passed := time.monotonic() - begin) < 60 * minutes:
                samples.append(sample(rig, passed / 3600))
                time.sleep(max(0.0, every_s - (time.monotonic() - begin - passed)))
                if not rig.alive():
                    raise AssertionError(f"OBS ended; its log:\n{rig.session.log()[-3000:]}")
        rig.wait_swapping()
        after = sample(rig, (time.monotonic() - begin) / 3600)
        result = rig.stop()
    problems = [f"OBS's log: {line}" for line in bad_lines(result.log)]
    if (result.exit_code, result.memory_leaks) != (0, 0):
        problems.append(f"OBS ended with code {result.exit_code} and {result.memory_leaks} leaks")
    return report(recording[0], samples, before, after, problems, minutes)


def add_input(rig: Rig, name: str, kind: str, settings: dict[str, object]) -> None:
    """Puts a source into the scene."""
    rig.request("CreateInput", sceneName=SCENE, inputName=name, inputKind=kind, inputSettings=settings)


def write_pictures(path: Path) -> None:
    """The coded clip as the camera wants it."""
    layout = FrameLayout.of(PixelFormat.I420, *SIZE)
    with path.open("wb") as file:
        for picture in coded_frames(*SIZE, CLIP_FRAMES):
            file.write(i420(picture, layout))


def sample(rig: Rig, hours: float) -> Sample:
    """Everything as it is now."""
    stats, obs = rig.request("GetStats"), rig.stats()
    lane = rig.lane()
    return Sample(
        hours,
        Held.by(psutil.Process(rig.pid)),
        round(Kept.by(rig).used_kb / 1e3, 3),
        Held.by(rig.worker()),
        lane["delay_frames"],
        lane["delay_ms"]["p50"],
        lane["delay_ms"]["p95"],
        lane["worker_ms"].get("turnaround", {}).get("p95", 0.0),
        stats["renderTotalFrames"],
        stats["renderSkippedFrames"],
        stats["outputSkippedFrames"],
        lane["frames"],
        obs["worker"]["restarts"],
    )


def report(
    recording: Path,
    samples: list[Sample],
    before: Sample,
    after: Sample,
    problems: list[str],
    minutes: float,
) -> dict[str, Any]:
    """What came of it."""
    hours = [one.hours for one in samples]
    growths = {
        "obs_mb": Growth.of(hours, [one.used_mb for one in samples]),
        "resident_mb": Growth.of(hours, [one.obs.rss_mb for one in samples]),
        "worker_mb": Growth.of(hours, [one.worker.rss_mb for one in samples]),
        "delay_ms": Growth.of(hours, [one.delay_p50_ms for one in samples]),
    }
    claps = clap_lags(recording)
    growths["sound_ms"] = Growth.of(*by_minute(claps))
    for name, least in (
        ("obs_mb", MOST_GROWTH_MB),
        ("worker_mb", MOST_GROWTH_MB),
        ("delay_ms", MOST_DELAY_MS),
    ):
        growth = growths[name]
        if growth is None or growth.is_more_than(least):
            problems.append(f"{name}: {growth} an hour")
    drift = growths["sound_ms"]
    if drift is None or drift.is_more_than(MOST_DRIFT_MS, falls=True):
        problems.append(f"the sound drifts: {drift} ms an hour over {len(claps)} claps")
    calm = samples[len(samples) // 4]
    problems += [f"OBS, {line}" for line in more_held(calm.obs, after.obs, SPARE)]
    problems += [f"worker, {line}" for line in more_held(calm.worker, after.worker, SPARE)]
    frames = {name: after.frames[name] - before.frames[name] for name in after.frames}
    lagged, drawn = after.lagged - before.lagged, after.drawn - before.drawn
    # The gate's count of frames is the sum of what became of them; how many there were OBS tells.
    if frames["in"] != sum(count for name, count in frames.items() if name != "in") or (
        abs(frames["in"] - (drawn - lagged)) > MOST_OFF * drawn
    ):
        problems.append(f"the counters do not add up: {frames}; OBS drew {drawn - lagged} pictures in time")
    if after.restarts != before.restarts:
        problems.append(f"the worker was restarted {after.restarts - before.restarts} times")
    shown = judge_recording(recording)
    if shown[Verdict.RAW.value] or shown[Verdict.UNKNOWN.value]:
        problems.append(f"the recording shows {dict(shown)}")
    for what, count, due in (
        ("recorded frames", sum(shown.values()), 60 * FPS * minutes),
        ("recorded frames with the swapped face", shown[Verdict.SWAPPED.value], 60 * FPS * minutes),
        ("claps", len(claps), 60 * minutes),
    ):
        if count < LEAST_JUDGED * due:
            problems.append(f"{count} {what} in {minutes:g} minutes, {due:.0f} are due")
    delays = sorted({one.delay_frames for one in samples})
    lags = [lag for _, lag in claps]
    row = (
        f"| {minutes:g} minutes of swapping in OBS | in {frames['in']:,}: "
        + ", ".join(f"{count:,} {name}" for name, count in frames.items() if name != "in" and count)
        + f"; recorded {sum(shown.values()):,}, {shown['raw'] + shown['unknown']} unjudged; OBS"
        f" {after.used_mb:.0f} MB, {growths['obs_mb']} MB an hour (resident {after.obs.rss_mb:.0f} MB,"
        f" {growths['resident_mb']}); worker {after.worker.rss_mb:.0f} MB,"
        f" {growths['worker_mb']} MB an hour; D {delays}, {growths['delay_ms']} ms an hour; sound"
        f" {statistics.median(lags or [0]):+.0f} ms, drift {drift} ms an hour; {lagged} of {drawn:,} frames"
        f" lagged | `python benchmarks/long_run.py --obs {minutes:g}` |"
    )
    return {
        "what": "obs",
        "minutes": minutes,
        "frames": frames,
        "recorded": dict(shown),
        "lagged": lagged,
        "drawn": drawn,
        "skipped": after.skipped - before.skipped,
        "delay_frames": delays,
        "growth": told(growths),
        "claps": len(claps),
        "sound_lag_ms": round(statistics.median(lags), 1) if lags else None,
        "first": dataclasses.asdict(before),
        "last": dataclasses.asdict(after),
        "problems": problems,
        "row": row,
        "samples": [dataclasses.asdict(one) for one in samples],
        "sound": [[round(at, 3), round(lag, 1)] for at, lag in claps],
    }


def by_minute(claps: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Hours and the median lag of each minute: a clap whose picture came late is taken for the next one's."""
    minutes: dict[int, list[float]] = {}
    for at, lag in claps:
        minutes.setdefault(int(at // 60), []).append(lag)
    return [(minute + 0.5) / 60 for minute in minutes], [statistics.median(lags) for lags in minutes.values()]


def judge_recording(recording: Path) -> collections.Counter[str]:
    """How many frames of a recording show what."""
    judge = Judge(coded_frames(*SIZE, CLIP_FRAMES), demo_truth().scaled(*SIZE))
    return collections.Counter(item.verdict.value for item in judged(judge, recording))
