"""Whether a figure that is sampled over time grows: its slope, and how well the samples tell it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Trend:
    """A straight line through samples, by least squares."""

    slope: float
    """The figure's growth, per unit of time."""
    error: float
    """Standard error of the slope, per unit of time.

    Samples that follow one another wander together, so neighbours do not count as independent: the error is
    that of independent ones times sqrt((1 + r) / (1 - r)), r being the correlation of a residual with the one
    before it (Bartlett's effective number of samples for an autoregressive process of first order).
    """
    level: float
    """The line's value at the last sample."""

    @classmethod
    def of(cls, times: Sequence[float], values: Sequence[float]) -> Trend:
        """The trend of at least four samples.

        Raises:
            ValueError: there are fewer.
        """
        if len(times) < 4:
            raise ValueError(f"{len(times)} samples tell no trend; four do")
        x, y = np.asarray(times, np.float64), np.asarray(values, np.float64)
        x0 = x - x.mean()
        spread = float((x0**2).sum())
        slope = float((x0 * y).sum()) / spread
        rest = y - y.mean() - slope * x0
        error = float(np.sqrt((rest**2).sum() / (len(x) - 2) / spread))
        energy = float((rest**2).sum())
        follows = float((rest[1:] * rest[:-1]).sum()) / energy if energy > 0 else 0.0
        follows = min(max(follows, 0.0), 0.95)
        inflated = error * float(np.sqrt((1 + follows) / (1 - follows)))
        return cls(slope, inflated, float(y.mean() + slope * x0[-1]))

    def rises(self, errors: float = 3.0, least: float = 0.0) -> bool:
        """True where it grows by more than ``least`` and more than so many standard errors."""
        return self.slope > least + errors * self.error

    def __str__(self) -> str:
        return f"{self.slope:+.3g} ± {self.error:.2g}"
