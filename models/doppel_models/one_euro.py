"""One-euro filter for a set of points.

G. Casiez, N. Roussel, D. Vogel, "1 EUR Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems", CHI 2012: a first-order low pass whose cutoff rises with the speed, so that still
points do not tremble and fast ones do not lag.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from doppel_models.types import FloatArray

BETA = 40.0
"""Cutoff in Hz gained per face width per second; measured on webcam clips."""
DERIVATIVE_CUTOFF = 1.0
"""Hz; the paper's value."""


class OneEuroFilter:
    """Smooths points (N, D) over time; each point has its own speed and cutoff."""

    def __init__(self, min_cutoff: float = 1.5, beta: float = BETA) -> None:
        """Start without a past.

        Args:
            min_cutoff: Hz, the cutoff of points that stand still; higher is less smooth.
            beta: Hz per unit of speed, in ``unit`` lengths per second.
        """
        self.min_cutoff = min_cutoff
        self.beta = beta
        self._points: FloatArray | None = None
        self._velocity: FloatArray | None = None

    def reset(self) -> None:
        """Forget the past: the next points pass unchanged."""
        self._points = self._velocity = None

    def __call__(self, points: FloatArray, seconds: float, unit: float) -> FloatArray:
        """The smoothed points.

        Args:
            points: (N, D) of this moment.
            seconds: time since the last call, > 0.
            unit: the length by which speeds are measured (the face's width), in the points' own unit.
        """
        if self._points is None or self._velocity is None or self._points.shape != points.shape:
            self._points, self._velocity = points, np.zeros_like(points)
            return points
        move = points - self._points
        adapt = _gain(DERIVATIVE_CUTOFF, seconds)
        # In place, and one call for a weighted sum: for so few numbers the calls are what takes time.
        velocity = self._velocity
        cv2.addWeighted(velocity, 1 - adapt, move, adapt / seconds, 0, dst=velocity)
        # Sums over rows of three by a product: NumPy's own functions take longer.
        rate = (velocity * velocity) @ np.ones(velocity.shape[1], np.float32)
        np.sqrt(rate, out=rate)
        turn = 2 * math.pi * seconds
        # Plain floats leave everything in the points' own float32.
        rate *= turn * self.beta / unit
        rate += turn * self.min_cutoff
        rate /= rate + 1
        move *= rate[:, None]
        move += self._points
        self._points = move
        return move


def _gain(cutoff: float, seconds: float) -> float:
    rate = 2 * math.pi * cutoff * seconds
    return rate / (1 + rate)
