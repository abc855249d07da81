"""Colours of a swapped face follow the filmed one, calmly."""

from __future__ import annotations

import numpy as np
from doppel_models.engines.crops import color
from doppel_models.types import ByteArray

WEIGHT = np.ones((64, 64), np.float32)
RNG = np.random.default_rng(5)


def textured(mean: tuple[float, float, float], spread: float) -> ByteArray:
    pattern = np.random.default_rng(1).normal(0, spread, (96, 96, 1))
    return np.clip(np.asarray(mean) + pattern, 0, 255).astype(np.uint8)


def test_mean_and_contrast_become_those_of_the_filmed_face() -> None:
    match = color.ColorMatch()
    swapped, live = textured((120, 100, 90), 16), textured((150, 110, 80), 20)
    out = color.apply(match.follow(swapped, live, WEIGHT, 0.03), swapped)
    assert np.abs(out.mean(axis=(0, 1)) - live.mean(axis=(0, 1))).max() < 1.5
    assert abs(out.std() / live.std() - 1) < 0.1


def test_a_swap_in_the_right_colours_is_left_as_it_is() -> None:
    picture = textured((120, 100, 90), 16)
    out = color.apply(color.ColorMatch().follow(picture, picture, WEIGHT, 0.03), picture)
    assert np.abs(out.astype(int) - picture).max() <= 1


def test_noise_does_not_make_the_face_flicker_and_a_lamp_is_followed_at_once() -> None:
    match = color.ColorMatch()
    swapped, live = textured((120, 100, 90), 16), textured((150, 110, 80), 20).astype(float)
    seen = []
    for _ in range(60):
        noisy = np.clip(live + RNG.normal(0, 4, 3), 0, 255).astype(np.uint8)
        seen.append(color.apply(match.follow(swapped, noisy, WEIGHT, 1 / 30), swapped).mean())
    # The light itself changes by two or three levels from frame to frame.
    assert np.abs(np.diff(seen[10:])).mean() < 0.5
    bright = np.clip(live + 60, 0, 255).astype(np.uint8)
    lamp = color.apply(match.follow(swapped, bright, WEIGHT, 1 / 30), swapped).mean()
    assert lamp > seen[-1] + 30


def test_where_nothing_of_the_face_is_seen_colours_stay() -> None:
    swapped, live = textured((120, 100, 90), 16), textured((220, 30, 80), 20)
    colors = color.ColorMatch().follow(swapped, live, np.zeros((64, 64), np.float32), 0.03)
    assert colors == color.UNCHANGED


def test_changes_have_limits() -> None:
    swapped, live = textured((40, 40, 40), 4), textured((230, 20, 230), 60)
    (gain, offset) = color.ColorMatch().follow(swapped, live, WEIGHT, 0.03)
    assert max(gain) <= 1.35
    out = color.apply((gain, offset), swapped)
    assert np.abs(out.mean(axis=(0, 1)) - swapped.mean(axis=(0, 1))).max() < 47
