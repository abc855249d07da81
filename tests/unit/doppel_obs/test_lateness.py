from __future__ import annotations

import pytest
from doppel_ipc import gate_abi
from doppel_obs.lateness import WINDOW_NS, Lateness

LOOK_NS = 200_000_000
FRAMES = 6
"""Between two looks, at 30 frames a second."""
WINDOW = WINDOW_NS // LOOK_NS


class Camera:
    """A lane and its counters."""

    def __init__(self) -> None:
        self._lateness = Lateness()
        self._now_ns = 1
        self._gate = gate_abi.Status()

    def film(self, looks: int, late: int, *, swapping: bool = True, shown: str = "covered") -> bool:
        """So many looks, with so many late ones of the frames between two; what the last one found."""
        found = False
        for _ in range(looks):
            self._now_ns += LOOK_NS
            self._gate.frames_in += FRAMES
            setattr(self._gate, shown, getattr(self._gate, shown) + late)
            found = self._lateness.look(self._now_ns, self._gate, swapping=swapping)
        return found


@pytest.mark.parametrize("shown", ["covered", "original"])
def test_a_lane_is_late_while_results_come_too_late_again_and_again(shown: str) -> None:
    camera = Camera()
    assert not camera.film(2 * WINDOW, 0)
    assert not camera.film(4, 2, shown=shown), "a hiccup"
    assert camera.film(WINDOW, 2, shown=shown)
    assert not camera.film(WINDOW, 0)


def test_what_is_covered_before_it_swaps_is_not_late() -> None:
    camera = Camera()
    assert not camera.film(2 * WINDOW, FRAMES, swapping=False)
    assert not camera.film(2 * WINDOW, 0)
    assert camera.film(2 * WINDOW, FRAMES)
    assert not camera.film(1, FRAMES, swapping=False)
    assert not camera.film(WINDOW, FRAMES), "it has swapped for less than the window"


def test_the_state_does_not_flicker_between_two_shares() -> None:
    camera = Camera()
    assert not camera.film(2 * WINDOW, 1), "a sixth is not enough to begin"
    assert camera.film(2 * WINDOW, 3)
    assert camera.film(2 * WINDOW, 1), "and too much to end"


def test_a_camera_that_sends_nothing_is_not_late() -> None:
    gate = gate_abi.Status(frames_in=100, covered=50)
    lateness = Lateness()
    assert not any(lateness.look(number * LOOK_NS, gate, swapping=True) for number in range(3 * WINDOW))
