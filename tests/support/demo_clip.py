"""The shipped demo clip and the truth about it."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np
from doppel_models.types import FloatArray

from tests.support.portrait import FIXTURES

DEMO_CLIP = Path(__file__).resolve().parents[2] / "models" / "doppel_models" / "data" / "demo.mp4"


@dataclasses.dataclass(frozen=True, slots=True)
class DemoTruth:
    """What the demo clip shows, frame by frame: known, because it was rendered from it."""

    landmarks: FloatArray
    """(360, 478, 3) pixels of the 1280 x 720 frames; z in the same scale, smaller is nearer."""
    angles: FloatArray
    """(360, 3) yaw, pitch, roll in degrees, in addition to the portrait's own pose."""
    blink: FloatArray
    """(360,) 0 open .. 1 closed."""
    mouth: FloatArray
    """(360,) 0 closed .. 1 wide open."""

    def scaled(self, width: int, height: int) -> FloatArray:
        """The landmarks in frames of another size."""
        factor = np.array([width / 1280, height / 720, width / 1280], np.float32)
        half = np.array([0.5, 0.5, 0], np.float32)
        points: FloatArray = (self.landmarks + half) * factor - half
        return points


@functools.cache
def demo_truth() -> DemoTruth:
    """The fixture that is written together with the clip."""
    with np.load(FIXTURES / "demo_landmarks.npz") as data:
        landmarks = np.cumsum(data["steps"].astype(np.int32), axis=0).astype(np.float32) / 16
        return DemoTruth(landmarks, data["angles"], data["blink"], data["mouth"])
