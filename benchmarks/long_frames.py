"""Many frames through the real worker process and the ring, as fast as it judges them, without OBS.

The demo clip's frames go round and round with a mask on. One frame is with the worker and one waits, so it
never waits for us; every 250th time three are sent at once, so that some are given back unstarted, as under
load. Each frame is followed until it is judged or given back. One of 500 that come back is looked at:
does it show the filmed face?
"""

from __future__ import annotations

import collections
import dataclasses
import statistics
import time
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import psutil
from doppel_ipc import messages, native
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_models.types import ByteArray

from benchmarks.long_samples import Growth, Held, more_held, told
from tests.support import gate_side, native_build
from tests.support.coded_clip import coded_frames
from tests.support.demo_clip import demo_truth
from tests.support.judge import Judge
from tests.support.judge import Verdict as Shown
from tests.support.worker_process import WorkerProcess

SIZE = (640, 360)
CLIP_FRAMES = 360
PATIENCE_S = 30.0
BURST_EVERY, BURST = 250, 3
JUDGED_EVERY = 500
SAMPLES = 240
"""Over the whole run."""
POLL_S = 0.0002
MOST_GROWTH_MB = 4.0
"""Of the worker over the run, beyond the noise."""
LEAST_SWAPPED = 0.99
"""Of the judged frames: the demo clip shows its face in all of them."""
MOST_SLOWER_MS = 0.5
"""Processor time of a frame over the run, beyond the noise."""
SPARE = 2


@dataclasses.dataclass(frozen=True)
class Sample:
    """One look at the worker."""

    hours: float
    frames: int
    worker: Held
    cpu_ms: float
    """The worker's processor time per judged frame, since the sample before."""
    turnaround_ms: float
    """Median since the sample before; other work on the machine is in it."""


class Feeder:
    """Sends frames, and follows each of them.

    Args:
        gate: the ring's other side.
        frames: the clip in the gate's layout.
    """

    def __init__(self, gate: gate_side.GateSide, frames: list[bytes]) -> None:
        self._gate, self._frames = gate, frames
        self.sent = 0
        self.given_back = 0
        self.verdicts: collections.Counter[str] = collections.Counter()
        self.turnaround_ms: list[float] = []
        """Since it was emptied."""
        self._with_worker: list[int] = []
        """Numbers of the frames, oldest first."""

    @property
    def waiting(self) -> int:
        """Frames with the worker, or on their way there."""
        return len(self._with_worker)

    @property
    def wants_more(self) -> bool:
        """No frame waits for the worker: it has begun with the newest."""
        header = self._header(self._with_worker[-1]) if self._with_worker else None
        return header is None or header.state != native.FILLED

    def send(self) -> None:
        """Sends the clip's next frame."""
        number = self._gate.submit(self._frames[self.sent % len(self._frames)])
        assert number, "no slot is free"
        self.sent += 1
        self._with_worker.append(number)

    def take(self) -> list[tuple[int, bytes]]:
        """What has come back: numbers of the clip's frames, and their pictures now."""
        taken = []
        while self._with_worker:
            header = self._header(self._with_worker[0])
            if header is not None and header.state in (native.FILLED, native.BUSY):
                break
            number = self._with_worker.pop(0)
            result = (
                self._gate.result(upto=number) if header is not None and header.state == native.DONE else None
            )
            if result is None:
                self.given_back += 1
                continue
            verdict, pixels, done_ns = result
            assert header is not None
            self.verdicts[Verdict(verdict).name.lower()] += 1
            self.turnaround_ms.append((done_ns - header.submit_ns) / 1e6)
            taken.append(((number - 1) % len(self._frames), pixels))
        return taken

    def _header(self, number: int) -> native.SlotHeader | None:
        for slot in range(self._gate.slots):
            at = native.SLOT0_OFFSET + slot * native.SLOT_HEADER_BYTES
            header = native.SlotHeader.from_buffer_copy(self._gate.memory, at)
            if header.frame_id == number:
                return header
        return None


