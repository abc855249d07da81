from __future__ import annotations

import ctypes
from html.parser import HTMLParser
from typing import Any

import pytest
from doppel_ipc.settings import FIELDS
from doppel_obs.page_callbacks import INFO_MARK, PageCallbacks
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
    return added(ring_library, text)[1]


def added(ring_library: ctypes.CDLL, text: str) -> tuple[str, str]:
    """What OBS gets as the name and the description of the status, in one run of OBS."""
    given: list[tuple[bytes, bytes]] = []
    holder: Any = FakeHolder(ring_library)
    holder.libobs.obs_properties_add_text = lambda _page, name, words, _kind: given.append((name, words))
    callbacks = PageCallbacks(holder.libobs, lambda _default, function: function)
    Widgets(holder.libobs, callbacks, ENGLISH, 1).info(1, "status", text)
    name, words = given[0]
    return name.decode(), words.decode()


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


def test_no_setting_can_have_the_name_of_what_the_page_says(ring_library: ctypes.CDLL) -> None:
    first, second = (added(ring_library, "Swapping.")[0] for _ in range(2))
    assert first != second, "it can be guessed"
    assert {name.partition(INFO_MARK)[0] for name in (first, second)} == {"status"}
    assert not {"status", first} & set(FIELDS)
