"""Model files without a model for what is in front of the face: Doppel finds it by itself."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from doppel_ipc.verdict import Verdict
from doppel_models.engines.crops.in_front import InFront

from tests.support.faces import draw_object, room
from tests.support.portrait import astronaut, paste_head
from tests.support.probes import build
from tests.support.probes.stage import SIZE, ProbeStage, engine_of

FACE_PX, FIRST, LAST = 230.0, 30, 50
"""The thing comes with the first of these frames, and goes after the last."""


@pytest.mark.parametrize("name", ["uniface", "dfm"])
def test_a_thing_that_comes_before_a_swapped_face_stays_in_front_of_it(name: str) -> None:
    magenta = (
        np.ones((256, 256, 3)) * (0.95, 0.1, 0.9) * (1 + 0.03 * np.sin(np.arange(256) / 2))[None, :, None]
    )
    painted = build.paint(np.clip(magenta[:224, :224] if name == "dfm" else magenta, 0, 1))
    data = build.dfm(painted) if name == "dfm" else build.swapper(name, painted)
    stage = ProbeStage(engine_of(data), edge_softness=0.5, color_match="none")
    clean = room(*SIZE, seed=2)
    points = paste_head(clean, astronaut(), center=(480, 290), height=FACE_PX)
    inside = np.zeros(clean.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(points[:468, :2].astype(np.int32)), 1)
    for number in range(LAST + 30):
        rgb = clean.copy()
        thing = np.zeros(inside.shape, np.float32)
        if FIRST <= number <= LAST:
            x, y = points[13, :2] + (0.25 * FACE_PX, 0.25 * FACE_PX)
            thing = draw_object(rgb, (float(x), float(y)), 0.6 * FACE_PX, -10.0)
        report = stage.show(rgb)
        assert report.verdict is Verdict.SWAPPED
        after = stage.after.astype(int)
        painted_over = (np.minimum(after[..., 0], after[..., 2]) - after[..., 1] > 60) & (inside > 0)
        hidden = (thing > 0.9) & (inside > 0)
        if FIRST + 8 <= number <= LAST:
            assert hidden.sum() > 1000
            assert (painted_over & hidden).sum() < 0.05 * hidden.sum(), number
        # Beside it the face stays swapped, and all of it once the thing is gone.
        beside = (inside > 0) & (cv2.dilate(thing, np.ones((41, 41))) < 0.05)
        if not FIRST <= number < LAST + 25:
            assert painted_over[beside].mean() > 0.7, number
        elif number <= LAST:
            assert painted_over[beside].mean() > 0.6, number


def test_where_nothing_was_seen_there_is_no_hole() -> None:
    assert InFront().hole(np.zeros((478, 3), np.float32), 128) is None
