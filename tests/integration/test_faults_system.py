"""Faults of the system: no memory to share, full disks, a sleeping computer, a clock that jumps, odd sizes.

Through each of them OBS goes on, no frame is unjudged, and afterwards OBS holds what it held before.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import mmap
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from doppel_ipc.paths import InstallConfig
from doppel_models.types import ByteArray

from installer.scene import FILTER_NAME, Scene, media_source
from tests.integration.faults import (
    BOTH_WORKERS,
    SETTLED_S,
    Held,
    assert_as_before,
    assert_covered,
    assert_no_filmed_face,
    fill,
    installed,
    page_of,
    settled,
    small_disk,
    wait_swapping_anew,
)
from tests.integration.rig import CAMERA, REMOTE, SCENE, SCRIPT, Rig, Setup, face_swap, wait_for
from tests.integration.stage import FPS, Stage
from tests.support.checkerboard import contrast, squares
from tests.support.coded_clip import coded_frames, write_coded_clip
from tests.support.judge import Judge
from tests.support.portrait import FIXTURES
from tests.support.video import read_video, write_lossless, write_video

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux's own")
SLEPT_S = 8.0
"""Longer than every patience of OBS's side with a worker."""
DAY_S = 86_400
NO_ROOM = "has no room for"
MOST_CONTRAST = 0.25
"""Of a checkerboard that is covered or painted over; one that is shown has 0.9."""
PORTRAIT = FIXTURES / "astronaut.png"


class Hindrance:
    """What the library ``hindrance.c`` does inside OBS."""

    def __init__(self, folder: Path) -> None:
        self.library, self.path = folder / "hindrance.so", folder / "orders"
        self.path.write_bytes(bytes(16))
        source = Path(__file__).parent / "hindrance.c"
        command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(self.library), str(source)]
        subprocess.run(command, check=True, timeout=60)
        loaded = " ".join(filter(None, (os.environ.get("LD_PRELOAD"), str(self.library))))
        self.environ = {"LD_PRELOAD": loaded, "DOPPEL_TEST_HINDRANCE": str(self.path)}

    def order(self, *, full: bool = False, ahead_s: int = 0) -> None:
        """From now on."""
        with self.path.open("r+b") as file, mmap.mmap(file.fileno(), 16) as shared:
            shared[:] = struct.pack("<qq", full, ahead_s)


@linux
def test_no_memory_to_share_and_a_clock_that_jumps(
    start_obs: Callable[[Setup], Rig], mark_config: InstallConfig, clip: Path, judge: Judge, tmp_path: Path
) -> None:
    hindrance = Hindrance(tmp_path)
    hindrance.order(full=True)
    camera = media_source(CAMERA, clip, filters=[face_swap()])
    scripts, environ = (SCRIPT, REMOTE), hindrance.environ
    rig = start_obs(Setup([camera], [Scene(SCENE, [CAMERA])], scripts, mark_config, environ))
    with rig.recording() as recording:
        wait_for(lambda: rig.lane().get("frames", {}).get("covered", 0) > 60, SETTLED_S, "nothing is covered")
        assert rig.lane()["frames"]["swapped"] == 0
        wait_for(lambda: NO_ROOM in page_of(rig), SETTLED_S, f"not said: {page_of(rig)}")
        hindrance.order(full=False)
        rig.wait_swapping(timeout=SETTLED_S)
        wait_for(lambda: len(rig.workers()) == BOTH_WORKERS, SETTLED_S, "no worker waits")
        held, worker = Held.by(rig.pid), rig.worker()
        no_memory_for_another_format(rig, hindrance, clip, tmp_path / "full.mp4")
        for ahead_s in (DAY_S, -DAY_S, 0):
            hindrance.order(ahead_s=ahead_s)
            assert rig.remote("clock") - time.time() == pytest.approx(ahead_s, abs=DAY_S / 24)
            before = rig.lane()
            rig.wait_swapping(timeout=SETTLED_S)
            rig.wait_swapping(timeout=SETTLED_S)
            after = rig.lane()
            lost = after["frames"]["covered"] - before["frames"]["covered"]
            print(f"clock {ahead_s:+} s: {lost} of {after['frames']['in'] - before['frames']['in']} covered")
            assert after["delay_frames"] <= before["delay_frames"] + 1
        assert rig.worker() == worker
        wait_for(
            lambda: Held.by(rig.pid).is_no_more_than(held),
            SETTLED_S,
            f"before: {held}, now: {Held.by(rig.pid)}",
        )
    assert_covered(judge, recording[0])
    result = rig.stop()
    assert (result.exit_code, result.memory_leaks) == (0, 0)
    assert f"shared memory {NO_ROOM}" in result.log


