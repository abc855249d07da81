"""Decides whether a recorded or streamed frame carries the disclosure label."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from doppel_ipc.settings import FilterSettings
from doppel_models.types import ByteArray
from doppel_worker.label import draw

LIKENESS = 0.8
"""Least correlation of the corner's luma with the original's under the label.

Measured in a stream of 640 x 360 (x264 ultrafast, 2.5 Mbit/s): 0.999 and more with the label, 0.49 and less
without."""
DISTANCE = 25.0
"""Largest mean difference of the two, 0..255. There: 1.9 and less with the label, 53 and more without."""


class LabelJudge:
    """Knows the label of the default settings, and the clip's corner that it covers.

    Args:
        originals: the clip's frames in order, uint8 RGB, as large as the frames that are judged.
    """

    def __init__(self, originals: Iterable[ByteArray]) -> None:
        self._wanted: list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = []
        self._corner = (slice(0), slice(0))
        settings = FilterSettings()
        for rgb in originals:
            height, width = rgb.shape[:2]
            label = draw(settings.label_text, settings.label_corner, settings.label_size, width, height)
            assert label is not None, f"no room for a label in {width} x {height}"
            rect = label.rect
            self._corner = (slice(rect.y0, rect.y1), slice(rect.x0, rect.x1))
            share = label.mask.astype(np.float32)[..., None] / 255
            self._wanted.append((rgb[self._corner] * (1 - share) + label.rgb * share).mean(axis=2))

    def is_labelled(self, rgb: ByteArray, number: int) -> bool:
        """Whether the picture made of original ``number`` has the label: pill and letters."""
        likeness, distance = self.compare(rgb, number)
        return likeness > LIKENESS and distance < DISTANCE

    def compare(self, rgb: ByteArray, number: int) -> tuple[float, float]:
        """(likeness, distance) of the corner to the original's with the label over it."""
        seen, wanted = rgb[self._corner].astype(np.float32).mean(axis=2), self._wanted[number]
        likeness = float(np.corrcoef(seen.ravel(), wanted.ravel())[0, 1])
        return likeness, float(np.abs(seen - wanted).mean())
