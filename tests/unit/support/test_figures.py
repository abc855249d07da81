"""Waiting for a swap takes nothing for one that a filter or a worker has left behind."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.integration.figures import CAMERA, GONE, Figures

OLD, NEW = 111, 222
"""Workers."""
Lane = tuple[int | None, int, str]
"""Of a filter: its first frame, how many were swapped, its state."""


class Told(Figures):
    """Tells one look after the other, the last one for ever: lanes, the worker, and who lives then."""

    def __init__(self, *looks: tuple[Sequence[Lane], int | None, set[int]]) -> None:
        super().__init__(Path("-"))
        self._looks = itertools.chain(looks, itertools.repeat(looks[-1]))
        self._living: set[int] = set()
        self.seen = 0

    def stats(self) -> dict[str, Any]:
        lanes, pid, self._living = next(self._looks)
        self.seen += 1
        return {
            "updated_ns": time.monotonic_ns() if self.seen > 1 else 0,
            "worker": {"pid": pid},
            "lanes": [
                {
                    "source": CAMERA,
                    "filter": "Face Swap",
                    "first_frame_ns": first,
                    "frames": {"swapped": swapped},
                    "state": state,
                }
                for first, swapped, state in lanes
            ],
        }

    def workers(self) -> Sequence[Any]:
        return [SimpleNamespace(pid=pid) for pid in self._living]

    def our_log(self) -> str:
        return ""


def swapping(count: int, first: int = 1) -> Lane:
    return first, count, "Swapping."


@pytest.mark.parametrize(
    ("looks", "enough"),
    [
        pytest.param(
            [([swapping(9)], OLD, {OLD}), ([swapping(9)], OLD, {OLD}), ([swapping(10)], OLD, {OLD})],
            3,
            id="one more frame",
        ),
        pytest.param(
            [
                ([swapping(9)], OLD, set()),
                ([swapping(12)], OLD, set()),  # counted before it was killed
                ([swapping(12)], NEW, {NEW}),
                ([swapping(13)], NEW, {NEW}),
            ],
            4,
            id="the worker was killed",
        ),
        pytest.param(
            [
                ([swapping(9)], OLD, {OLD}),
                ([(1, 12, GONE)], OLD, {OLD}),
                ([(1, 12, GONE), (None, 0, "")], OLD, {OLD}),
                ([(1, 12, GONE), swapping(1, first=7)], OLD, {OLD}),
            ],
            4,
            id="a filter of the same name was removed",
        ),
        pytest.param(
            [([], None, set()), ([swapping(0)], OLD, {OLD}), ([swapping(1)], OLD, {OLD})], 3, id="the first"
        ),
    ],
)
def test_a_swap_is_one_of_a_filter_and_a_worker_that_are_there(
    looks: list[tuple[Sequence[Lane], int | None, set[int]]], enough: int
) -> None:
    told = Told(*looks)
    told.wait_swapping()
    assert told.seen == enough


def test_a_filter_that_swaps_no_more_is_told() -> None:
    with pytest.raises(AssertionError, match="does not swap"):
        Told(([swapping(9)], OLD, {OLD})).wait_swapping(timeout=0.1)
