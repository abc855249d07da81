"""The score: what the head does at each moment of the clip. It ends as it begins, so the clip loops."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from doppel_demo.head import Pose

FPS = 30
SECONDS = 12.0

# (second, value): reached then, by a smooth movement from the one before. Degrees, portrait pixels.
# fmt: off
_YAW = (
    (0, 0), (0.9, -4), (1.8, 5), (2.7, 2), (3.5, 30), (4.2, 31), (5.0, 2), (5.7, -3), (6.5, -30),
    (7.2, -31), (8.1, -3), (8.8, 4), (10.1, -5), (11.0, 4), (12, 0),
)
_PITCH = (
    (0, 0), (0.7, 3), (1.5, -4), (2.4, 3), (3.5, -2), (5.0, 4), (6.5, -3), (8.1, 1), (8.7, 12), (9.3, 11),
    (10.0, -12), (10.6, -10), (11.3, 2), (12, 0),
)
_ROLL = (
    (0, 0), (1.2, 4), (2.4, -3), (3.5, 3), (4.4, -2), (5.4, 2), (6.5, -4), (7.6, 9), (8.2, 8), (9.0, -2),
    (10.0, -9), (10.7, -7), (11.4, 2), (12, 0),
)
_SCALE = (
    (0, 1), (2.0, 1.02), (3.6, 0.98), (5.4, 1.03), (7.0, 0.98), (9.0, 1.0), (10.2, 1.06), (11.2, 1.0),
    (12, 1),
)
_SWAY_X = (
    (0, 0), (1.5, 4), (3.5, 9), (5.2, -1), (6.8, -10), (8.4, 3), (10.0, -5), (11.2, 2), (12, 0),
)
_SWAY_Y = (
    (0, 0), (1.0, 1.5), (2.6, -0.5), (4.4, 3), (6.0, 0), (7.8, 2.5), (9.6, 0), (11, 1.5), (12, 0),
)
_SMILE = (
    (0, 0.2), (0.5, 0), (2.9, 0), (3.3, 0.2), (4.6, 0), (7.4, 0), (7.9, 1.0), (8.9, 1.0), (9.4, 0),
    (11.4, 0), (12, 0.2),
)
_BROWS = (
    (0, 0), (1.6, 0), (1.85, 0.8), (2.3, 0.7), (2.6, 0), (5.2, 0), (5.45, 0.5), (5.9, 0), (8.5, 0),
    (8.8, 0.9), (9.3, 0.8), (9.6, 0), (12, 0),
)
# fmt: on
_BLINKS = (0.45, 2.55, 3.15, 5.05, 6.05, 7.65, 9.55, 10.9)
"""Seconds at which the lids are closed."""


@dataclasses.dataclass(frozen=True, slots=True)
class Syllable:
    """One opening of the mouth, and the sound that goes with it."""

    start: float
    """Seconds."""
    length: float
    """Seconds."""
    opening: float
    """0..1, of the jaw."""
    rounding: float
    """0..1, of the lips: 'oo' against 'ah'."""
    pitch: float
    """Of the voice, hertz."""
    hiss: bool
    """A consonant's noise before it."""

    @property
    def end(self) -> float:
        """Seconds."""
        return self.start + self.length


def syllables() -> tuple[Syllable, ...]:
    """Three phrases of irregular syllables, always the same, and one long 'ah'."""
    rng = np.random.default_rng(20)
    out = []
    for begin, end in ((0.7, 2.9), (4.6, 6.1), (9.7, 11.3)):
        at = begin
        while at < end - 0.15:
            length = float(rng.uniform(0.15, 0.27))
            opening = float(rng.uniform(0.3, 0.75))
            rounding = float(rng.choice([0.0, 0.2, 0.8], p=[0.45, 0.35, 0.2]))
            declining = 215 - 45 * (at - begin) / (end - begin)
            pitch = declining * float(rng.uniform(0.95, 1.06))
            out.append(
                Syllable(
                    at, length, opening * (1 - 0.3 * rounding), rounding, pitch, bool(rng.random() < 0.4)
                )
            )
            at += length + float(rng.choice([0.02, 0.05, 0.14], p=[0.5, 0.35, 0.15]))
    out.append(Syllable(3.75, 0.7, 1.0, 0.0, 205.0, hiss=False))
    return tuple(sorted(out, key=lambda syllable: syllable.start))


_SYLLABLES = syllables()


def mouth_opening(seconds: float) -> float:
    """How far the jaw is open, 0..1."""
    return max((s.opening * _bump(seconds, s.start, s.length) for s in _SYLLABLES), default=0.0)


def pose(seconds: float) -> Pose:
    """The movement at ``seconds``, 0 <= seconds < SECONDS."""
    jaw = mouth_opening(seconds)
    rounding = max((s.rounding * _bump(seconds, s.start, s.length) for s in _SYLLABLES), default=0.0)
    smile = _curve(_SMILE, seconds)
    blink = max(_lid(seconds - at) for at in _BLINKS)
    yaw, pitch = _curve(_YAW, seconds), _curve(_PITCH, seconds)
    # A smile shows teeth; an open jaw parts the lips.
    close = (1 - smile) * (1 - min(1.0, 1.6 * jaw))
    # The eyes stay with the camera as far as they can, as a speaker's do.
    gaze = (float(np.clip(-0.09 * yaw, -2.2, 2.2)), float(np.clip(0.05 * pitch, -0.5, 0.5)))
    return Pose(
        yaw=yaw,
        pitch=pitch + 1.2 * jaw,
        roll=_curve(_ROLL, seconds),
        scale=_curve(_SCALE, seconds),
        sway=(_curve(_SWAY_X, seconds), _curve(_SWAY_Y, seconds)),
        gaze=gaze,
        weights={
            "blink_right": blink,
            "blink_left": blink,
            "jaw": jaw,
            "close": close,
            "relax": 0.85 * (1 - smile),
            "round": 0.5 * rounding,
            "brows": _curve(_BROWS, seconds),
        },
    )


def _curve(keys: tuple[tuple[float, float], ...], seconds: float) -> float:
    """Minimum-jerk movement from key to key."""
    for (t0, v0), (t1, v1) in itertools.pairwise(keys):
        if t0 <= seconds <= t1:
            t = (seconds - t0) / (t1 - t0)
            return float(v0 + (v1 - v0) * (10 * t**3 - 15 * t**4 + 6 * t**5))
    raise ValueError(f"{seconds} s is not within the score, 0..{keys[-1][0]} s")


def _bump(seconds: float, start: float, length: float) -> float:
    t = (seconds - start) / length
    return float(np.sin(np.pi * t) ** 1.3) if 0 < t < 1 else 0.0


def _lid(offset: float) -> float:
    """Closing takes 0.1 s, opening 0.18 s."""
    if offset < -0.13 or offset > 0.22:
        return 0.0
    t = (offset + 0.13) / 0.1 if offset < -0.03 else 1.0 if offset < 0.04 else (0.22 - offset) / 0.18
    return float(t * t * (3 - 2 * t))
