"""What a probe's frame shows after the swap: where it changed, how much, and what is inside an outline."""

from __future__ import annotations

import cv2
import numpy as np
from doppel_models.engines.mesh import regions
from doppel_models.types import ByteArray

from tests.support.probes import build
from tests.support.probes.stage import ProbeStage

COLOR = np.array([0.15, 0.85, 0.3])


def green(size: int) -> build.Picture:
    """Green with faint stripes, so that it is no plain colour."""
    stripes = 1 + 0.03 * np.sin(np.arange(size) / 2)[None, :, None]
    return np.clip(np.ones((size, size, 1)) * stripes * COLOR, 0, 1)


def area(stage: ProbeStage, outline: np.ndarray, scale: float = 1.0) -> ByteArray:
    """(h, w) bool: inside an outline of landmarks, grown about its middle."""
    points = stage.spy.face.landmarks[outline, :2]
    middle = points.mean(axis=0)
    canvas = np.zeros(stage.before.shape[:2], np.uint8)
    cv2.fillPoly(canvas, [np.rint(middle + scale * (points - middle)).astype(np.int32)], 1)
    return canvas.astype(bool)


def whole(stage: ProbeStage, scale: float) -> ByteArray:
    """(h, w) bool: the outline grown about its middle, and the forehead above it."""
    outline = stage.spy.face.landmarks[regions.OVAL, :2]
    x, y = np.rint(0.14 * scale * (outline[0] - outline[len(outline) // 2])).astype(int)
    inside = area(stage, regions.OVAL, scale)
    return inside | np.roll(inside, (y, x), axis=(0, 1))


def change(stage: ProbeStage) -> np.ndarray:
    """(h, w) mean difference between the frame before and after."""
    return np.abs(stage.after.astype(np.float64) - stage.before).mean(axis=2)


def share(stage: ProbeStage) -> np.ndarray:
    """(h, w) about how much of the green picture is in each pixel, 0..1."""
    after, before = stage.after.astype(np.float64), stage.before.astype(np.float64)
    wanted = 255 * COLOR - before
    return np.clip(
        (after - before)[..., 0] / np.where(np.abs(wanted[..., 0]) < 20, np.nan, wanted[..., 0]), 0, 1
    )
