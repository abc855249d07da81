"""What the tests of faults share: another installation for a while, what a process holds, full disks."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest
from doppel_ipc.paths import InstallConfig

from installer.scene import FILTER_NAME
from tests.integration.rig import CAMERA, PROJECT, SCRIPT, Rig, wait_for
from tests.integration.stage import FPS, Stage, assert_nothing_unjudged, judged
from tests.support.handles import mappings
from tests.support.judge import Judge, Judgement, Verdict

BROKEN_WORKER = Path(__file__).parent / "broken_worker.py"
BOTH_WORKERS = 2
SETTLED_S = 60.0
NEVER_SHOWN = "the worker's pictures were never shown"
SPARE_FDS = 3
"""Descriptors that OBS itself opens and closes as it runs: obs-websocket's, the encoder's."""
SPARE_THREADS = 3
"""Threads of OBS's pools, Qt's and obs-websocket's, which come and go."""
SPARE_MB = 16.0
"""What OBS's allocator gives out and takes back all the time: up to 30 frames that wait (10 MB at 640 x 360),
the encoder's packets, pages of caches."""


@contextlib.contextmanager
def installed(rig: Rig, config: InstallConfig) -> Iterator[None]:
    """The script of a running OBS has another installation within the block, and its own again after it."""
    path = rig.folder / "doppel.json"
    before = path.read_text(encoding="utf-8")
    path.write_text(config.to_json(), encoding="utf-8")
    try:
        assert rig.remote("reload", SCRIPT)
        yield
    finally:
        path.write_text(before, encoding="utf-8")
        if rig.alive():
            assert rig.remote("reload", SCRIPT)


def page_of(rig: Rig, camera: str = CAMERA) -> str:
    """The status that the page of a camera's filter shows."""
    return str(rig.remote("page", camera, FILTER_NAME)["status"]["text"])


def page(stage: Stage) -> str:
    """The status that the filter's page shows."""
    return page_of(stage.rig, stage.camera)


def wait_swapping_anew(stage: Stage) -> None:
    """Returns when the filter swaps by the installation that it has got; old figures say nothing."""
    wait_for(lambda: "Swapping" in page(stage), SETTLED_S, f"it does not swap: {page(stage)}")
    stage.wait_swapping(timeout=SETTLED_S)


def write_program(path: Path, line: str) -> Path:
    """A shell script that passes for the worker's interpreter."""
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def is_running(parent: int, script: Path) -> bool:
    """True while a child of a process runs that script. (It may be none that the rig knows as a worker.)"""
    for child in psutil.Process(parent).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if str(script) in child.cmdline():
                return True
    return False


def broken_python(folder: Path, behaviour: str) -> Path:
    """A worker that misbehaves as ``broken_worker.py`` says."""
    return write_program(folder / behaviour, f'exec "{sys.executable}" "{BROKEN_WORKER}" {behaviour}')


@dataclasses.dataclass(frozen=True)
class Held:
    """What a process holds."""

    descriptors: int
    threads: int
    segments: int
    """Mappings of lanes' memory."""
    rss_mb: float

    @classmethod
    def by(cls, pid: int) -> Held:
        """What it holds now."""
        process = psutil.Process(pid)
        with process.oneshot():
            rss_mb = process.memory_info().rss / 1e6
            segments = mappings("memfd:doppel", pid)
            return cls(process.num_fds(), process.num_threads(), segments, rss_mb)

    def is_no_more_than(self, before: Held) -> bool:
        """True where nothing is left that was not there before, resident memory aside (see :class:`Kept`)."""
        return (
            self.descriptors <= before.descriptors + SPARE_FDS
            and self.threads <= before.threads + SPARE_THREADS
            and self.segments <= before.segments
        )

    def __str__(self) -> str:
        return (
            f"{self.descriptors} descriptors, {self.threads} threads, {self.segments} segments,"
            f" {self.rss_mb:.1f} MB"
        )


@dataclasses.dataclass(frozen=True)
class Kept:
    """What OBS's process keeps of memory. Its resident memory tells less: it holds what has been given back,
    too, and grows with each thread that comes and goes (glibc's arenas), with or without Doppel."""

    used_kb: float
    """What the allocator has given out."""
    objects: float
    """Python's, in OBS's one interpreter."""

    @classmethod
    def by(cls, rig: Rig) -> Kept:
        """What it keeps now."""
        now = rig.remote("memory")
        return cls(now["used"] / 1e3, now["objects"])

    def __str__(self) -> str:
        return f"{self.used_kb:.1f} KB, {self.objects:.1f} objects"


@dataclasses.dataclass(frozen=True)
class Calm:
    """OBS and its serving worker while the filter swaps and nothing is wrong."""

    obs: Held
    used_mb: float
    """What OBS's allocator has given out."""
    worker: psutil.Process
    worker_held: Held

    @classmethod
    def of(cls, rig: Rig) -> Calm:
        """As it is now."""
        worker = rig.worker()
        return cls(Held.by(rig.pid), Kept.by(rig).used_kb / 1e3, worker, Held.by(worker.pid))

    def is_no_more_than(self, before: Calm) -> bool:
        """True where OBS keeps nothing, nor the worker, if it is still the same."""
        same = self.worker == before.worker
        return (
            self.obs.is_no_more_than(before.obs)
            and (not same or self.worker_held.is_no_more_than(before.worker_held))
            and self.used_mb <= before.used_mb + SPARE_MB
        )

    def __str__(self) -> str:
        return f"OBS: {self.obs}, {self.used_mb:.1f} MB given out; worker: {self.worker_held}"


