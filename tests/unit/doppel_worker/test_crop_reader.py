from __future__ import annotations

import cv2
import numpy as np
import pytest
from doppel_models.engines.base import LookSettings
from doppel_models.engines.mesh.engine import MeshEngine
from doppel_models.types import ByteArray
from doppel_worker.cli.bench import i420
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.crop_reader import FrameCrop

from tests.support.live_face import live_face, plain_persona


def _crop(rect: Rect) -> tuple[FrameCrop, ByteArray]:
    """A crop of a smooth picture, and the same pixels read as a whole."""
    rng = np.random.default_rng(1)
    # Colours change slowly, as on a face: chroma is kept at half the resolution, in frames and in crops.
    colors, details = rng.integers(40, 200, (3, 4, 3)), rng.integers(-30, 30, (24, 32, 1)).repeat(3, axis=2)
    large = [cv2.resize(few.astype(np.float32), (320, 240)) for few in (colors, details)]
    picture = np.clip(large[0] + large[1], 0, 255).astype(np.uint8)
    frame, compositor = i420(picture, 0), CpuCompositor()
    return FrameCrop(compositor, frame, rect), compositor.read(frame, rect)


def test_a_part_is_the_crops_own_pixels() -> None:
    crop, whole = _crop(Rect(40, 30, 200, 190))
    assert crop.shape == whole.shape
    # The chroma at a part's edge is interpolated as in the whole.
    assert np.abs(crop.part(20, 10, 91, 55).astype(int) - whole[10:55, 20:91]).max() <= 1


@pytest.mark.parametrize("factor", [1, 2, 3, 5])
def test_reduced_shows_the_same_place(factor: int) -> None:
    crop, whole = _crop(Rect(40, 30, 200, 190))
    side = 160 // factor
    mean = cv2.resize(
        whole[: side * factor, : side * factor], (side, side), interpolation=cv2.INTER_AREA
    ).astype(int)
    assert crop.reduced(factor).shape == mean.shape
    assert np.abs(crop.reduced(factor) - mean).mean() < 2


def test_an_engine_that_reads_parts_makes_the_same_picture() -> None:
    live = live_face()
    height, width = live.rgb.shape[0] & ~1, live.rgb.shape[1] & ~1
    frame, compositor, rect = i420(live.rgb[:height, :width], 0), CpuCompositor(), Rect(0, 0, width, height)
    results = []
    for crop in (compositor.read(frame, rect), FrameCrop(compositor, frame, rect)):
        engine = MeshEngine(plain_persona((120, 90, 80)))
        result = engine.swap(crop, live.points, live.face, LookSettings(), engine.new_state(), 0)
        results.append((result.rgb.astype(int), result.mask.astype(int)))
    (rgb, mask), (other_rgb, other_mask) = results
    assert np.abs(mask - other_mask).mean() < 1
    assert np.abs(rgb - other_rgb)[mask > 0].mean() < 1