def no_memory_for_another_format(rig: Rig, hindrance: Hindrance, clip: Path, other: Path) -> None:
    """Memory is full when the source changes, and no lane for its new frames can be made; then it can."""
    write_coded_clip(other, 640, 360, count=60, pixel_format="yuv444p")
    hindrance.order(full=True)
    rig.request("SetInputSettings", inputName=CAMERA, inputSettings={"local_file": str(other)})
    wait_for(lambda: rig.lane().get("pixel_format") == "I444", SETTLED_S, "the format is not followed")
    rig.more_frames(FPS, "covered")
    wait_for(lambda: NO_ROOM in page_of(rig), SETTLED_S, f"not said: {page_of(rig)}")
    hindrance.order(full=False)
    rig.wait_swapping(timeout=SETTLED_S)
    rig.request("SetInputSettings", inputName=CAMERA, inputSettings={"local_file": str(clip)})
    wait_for(lambda: rig.lane().get("pixel_format") == "I420", SETTLED_S, "the format is not followed back")
    rig.wait_swapping(timeout=SETTLED_S)
    assert rig.lane()["frames"]["original"] == 0


@linux
def test_a_segment_has_no_file_that_could_be_removed_and_cannot_be_cut(stage: Stage, judge: Judge) -> None:
    before = settled(stage)
    with stage.rig.recording() as recording:
        try_to_cut_segments(stage)
        stage.wait_swapping(timeout=SETTLED_S)
    assert_covered(judge, recording[0])
    assert_as_before(stage, before)


def try_to_cut_segments(stage: Stage) -> None:
    """Shortens and lengthens the lanes' memory that OBS and the worker map; the kernel must refuse."""
    segments = []
    for process in (psutil.Process(stage.rig.pid), stage.rig.worker()):
        folder = Path(f"/proc/{process.pid}/map_files")
        try:
            found = [path for path in folder.iterdir() if "memfd:doppel" in str(path.readlink())]
        except PermissionError:
            pytest.skip("only root may look at another process's mappings")
        assert found, "no segment is mapped"
        assert all(str(path.readlink()).endswith(" (deleted)") for path in found)
        segments += found
    tried = 0
    for path in segments:
        try:
            handle = os.open(path, os.O_RDWR)
        except (PermissionError, FileNotFoundError):
            continue  # the system forbids even that much, or the lane has just changed
        with contextlib.closing(os.fdopen(handle, "r+b", buffering=0)):
            for size in (0, 1 << 30):
                with pytest.raises(PermissionError):
                    os.ftruncate(handle, size)
        tried += 1
    if not tried:
        pytest.skip("not even root may open another process's mappings here")