def growth(taken: Sequence[Kept]) -> Kept:
    """What each round adds, after a few at the start that fill caches.

    Up to 30 frames that wait in OBS come and go on top of what is kept, more on a busy machine: so the least
    of the last third is compared with the least of the first.
    """
    rounds = taken[len(taken) // 10 :]
    third = len(rounds) // 3
    first, last, between = rounds[:third], rounds[-third:], len(rounds) - third

    def slope(of: Callable[[Kept], float]) -> float:
        return (min(map(of, last)) - min(map(of, first))) / between

    return Kept(slope(lambda one: one.used_kb), slope(lambda one: one.objects))


def settled(stage: Stage) -> Calm:
    """Goes to the camera's scene; what OBS holds while the filter swaps and the second worker waits."""
    stage.show(swapping=False)
    stage.wait_swapping(timeout=SETTLED_S)
    wait_for(lambda: len(stage.rig.workers()) == BOTH_WORKERS, SETTLED_S, "no worker waits")
    # A recording's encoder ends its threads a moment after it.
    last = [Held.by(stage.rig.pid)]

    def is_calm() -> bool:
        time.sleep(0.2)
        last.append(Held.by(stage.rig.pid))
        return (last[-1].descriptors, last[-1].threads) == (last[-2].descriptors, last[-2].threads)

    wait_for(is_calm, SETTLED_S, "OBS's threads and descriptors do not come to rest")
    return Calm.of(stage.rig)


def assert_as_before(stage: Stage, before: Calm) -> Calm:
    """OBS lives, and holds no more descriptors, threads, lanes' memory and memory than before the fault."""
    assert stage.rig.alive()
    stage.wait_swapping(timeout=SETTLED_S)
    wait_for(lambda: len(stage.rig.workers()) == BOTH_WORKERS, SETTLED_S, "no worker waits")
    now = [Calm.of(stage.rig)]

    def is_back() -> bool:
        if not now[-1].is_no_more_than(before):
            time.sleep(0.2)
            now.append(Calm.of(stage.rig))
        return now[-1].is_no_more_than(before)

    with contextlib.suppress(AssertionError):
        wait_for(is_back, 20, "")
    assert is_back(), f"before: {before}; now: {now[-1]}"
    return now[-1]


def assert_covered(judge: Judge, recording: Path) -> list[Judgement]:
    """No frame of a recording is unjudged, and some are the worker's; says what it shows."""
    judgements = judged(judge, recording)
    assert_nothing_unjudged(judgements)
    # By the tests' own worker it is without detail. Before or after every fault the filter swaps.
    tell_shown(judgements)
    return judgements


def wait_covered(stage: Stage, frames: int = FPS) -> None:
    """Returns when so many more frames have been covered or held: OBS goes on while nothing is judged."""
    first = stage.lane().get("frames", {}).get("covered", 0)
    wait_for(
        lambda: stage.lane().get("frames", {}).get("covered", 0) >= first + frames,
        SETTLED_S,
        f"{frames} frames are not covered",
    )


def assert_no_filmed_face(judge: Judge, recording: Path) -> list[Judgement]:
    """For pictures of other sizes: the judge does not know their mosaics, but a filmed face it knows."""
    judgements = judged(judge, recording)
    assert not [item for item in judgements if item.verdict is Verdict.RAW]
    tell_shown(judgements)
    return judgements


def tell_shown(judgements: Sequence[Judgement]) -> None:
    """Prints what a recording shows; some of it must be the worker's."""
    assert any(item.verdict in (Verdict.SWAPPED, Verdict.BLURRED) for item in judgements), NEVER_SHOWN
    shown = {verdict.value: sum(item.verdict is verdict for item in judgements) for verdict in Verdict}
    print(f"{len(judgements)} frames, 0 filmed: { ({name: n for name, n in shown.items() if n}) }")


@contextlib.contextmanager
def small_disk(folder: Path, kilobytes: int = 256) -> Iterator[Path]:
    """A file system of its own, to be filled; skips the test where one may not be mounted."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Leaves no byte free."""
    with (folder / "ballast").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def project_without_networks(folder: Path) -> Path:
    """The project's packages, but for the bundled networks."""
    folder.mkdir()
    for name in ("shared", "obs_plugin"):
        (folder / name).symlink_to(PROJECT / name)
    models = folder / "models" / "doppel_models"
    models.mkdir(parents=True)
    origin = PROJECT / "models" / "doppel_models"
    for path in origin.rglob("*"):
        if "__pycache__" in path.parts or path.suffix == ".onnx":
            continue
        target = models / path.relative_to(origin)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            # A copy, not a link: Python would find the networks beside what the link leads to.
            target.write_bytes(path.read_bytes())
    return folder
