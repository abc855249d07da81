from __future__ import annotations

import numpy as np
import pytest
from doppel_ipc.pixel_format import PixelFormat
from doppel_ipc.settings import FilterSettings
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.label import Label, printable
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import reference_compositor as reference

compositor = CpuCompositor()


def grey_frame(width: int = 1280, height: int = 720, level: int = 128, *, flip: bool = False):
    frame = reference.make_frame(PixelFormat.I420, width, height, flip=flip)
    for plane in frame.planes:
        plane[:] = 128
    frame.planes[0][:] = level
    return frame


@pytest.mark.parametrize("level", [20, 128, 230], ids=["dark", "grey", "bright"])
def test_the_label_can_be_read_on_any_background(level: int) -> None:
    frame = grey_frame(level=level)
    rect = Label().apply(frame, compositor, FilterSettings())
    assert rect is not None
    luma = compositor.read(frame, rect)[..., 1].astype(float)
    text, pill = np.percentile(luma, 97), np.percentile(luma, 50)
    # WCAG's contrast for large text is 3 : 1, by relative luminance.
    assert ((text / 255) ** 2.2 + 0.05) / ((pill / 255) ** 2.2 + 0.05) > 3


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("corner", ["top-left", "top-right", "bottom-left", "bottom-right"])
def test_the_label_lies_in_its_corner_and_touches_nothing_else(corner: str, flip: bool) -> None:
    frame = grey_frame(flip=flip)
    rect = Label().apply(frame, compositor, FilterSettings(label_corner=corner))
    assert rect is not None
    assert (rect.x1 < 300) == ("left" in corner)
    assert (rect.y1 < 100) == ("top" in corner)
    assert rect.x0 >= 10
    assert rect.x1 <= 1270
    assert rect.y0 >= 10
    assert rect.y1 <= 710
    shown = compositor.read(frame, Rect(0, 0, 1280, 720)).astype(int)
    background = int(np.median(shown))
    assert np.abs(shown[rect.y0 : rect.y1, rect.x0 : rect.x1] - background).max() > 50
    shown[rect.y0 : rect.y1, rect.x0 : rect.x1] = background
    assert np.abs(shown - background).max() <= 1


def test_the_size_follows_the_setting() -> None:
    small, large = (
        Label().apply(grey_frame(), compositor, FilterSettings(label_size=size)) for size in (0.03, 0.09)
    )
    assert small is not None
    assert large is not None
    assert large.height == pytest.approx(3 * small.height, rel=0.1)


def test_a_change_of_the_settings_is_drawn_at_once() -> None:
    label, first, second = Label(), grey_frame(), grey_frame()
    label.apply(first, compositor, FilterSettings(label_text="AI face"))
    label.apply(second, compositor, FilterSettings(label_text="Not me"))
    assert (first.planes[0] != second.planes[0]).any()


@pytest.mark.parametrize("text", ["", "  ", "\n\u200b"])
def test_a_label_without_words_says_what_it_says_by_default(text: str) -> None:
    blank, usual = grey_frame(), grey_frame()
    for frame, settings_ in ((blank, FilterSettings(label_text=text)), (usual, FilterSettings())):
        assert Label().apply(frame, compositor, settings_) is not None
    assert (blank.planes[0] == usual.planes[0]).all()


def test_other_scripts_are_drawn_and_not_replaced() -> None:
    """Each of these texts must give a picture of its own, with ink in it."""
    pictures = []
    for text in ("Künstlich", "Искусственное", "Τεχνητό", "人工知能", "AI"):
        frame = grey_frame(level=20)
        rect = Label().apply(frame, compositor, FilterSettings(label_text=text))
        assert rect is not None
        ink = compositor.read(frame, rect)[..., 1] > 180
        assert ink.sum() > 40
        pictures.append(frame.planes[0].tobytes())
    assert len(set(pictures)) == len(pictures)


@given(st.text(max_size=120), st.integers(1, 400), st.integers(1, 300))
@settings(max_examples=60, deadline=None)
def test_any_text_in_any_frame_is_drawn_inside_it_or_left_out(text: str, width: int, height: int) -> None:
    frame = grey_frame(width, height)
    rect = Label().apply(frame, compositor, FilterSettings(label_text=text))
    if rect is None:
        assert (frame.planes[0] == 128).all()
        assert width < 120 or height < 30 or len(text) > 10
    else:
        assert rect.clipped(width, height) == rect


def test_text_becomes_one_clean_line() -> None:
    assert printable("  two\nlines\tand\x00 more ") == "two lines and more"
    assert printable("\ud800") == "?"
    assert len(printable("x" * 1000)) == 80
    assert printable("\n \t") == ""