@linux
def test_full_disks_for_log_and_faces_are_said_and_the_swap_goes_on(
    stage: Stage, judge: Judge, real_config: InstallConfig, tmp_path: Path
) -> None:
    # Where all processors are taken, a worker that prepares a face may count as hung.
    for text in ("cannot be written", "[doppel] worker:", "No space left", "not added", "is started again"):
        stage.expect_warning(text)
    before = settled(stage)

    def answer() -> str:
        page = stage.rig.remote("page", stage.camera, FILTER_NAME)
        return str(page.get("add_answer", {}).get("text", ""))

    with small_disk(tmp_path / "full") as disk, stage.rig.recording() as recording:
        for name in ("logs", "personas"):
            (disk / name).mkdir()
        fill(disk)
        config = dataclasses.replace(real_config, log_dir=disk / "logs", persona_dir=disk / "personas")
        mark, begun = len(stage.rig.session.log()), time.monotonic()
        with installed(stage.rig, config):
            wait_swapping_anew(stage)
            photo = {"add_path": str(PORTRAIT), "add_ground": "public-domain", "add_confirmed": True}
            stage.rig.set_filter(stage.camera, **photo)
            press_add(stage)

            def is_refused() -> bool:
                said = answer()
                if "worker stopped" in said or "not ready" in said:
                    press_add(stage)
                return os.strerror(errno.ENOSPC) in said

            wait_for(is_refused, SETTLED_S, f"not said: {answer()!r}")
            stage.wait_swapping(timeout=SETTLED_S)
            assert not [path for path in (disk / "personas").iterdir() if path.is_dir()], (
                "half a face is left"
            )
        said = stage.rig.session.log()[mark:]
        stage.wait_swapping(timeout=SETTLED_S)
    # OBS's side and both workers, each once a minute.
    most = 3 * (2 + (time.monotonic() - begun) // 60)
    assert 1 <= said.count("doppel.log cannot be written") <= most, said
    assert_covered(judge, recording[0])
    assert_as_before(stage, before)


@linux
def test_a_computer_that_slept_goes_on_with_the_same_worker(stage: Stage, judge: Judge) -> None:
    """Everything is stopped at once. (Asleep, the monotonic clock would even stand still.)"""
    before = settled(stage)
    worker = stage.rig.worker()
    with stage.rig.recording() as recording:
        for order in ("suspend", "resume"):
            for process in (psutil.Process(stage.rig.pid), *stage.rig.workers()):
                getattr(process, order)()
            if order == "suspend":
                time.sleep(SLEPT_S)  # so long is the sleep
        stage.wait_swapping(timeout=SETTLED_S)
        stage.wait_swapping(timeout=SETTLED_S)
    assert stage.rig.worker() == worker
    assert_covered(judge, recording[0])
    assert_as_before(stage, before)


def press_add(stage: Stage) -> None:
    stage.rig.remote("press", stage.camera, FILTER_NAME, "add_photo")


def frames_of(width: int, height: int, count: int) -> Iterator[ByteArray]:
    """The coded clip, or where a frame has no room for its number, a checkerboard."""
    if width > 100:
        return coded_frames(width, height, count)
    return (squares(width, height, number) for number in range(count))


@pytest.fixture
def odd_stage(stage: Stage) -> Iterator[Stage]:
    stage.show()
    yield stage
    stage.play(stage.clip)
    stage.wait_swapping(timeout=SETTLED_S)


@pytest.mark.parametrize(
    ("width", "height", "count"),
    [
        (1, 1, 30),
        (16, 9, 30),
        (33, 17, 30),
        (641, 361, 30),
        (7680, 4320, 6),
    ],
)
def test_a_source_of_any_size_is_followed(
    odd_stage: Stage, judge: Judge, tmp_path: Path, width: int, height: int, count: int
) -> None:
    stage = odd_stage
    path = tmp_path / "odd.mkv"
    if count > 10:
        write_lossless(path, frames_of(width, height, count))
    else:  # OBS needs seconds for a lossless frame of 8K, and much of one to draw it without a graphics card
        write_video(path, frames_of(width, height, count), fps=3, preset="ultrafast")
    before = settled(stage)
    with stage.rig.recording() as recording:
        stage.play(path)
        wait_for(lambda: stage.lane().get("width") == width, SETTLED_S, f"{stage.lane()}")
        if count > 10:
            stage.wait_swapping(timeout=SETTLED_S)
        else:  # without a graphics card OBS may draw one in three seconds: what is so far apart is covered
            first = stage.lane()["submitted"]
            wait_for(lambda: stage.lane()["submitted"] > first + count, SETTLED_S, f"{stage.lane()}")
        lane = stage.lane()
        stage.play(stage.clip)
        wait_for(lambda: stage.lane().get("width") == 640, SETTLED_S, "the first size does not come back")
        stage.wait_swapping(timeout=SETTLED_S)
    assert (lane["width"], lane["height"], lane["frames"]["original"]) == (width, height, 0)
    counts = lane["frames"]
    assert_no_filmed_face(judge, recording[0])
    if 1 < width < 100:  # (of a single pixel the cover is the pixel)
        most = max(contrast(shown, width, height) for _, shown in read_video(recording[0]))
        assert most < MOST_CONTRAST, f"the squares are seen: {most:.2f}"
    print(f"{width} x {height}: {lane['pixel_format']}, {counts}")
    assert_as_before(stage, before)
