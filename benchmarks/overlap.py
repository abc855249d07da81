"""What two lanes of a GPU cost whose frames overlap, on a device that is simulated.

``python benchmarks/overlap.py``: the kernels and the landmark network run on a thread that plays the GPU's
stream; the swapping network keeps that stream busy for some milliseconds, and nothing else. So this shows
how much of the processor's part of a frame lies beside the other lane's network, and no GPU's own times. One
round is one lane alone, then two lanes with a seat each, then two that share one; ratios are of medians.
"""

from __future__ import annotations

import functools
import statistics
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / name) for name in ("", "shared", "models", "obs_plugin")]

import cv2  # noqa: E402 - after the path
from doppel_worker.cli.lane_runs import seconds_together  # noqa: E402
from doppel_worker.frame import FrameView  # noqa: E402

from tests.support.desk import Desk, frame_of  # noqa: E402
from tests.support.stream_device import StreamDevice  # noqa: E402

NETWORK_MS = 5, 10, 20
FRAMES, ROUNDS = 24, 5


def seconds(desk: Desk, lanes: int) -> float:
    """Until so many lanes, each on a thread of its own, have had their frames judged."""
    frames = [[frame_of(lane, number) for number in range(1, FRAMES + 1)] for lane in range(lanes)]
    return seconds_together([functools.partial(judge, desk, lane, frames[lane]) for lane in range(lanes)])


def judge(desk: Desk, lane: int, frames: list[FrameView]) -> None:
    """One lane's frames."""
    desk.judge(lane, frames)


def main() -> None:
    """Prints a row for each network."""
    cv2.setNumThreads(1)
    print("| network | one lane, a frame | two lanes, a seat each | two lanes, one seat |\n|---|---|---|---|")
    for network_ms in NETWORK_MS:
        device = StreamDevice()
        desks = [Desk(device, "inswapper", seats, network_ms / 1000) for seats in (1, 2)]
        rounds = [(seconds(desks[0], 1), seconds(desks[1], 2), seconds(desks[0], 2)) for _ in range(ROUNDS)]
        alone, overlapped, in_turns = (statistics.median(way) for way in zip(*rounds, strict=True))
        device.close()
        print(
            f"| {network_ms} ms | {1000 * alone / FRAMES:.1f} ms | {overlapped / alone:.2f} times one |"
            f" {in_turns / alone:.2f} times one |"
        )


if __name__ == "__main__":
    main()
