"""The plan of what goes up and comes down, carried out with two arrays."""

from __future__ import annotations

import numpy as np
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_worker.compositor import Rect
from doppel_worker.gpu.mirror import MirrorPlan, PlanePart, subtracted
from hypothesis import given, settings
from hypothesis import strategies as st

WIDTH, HEIGHT = 33, 21


@st.composite
def rects(draw: st.DrawFn) -> Rect:
    x0, y0 = draw(st.integers(0, WIDTH - 1)), draw(st.integers(0, HEIGHT - 1))
    return Rect(x0, y0, draw(st.integers(x0 + 1, WIDTH)), draw(st.integers(y0 + 1, HEIGHT)))


def view(buffer: np.ndarray, layout: FrameLayout, part: PlanePart) -> np.ndarray:
    line, start = layout.linesize[part.plane], layout.offset[part.plane]
    plane = buffer[start : start + line * layout.rows[part.plane]].reshape(-1, line)
    return plane[part.row : part.row + part.rows, part.first_byte : part.first_byte + part.row_bytes]


@given(
    st.sampled_from(list(PixelFormat)),
    st.lists(st.tuples(rects(), st.booleans()), min_size=1, max_size=8),
    st.integers(0, 2**16),
)
@settings(max_examples=200, deadline=None)
def test_edits_on_the_device_survive_and_nothing_else_changes(
    pixel_format: PixelFormat, steps: list[tuple[Rect, bool]], seed: int
) -> None:
    layout = FrameLayout.of(pixel_format, WIDTH, HEIGHT)
    noise = np.random.default_rng(seed)
    host = noise.integers(0, 256, layout.size, dtype=np.uint8)
    device, expected = np.full(layout.size, 0xA5, np.uint8), host.copy()
    plan, went_up = MirrorPlan(layout), np.zeros(layout.size, int)
    for rect, edits in steps:
        for part in plan.need(rect):
            view(device, layout, part)[:] = view(host, layout, part)
            view(went_up, layout, part)[:] += 1
        # Whatever else is there: the rectangle on the device is the frame with all edits so far.
        for part in MirrorPlan(layout).need(rect):
            assert (view(device, layout, part) == view(expected, layout, part)).all()
            if edits:
                change = noise.integers(0, 256, (part.rows, part.row_bytes), dtype=np.uint8)
                view(device, layout, part)[:] = view(expected, layout, part)[:] = change
        if edits:
            plan.wrote(rect)
    came_down = np.zeros(layout.size, int)
    for part in plan.take_changes():
        view(host, layout, part)[:] = view(device, layout, part)
        view(came_down, layout, part)[:] += 1
    assert (host == expected).all()
    assert went_up.max() == 1, "a byte goes up once"
    assert came_down.max(initial=0) <= 1, "and comes down once"
    assert not plan.changed


@given(rects(), rects())
def test_what_is_subtracted_is_gone_and_the_rest_is_there_once(rect: Rect, hole: Rect) -> None:
    left = np.zeros((HEIGHT, WIDTH), int)
    for piece in subtracted(rect, hole):
        left[piece.y0 : piece.y1, piece.x0 : piece.x1] += 1
    exact = np.zeros((HEIGHT, WIDTH), int)
    exact[rect.y0 : rect.y1, rect.x0 : rect.x1] = 1
    exact[hole.y0 : hole.y1, hole.x0 : hole.x1] = 0
    assert (left == exact).all()