def run(folder: Path, count: int, persona: str) -> dict[str, Any]:
    """Sends ``count`` frames; returns what was measured, ``problems`` and ``row`` with it."""
    library_path = native_build.ring_library(folder)
    library = gate_side.load(library_path)
    pictures = list(coded_frames(*SIZE, CLIP_FRAMES))
    judge = Judge(pictures, demo_truth().scaled(*SIZE))
    layout = FrameLayout.of(PixelFormat.I420, *SIZE)
    samples: list[Sample] = []
    shown: collections.Counter[str] = collections.Counter()
    with (
        gate_side.GateSide(library, layout) as gate,
        WorkerProcess(library_path, folder / "worker", backend=None) as worker,
    ):
        worker.expect(messages.Ready, deadline=120)
        worker.open_lane(1, gate.segment.descriptor, FilterSettings(persona=persona))
        worker.expect(messages.Status, lambda status: status.state == "ready", deadline=120)
        feeder = Feeder(gate, [i420(picture, layout) for picture in pictures])
        process = psutil.Process(worker.process.pid)
        begin = last = time.monotonic()
        since, spent = 0, process.cpu_times()
        while feeder.sent < count or feeder.waiting:
            if feeder.sent < count and feeder.waiting < 2 and feeder.wants_more:
                burst = BURST if feeder.sent % BURST_EVERY == 0 else 1
                for _ in range(min(burst, count - feeder.sent)):
                    feeder.send()
            taken = feeder.take()
            for number, pixels in taken:
                if sum(feeder.verdicts.values()) % JUDGED_EVERY == 0:
                    seen = judge.judge(rgb(pixels))
                    assert seen.frame_number in (number, None)
                    shown[seen.verdict.value] += 1
            now = time.monotonic()
            if taken:
                last = now
            elif now - last > PATIENCE_S:
                raise TimeoutError(f"the worker does not answer; its log:\n{worker.stderr()[-2000:]}")
            else:
                time.sleep(POLL_S)
            if feeder.sent - since >= max(count // SAMPLES, 1):
                since = feeder.sent
                drain(worker)
                spent, before = process.cpu_times(), spent
                used_s = spent.user + spent.system - before.user - before.system
                samples.append(sample(process, feeder, (now - begin) / 3600, used_s))
        seconds = time.monotonic() - begin
        said = worker.expect(
            messages.LaneStatus,
            lambda status: status.frames + status.given_back >= feeder.sent,
            deadline=PATIENCE_S,
        )
    return report(feeder, samples, shown, said, seconds)


def sample(process: psutil.Process, feeder: Feeder, hours: float, used_s: float) -> Sample:
    """What the worker holds now, and spent on the frames since the last sample."""
    times, feeder.turnaround_ms = feeder.turnaround_ms, []
    each = round(1e3 * used_s / max(len(times), 1), 3)
    middle = round(statistics.median(times), 3) if times else 0.0
    return Sample(hours, feeder.sent, Held.by(process), each, middle)


def drain(worker: WorkerProcess) -> None:
    """Takes what the worker has said, which nobody else does."""
    while (message := worker.channel.receive(0.0)) is not None:
        if isinstance(message, messages.Error):
            raise AssertionError(f"the worker says: {message}")


def report(
    feeder: Feeder,
    samples: list[Sample],
    shown: collections.Counter[str],
    said: messages.LaneStatus,
    seconds: float,
) -> dict[str, Any]:
    """What came of it."""
    hours = [one.hours for one in samples]
    memory = Growth.of(hours, [one.worker.rss_mb for one in samples])
    cost = Growth.of(hours, [one.cpu_ms for one in samples])
    cpu_ms = statistics.median(one.cpu_ms for one in samples)
    turnaround_ms = statistics.median(one.turnaround_ms for one in samples)
    judged = sum(feeder.verdicts.values())
    problems = more_held(samples[len(samples) // 4].worker, samples[-1].worker, SPARE)
    if feeder.sent != judged + feeder.given_back:
        problems.append(f"of {feeder.sent} frames {judged} were judged and {feeder.given_back} given back")
    if (said.frames, said.given_back) != (judged, feeder.given_back):
        problems.append(f"the worker counted {said.frames} judged and {said.given_back} given back")
    if feeder.verdicts["swapped"] < LEAST_SWAPPED * judged:
        problems.append(f"of {judged} judged frames only {feeder.verdicts['swapped']} are swapped")
    if (
        shown[Shown.RAW.value]
        or shown[Shown.UNKNOWN.value]
        or (2 * sum(shown.values()) < judged // JUDGED_EVERY)
    ):
        problems.append(f"what came back showed {dict(shown)}")
    if memory is None or memory.is_more_than(MOST_GROWTH_MB):
        problems.append(f"the worker's memory: {memory} MB an hour")
    if cost is None or cost.is_more_than(MOST_SLOWER_MS):
        problems.append(f"processor time of a frame: {cost} ms an hour")
    verdicts = ", ".join(f"{number:,} {name}" for name, number in feeder.verdicts.items())
    row = (
        f"| {feeder.sent:,} frames without OBS | {feeder.sent / seconds:.0f} a second: {verdicts},"
        f" {feeder.given_back:,} given back; {sum(shown.values()):,} pictures judged, {shown['raw']} of them"
        f" filmed faces; worker {samples[-1].worker.rss_mb:.0f} MB, {memory} MB an hour; {cpu_ms:.1f} ms of"
        f" processor time a frame, {cost} ms an hour"
        f" | `python benchmarks/long_run.py --frames {feeder.sent}` |"
    )
    return {
        "what": "frames",
        "frames": feeder.sent,
        "seconds": round(seconds, 1),
        "verdicts": dict(feeder.verdicts),
        "given_back": feeder.given_back,
        "pictures_judged": dict(shown),
        "growth": told({"worker_mb": memory, "cpu_ms": cost}),
        "cpu_ms": cpu_ms,
        "turnaround_ms": turnaround_ms,
        "problems": problems,
        "row": row,
        "samples": [dataclasses.asdict(one) for one in samples],
    }


def i420(picture: ByteArray, layout: FrameLayout) -> bytes:
    """A picture, uint8 RGB, in the segment's layout: BT.709, limited range."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    converted = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
    whole = bytearray(layout.size)
    for plane, offset, rows, line in zip(
        converted.planes, layout.offset, layout.rows, layout.linesize, strict=False
    ):
        lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:rows, :line]
        whole[offset : offset + rows * line] = lines.tobytes()
    return bytes(whole)


def rgb(pixels: bytes) -> ByteArray:
    """The picture of such a frame; near enough in colour for the judge, who looks at luma."""
    width, height = SIZE
    flat = np.frombuffer(pixels, np.uint8)[: width * height * 3 // 2]
    return np.asarray(cv2.cvtColor(flat.reshape(height * 3 // 2, width), cv2.COLOR_YUV2RGB_I420), np.uint8)
