"""Thin-plate splines: smooth fields through scattered points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class ThinPlate:
    """The smoothest field through given values at given points (Bookstein 1989, kernel r^2 log r)."""

    def __init__(self, points: Array, values: Array, stiffness: float = 1e-3) -> None:
        """Solve for the field.

        Args:
            points: (n, 2), no two the same.
            values: (n, c).
            stiffness: > 0 lets the field miss the values a little where they change abruptly.
        """
        self._points = np.asarray(points, np.float64)
        self._scale = float(np.ptp(self._points, axis=0).max())
        count = len(self._points)
        affine = np.c_[np.ones(count), self._points / self._scale]
        system = np.zeros((count + 3, count + 3))
        system[:count, :count] = self._kernel(self._points) + stiffness * np.eye(count) / count
        system[:count, count:], system[count:, :count] = affine, affine.T
        right = np.zeros((count + 3, np.shape(values)[1]))
        right[:count] = values
        self._weights = np.linalg.solve(system, right)

    def __call__(self, points: Array) -> Array:
        """Values (m, c) at ``points`` (m, 2)."""
        out = [
            np.c_[self._kernel(part), np.ones(len(part)), part / self._scale] @ self._weights
            for part in np.array_split(np.asarray(points, np.float64), max(1, len(points) // 4096))
        ]
        return np.concatenate(out)

    def _kernel(self, points: Array) -> Array:
        offset = (points[:, None, :] - self._points[None]) / self._scale
        squared = (offset**2).sum(axis=2)
        kernel: Array = squared * np.log(np.maximum(squared, 1e-20))
        return kernel


def smoothstep(x: Array) -> Array:
    """0 below 0, 1 above 1, smooth between."""
    t = np.clip(x, 0.0, 1.0)
    out: Array = t * t * (3.0 - 2.0 * t)
    return out
