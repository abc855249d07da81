"""What the frame path adds to a frame's delay: a real worker that judges and changes nothing.

``python benchmarks/frame_path.py [--fps 30] [--frames 300] [--json]``. Needs the repository and its
development packages. Each frame is copied into the segment, taken, judged and handed back; times are the
slots' own (one monotonic clock). Two plain memory copies of the same frame, measured in the same run between
the frames, are the yardstick. Also: seconds from the start of the process to ``ready`` and to the first
judged frame.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / name) for name in ("", "shared", "models", "obs_plugin")]

from doppel_ipc import messages, native  # noqa: E402 - needs the paths above
from doppel_ipc.pixel_format import FrameLayout, PixelFormat  # noqa: E402
from doppel_ipc.settings import FilterSettings  # noqa: E402

from tests.support import gate_side, native_build  # noqa: E402
from tests.support.worker_process import WorkerProcess  # noqa: E402

SIZES = {"720p": (1280, 720), "1080p": (1920, 1080)}


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--fps", type=float, default=30)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        library_path = native_build.ring_library(Path(folder))
        figures = {
            name: measure(library_path, Path(folder) / name, size, options.fps, options.frames)
            for name, size in SIZES.items()
        }
    if options.json:
        print(json.dumps(figures, indent=2))
        return
    for name, values in figures.items():
        print(name, "  ".join(f"{key} {value:.3f}" for key, value in values.items()))


def measure(
    library_path: Path, folder: Path, size: tuple[int, int], fps: float, frames: int
) -> dict[str, float]:
    """Figures of one frame size: milliseconds, but for the two that are seconds."""
    library = gate_side.load(library_path)
    layout = FrameLayout.of(PixelFormat.NV12, *size)
    frame = bytes(layout.size)
    source, target = ctypes.create_string_buffer(layout.size), ctypes.create_string_buffer(layout.size)
    wake, answer, copies = [], [], []
    started = time.monotonic()
    with gate_side.GateSide(library, layout) as gate, WorkerProcess(library_path, folder) as worker:
        worker.expect(messages.Ready)
        ready = time.monotonic() - started
        worker.open_lane(1, gate.segment.descriptor, FilterSettings(persona="no-face"))
        first = 0.0
        due = time.monotonic()
        for _ in range(frames):
            begun = time.perf_counter_ns()
            ctypes.memmove(target, source, layout.size)
            ctypes.memmove(source, target, layout.size)
            copies.append((time.perf_counter_ns() - begun) / 1e6)
            gate.submit(frame)
            times = wait(gate, due + 20)
            first = first or time.monotonic() - started
            wake.append((times.start_ns - times.submit_ns) / 1e6)
            answer.append((times.done_ns - times.submit_ns) / 1e6)
            due = max(due + 1 / fps, time.monotonic())
            time.sleep(max(due - time.monotonic(), 0))
    warm = slice(10, None)
    return {
        "ready_s": ready,
        "first_judged_s": first,
        "wake_p50": percentile(wake[warm], 50),
        "wake_p99": percentile(wake[warm], 99),
        "turnaround_p50": percentile(answer[warm], 50),
        "turnaround_p99": percentile(answer[warm], 99),
        "two_copies_p50": percentile(copies[warm], 50),
        "two_copies_p99": percentile(copies[warm], 99),
    }


def wait(gate: gate_side.GateSide, deadline: float) -> native.SlotHeader:
    """The words of the slot that held the newest frame, once it is judged."""
    while time.monotonic() < deadline:
        for slot in range(gate.slots):
            at = native.SLOT0_OFFSET + slot * native.SLOT_HEADER_BYTES
            header = native.SlotHeader.from_buffer_copy(gate.memory, at)
            if header.frame_id == gate.last_id and header.state == native.DONE:
                gate.result()
                return header
        time.sleep(0.0005)
    raise TimeoutError("the worker does not answer")


def percentile(values: list[float], percent: int) -> float:
    """Nearest of 100 quantiles."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


if __name__ == "__main__":
    main()
