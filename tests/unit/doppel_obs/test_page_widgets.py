from __future__ import annotations

import ctypes
from html.parser import HTMLParser
from typing import Any

import pytest
from doppel_obs.page_widgets import Widgets

from tests.unit.doppel_obs.english import ENGLISH
from tests.unit.doppel_obs.fake_obs import FakeHolder


class Shown(HTMLParser):
    """What Qt makes of a text that it takes for HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.tags = "", set[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.text += "\n" if tag == "br" else ""
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def described(ring_library: ctypes.CDLL, text: str) -> str:
    """What OBS gets as the description of an information."""
    given: list[bytes] = []
    libobs: Any = FakeHolder(ring_library).libobs
    libobs.obs_properties_add_text = lambda _page, _key, words, _kind: given.append(words)
    callbacks: Any = None
    Widgets(libobs, callbacks, ENGLISH, 1).info(1, "status", text)
    return given[0].decode()


@pytest.mark.parametrize(
    "text",
    [
        'Swapping: <img src="/dev/tty">.',
        "Swapping: <a href='https://example.org'>help</a>.\nThe label & 1 < 2",
        "first\n<b>second",
        "Swapping: &lt;b>.",
        "&lt;",
    ],
)
def test_a_name_that_looks_like_markup_is_shown_as_it_is(ring_library: ctypes.CDLL, text: str) -> None:
    shown = Shown()
    shown.feed(described(ring_library, text))
    shown.close()
    assert shown.text == text
    assert "span" in shown.tags
    assert shown.tags <= {"span", "br"}


@pytest.mark.parametrize("text", ["Swapping: Tom & Jerry.\nTwo > one", "1 &amp; 2", ""])
def test_what_qt_takes_for_plain_text_is_left_alone(ring_library: ctypes.CDLL, text: str) -> None:
    assert described(ring_library, text) == text
