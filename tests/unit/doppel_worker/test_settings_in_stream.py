"""Every setting changed in mid-stream: what must be loaded is loaded beside the frames; they stay swapped."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from doppel_ipc.settings import FIELDS, FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_worker.backend import BackendConfig, LaneProcessor
from doppel_worker.swap_backend import load

from tests.support.coded_clip import coded_frames
from tests.support.frames import i420_frame
from tests.support.other_settings import NOT_MOVED, OTHERS

CLIP_FRAMES = 40
USUAL_FRAMES = 20
FRAMES_EACH = 2
"""After each change."""
MOST_COST = 8.0
"""Processor time of the lane's thread for a frame, over the usual one's. Measured 2.1, where one more face is
followed; a face's engine or a device's networks, loaded there, would be 10 to 30."""


class Stream:
    """One lane that is given the demo's frames, forwards and backwards."""

    def __init__(self, lane: LaneProcessor) -> None:
        clip = list(coded_frames(640, 360, CLIP_FRAMES))
        self._lane = lane
        self._frames = enumerate(itertools.cycle([*clip, *clip[::-1]]), 1)

    def frame(self, settings: FilterSettings | None = None) -> tuple[Verdict, float]:
        """Judges the next frame, with other settings where they are given: (verdict, processor seconds)."""
        number, rgb = next(self._frames)
        picture = i420_frame(rgb, number)
        start = time.thread_time()
        if settings is not None:
            self._lane.configure(settings)
        verdict = self._lane.process(picture).verdict
        return verdict, time.thread_time() - start


def changes(base: FilterSettings) -> Iterator[tuple[str, FilterSettings]]:
    """Every setting to another value and back."""
    for key in FIELDS:
        if key not in NOT_MOVED:
            yield f"{key} changed", base.replace(**{key: OTHERS[key]})
            yield f"{key} as before", base


def test_no_change_of_a_setting_covers_a_frame_or_makes_the_lane_load_something(tmp_path: Path) -> None:
    base = FilterSettings()
    lane = load(BackendConfig(tmp_path, lambda _code, _text: None)).open_lane(base)
    stream, deadline = Stream(lane), time.monotonic() + 120
    while stream.frame()[0] is not Verdict.SWAPPED:
        assert time.monotonic() < deadline
    usual = statistics.median(stream.frame()[1] for _ in range(USUAL_FRAMES))
    bad: list[str] = []
    for what, settings in changes(base):
        for number in range(FRAMES_EACH):
            verdict, spent = stream.frame(None if number else settings)
            if verdict is not Verdict.SWAPPED or spent > MOST_COST * usual:
                bad.append(f"{what}, frame {number}: {verdict.name}, {spent / usual:.1f} times the usual")
    lane.close()
    assert bad == []
