"""Sync offsets as OBS has them, and claps as a recording has them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from tests.integration.rig import Rig, wait_for
from tests.support.frame_code import FRAME_NUMBER
from tests.support.video import read_video

FRAME_MS = 1000 / 30
CLAP_FRAMES = 30
"""obs_scripts/test_sources.c: each so many frames begin with a clap."""
FRAMES_LEAST, CLAPS_LEAST = 30, 2
"""In a part of a recording, so that its medians say something."""
UNSTEADY_MS = 20.0
"""Between the quartiles of the pictures' lateness; the grid of 47 frames a second alone makes 11."""
_LOUD, _QUIET_S = 0.05, 0.3


def offset_ms(rig: Rig, name: str) -> int:
    return int(rig.request("GetInputAudioSyncOffset", inputName=name)["inputAudioSyncOffset"])


def wait_delayed(rig: Rig, name: str, own_ms: int, lane: Callable[[], dict[str, object]]) -> int:
    """Waits until the offset is the user's own and as many frames as the picture is late; returns it."""

    def is_delayed() -> bool:
        frames = lane().get("delay_frames")
        wanted = own_ms + float(frames) * FRAME_MS if isinstance(frames, int) else float("nan")
        return offset_ms(rig, name) == pytest.approx(wanted, abs=3)

    wait_for(is_delayed, 30, f"the offset is {offset_ms(rig, name)} ms, the lane {lane()}")
    return offset_ms(rig, name)


def clap_lags(recording: Path) -> list[tuple[float, float]]:
    """(seconds, milliseconds) of every clap: when it is heard, and how much later than its picture is seen.

    A clap's picture is the frame whose number is a multiple of 30; negative: it is heard earlier. One
    recording's claps can be compared to a frame; those of two cannot, because each begins its sound up to an
    audio packet beside its picture.
    """
    seen = list(_seen_s(recording))
    assert seen, "no clap is seen"
    heard = [onset for onset in _onsets_s(recording) if seen[0] - 0.5 < onset < seen[-1] + 0.5]
    return [(onset, 1000 * (onset - min(seen, key=lambda s: abs(s - onset)))) for onset in heard]


class Lateness:
    """How late sound and picture of a recording are; finer than :func:`clap_lags`, and reads it once.

    The picture's lateness is the median over all camera frames of a part, each taken where it is first seen.
    So frames that came late on a busy machine do not count, and what is left is the grid of the recording's
    own frames.

    Args:
        recording: of the cameras and microphones of obs_scripts/test_sources.c.
    """

    def __init__(self, recording: Path) -> None:
        self._frames = list(_first_seen(recording))
        self._onsets = list(_onsets_s(recording))

    def lag_ms(self, begin: float, end: float) -> float | None:
        """How much later than its picture a clap is heard in a part, milliseconds, within half a second.

        None where that cannot be told: OBS stood still, or pictures came now early, now late.

        Args:
            begin: of the part, seconds from the recording's start.
            end: of the part.
        """
        late = [at - number * FRAME_MS / 1000 for at, number in self._frames if begin <= at < end]
        onsets = [onset for onset in self._onsets if begin <= onset < end]
        if len(late) < FRAMES_LEAST or len(onsets) < CLAPS_LEAST:
            return None
        low, picture, high = statistics.quantiles(late, n=4)
        if 1000 * (high - low) > UNSTEADY_MS:
            return None
        clap_s = CLAP_FRAMES * FRAME_MS / 1000
        lags = [(onset - picture + clap_s / 2) % clap_s - clap_s / 2 for onset in onsets]
        return 1000 * float(statistics.median(lags))


def _first_seen(recording: Path) -> Iterator[tuple[float, int]]:
    """(seconds, number) of every camera frame where it is first seen."""
    before: int | None = None
    for seconds, rgb in read_video(recording):
        number = FRAME_NUMBER.read(rgb).value
        if number is not None and number != before:
            before = number
            yield seconds, number


def _seen_s(recording: Path) -> Iterator[float]:
    """When the frames of the claps are seen, seconds."""
    before: int | None = None
    for seconds, rgb in read_video(recording):
        number = FRAME_NUMBER.read(rgb).value
        if number is None:
            continue
        if before is not None and number // CLAP_FRAMES == before // CLAP_FRAMES + 1:
            # The very frame may have been left out; the next one tells its time as well.
            yield seconds - number % CLAP_FRAMES * FRAME_MS / 1000
        before = number


def _onsets_s(recording: Path) -> Iterator[float]:
    """When sound begins after silence, seconds."""
    quiet_since = None
    with av.open(str(recording)) as container:
        for frame in container.decode(container.streams.audio[0]):
            samples = np.abs(np.atleast_2d(frame.to_ndarray().astype(np.float32))).max(axis=0)
            start = float(frame.time or 0.0)
            if quiet_since is None:
                quiet_since = start
            for index in np.flatnonzero(samples > _LOUD):
                at = start + index / frame.sample_rate
                if at - quiet_since > _QUIET_S:
                    yield at
                quiet_since = at
