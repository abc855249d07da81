"""Two real processes, this one as the gate, the worker as OBS starts it. Its end: ``test_process_ends``."""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import statistics
import struct
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from doppel_ipc import messages
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict

from tests.support.gate_side import GateSide
from tests.support.handles import mappings, open_descriptors
from tests.support.lanes import LAYOUT
from tests.support.worker_process import WorkerProcess, next_result, open_lane, wait_until

LARGE = FrameLayout.of(PixelFormat.I420, 1280, 720)


def stamped(layout: FrameLayout, number: int) -> bytes:
    """A noisy frame that carries a number and the time of its making in its first bytes."""
    noise = np.random.default_rng(number % 3).integers(0, 256, layout.size, np.uint8).tobytes()
    return struct.pack("<QQ", number, time.monotonic_ns()) + noise[16:]


def inverted(frame: bytes, layout: FrameLayout) -> bytes:
    """What the box backend's ``invert`` makes of a frame: its planes' bytes inverted, gaps left alone."""
    pixels = np.frombuffer(frame, np.uint8).copy()
    for offset, rows, line in zip(layout.offset, layout.rows, layout.linesize, strict=True):
        pixels[offset : offset + rows * line] ^= 255
    return pixels.tobytes()


@pytest.mark.parametrize("layout", [LARGE, FrameLayout.of(PixelFormat.YUY2, 333, 251)], ids=["720p", "odd"])
def test_pixels_come_back_edited_and_the_stamp_gives_the_latency(
    worker: WorkerProcess, ring_library: ctypes.CDLL, layout: FrameLayout
) -> None:
    latencies = []
    with GateSide(ring_library, layout) as gate:
        open_lane(worker, gate)
        for number in range(40):
            sent = stamped(layout, number)
            gate.submit(sent)
            verdict, pixels, done_ns = next_result(gate)
            assert verdict == Verdict.SWAPPED
            assert pixels == inverted(sent, layout)
            back, made_ns = struct.unpack("<QQ", bytes(255 - value for value in pixels[:16]))
            assert back == number
            # The worker's clock is ours.
            assert made_ns < done_ns <= time.monotonic_ns()
            latencies.append((done_ns - made_ns) / 1e6)
        status = worker.expect(messages.LaneStatus, lambda seen: seen.frames == 40)
    # The worker's own figure cannot be larger than what the stamp saw, give or take its own clock reading.
    assert 0 < status.turnaround_ms_p50 <= max(latencies) + 5


def test_a_fast_camera_gets_only_judged_frames_in_order(worker: WorkerProcess, gate: GateSide) -> None:
    open_lane(worker, gate)
    shown: list[int] = []

    def look() -> None:
        found = gate.result()
        if found is not None:
            assert found[0] == Verdict.SWAPPED
            head = bytes(255 - value for value in found[1][:8])
            shown.append(struct.unpack("<Q", head)[0])

    last, number, end = 0, 0, time.monotonic() + 60
    # Where the worker does not get a turn meanwhile, the camera goes on.
    while number < 1500 or (len(shown) <= 10 and time.monotonic() < end):
        last = number if gate.submit(stamped(LAYOUT, number)) else last
        number += 1
        look()
    wait_until(lambda: last in shown, "the last frame", meanwhile=look)
    assert len(shown) > 10
    assert shown == sorted(set(shown))


def test_several_lanes_are_served_by_one_worker(worker: WorkerProcess, ring_library: ctypes.CDLL) -> None:
    layouts = [FrameLayout.of(fmt, 48, 32) for fmt in (PixelFormat.NV12, PixelFormat.BGRA, PixelFormat.I444)]
    gates = [GateSide(ring_library, layout) for layout in layouts]
    for number, gate in enumerate(gates, start=1):
        open_lane(worker, gate, number)
    for value in range(30):
        for gate in gates:
            gate.submit(bytes([value]) * gate.layout.size)
        for gate in gates:
            assert next_result(gate)[1] == inverted(bytes([value]) * gate.layout.size, gate.layout)
    for gate in gates:
        gate.close()


def test_a_running_worker_leaves_no_trace_of_closed_lanes(
    worker: WorkerProcess, ring_library: ctypes.CDLL
) -> None:
    process = psutil.Process(worker.process.pid)

    def serve(lane: int) -> None:
        with GateSide(ring_library, LAYOUT) as gate:
            open_lane(worker, gate, lane)
            gate.submit(bytes(LAYOUT.size))
            next_result(gate)
            worker.send(messages.CloseLane(lane))

    def held() -> tuple[int, int, int]:
        shared = sum(
            "doppel" in part.path for part in process.memory_maps(grouped=False) if "memfd" in part.path
        )
        return process.num_fds(), process.num_threads(), shared

    serve(1)
    wait_until(lambda: held()[2] == 0, "the first lane's end")
    before, ours = held(), (open_descriptors(), mappings("memfd:doppel"))
    for lane in range(2, 12):
        serve(lane)
    wait_until(lambda: held() == before, f"the last lane's end: {before}")
    assert (open_descriptors(), mappings("memfd:doppel")) == ours


def test_the_heartbeat_comes_at_least_once_a_second(worker: WorkerProcess) -> None:
    worker.expect(messages.Status)
    times = [time.monotonic()]
    for _ in range(3):
        worker.expect(messages.Status)
        times.append(time.monotonic())
    # OBS takes 5 s for a hang; one pause may be the machine's, which can stand still.
    assert statistics.median(b - a for a, b in itertools.pairwise(times)) < 4.5


def test_a_stopped_worker_never_blocks_obs(worker: WorkerProcess, gate: GateSide) -> None:
    open_lane(worker, gate)
    worker.process.send_signal(signal.SIGSTOP)
    try:
        for serial in range(3000):
            worker.send(messages.Settings(1, serial, FilterSettings()))
            worker.send(messages.Ping(serial + 1))
    finally:
        worker.process.send_signal(signal.SIGCONT)
    worker.expect(messages.Pong, lambda pong: pong.number == 3000)
    worker.expect(messages.LaneStatus, lambda status: status.serial == 2999)


def test_what_libraries_print_does_not_reach_the_protocol(
    ring_library_path: Path, tmp_path: Path, gate: GateSide
) -> None:
    with WorkerProcess(ring_library_path, tmp_path, backend="tests.support.noisy_backend:load") as worker:
        open_lane(worker, gate)
        gate.submit(bytes(LAYOUT.size))
        assert next_result(gate)[0] == Verdict.SWAPPED
        worker.send(messages.Ping(1))
        worker.expect(messages.Pong)
        assert "printed by a library" in worker.stderr()
        assert "written to descriptor 1" in worker.stderr()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the batch policy")
def test_a_wake_of_the_worker_interrupts_no_other_program(worker: WorkerProcess) -> None:
    worker.expect(messages.Ready)
    threads = [int(task.name) for task in Path(f"/proc/{worker.process.pid}/task").iterdir()]
    assert {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_BATCH}
