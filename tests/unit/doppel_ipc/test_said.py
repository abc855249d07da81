"""Sentences on the wire: what may come, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from doppel_ipc.errors import ProtocolError, ProtocolFault
from doppel_ipc.messages import TO_OBS, Event, from_object, to_object
from doppel_ipc.said import DEEPEST, Said, said
from hypothesis import given
from hypothesis import strategies as st

PARSE = said(4000)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,9}", fullmatch=True)
KEYS = st.from_regex(r"[a-z]{1,9}\.[a-z]{1,9}(-[a-z]{1,9})?", fullmatch=True)


def sentences() -> st.SearchStrategy[Said]:
    def grown(inner: st.SearchStrategy[Said]) -> st.SearchStrategy[Said]:
        values = st.dictionaries(NAMES, inner, max_size=3).map(lambda found: tuple(found.items()))
        return st.builds(Said, TEXTS, KEYS, values)

    flat = st.builds(Said, TEXTS)
    return st.one_of(flat, grown(flat), grown(grown(flat)))


def parts(one: str) -> object:
    """All of it: two sentences are equal already where their texts are."""
    if not isinstance(one, Said) or not one.key:
        return str(one)
    return (str(one), one.key, {name: parts(value) for name, value in one.values})


@given(one=sentences())
def test_a_sentence_survives_json_with_key_and_values(one: Said) -> None:
    wire = json.loads(json.dumps(to_object(Event(0, "persona", one))))
    again = from_object(wire, TO_OBS)
    assert isinstance(again, Event)
    assert parts(again.text) == parts(one)


def test_a_text_without_a_key_stays_a_string() -> None:
    assert to_object(Event(0, "persona", Said("hello")))["text"] == "hello"
    assert to_object(Event(0, "persona", "hello"))["text"] == "hello"


def nested(depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {"text": "t", "key": "k", "values": {}}
    for _ in range(depth - 1):
        made = {"text": "t", "key": "k", "values": {"why": made}}
    return made


@pytest.mark.parametrize(
    "value",
    [
        {"text": "t", "key": "k"},
        {"text": "t", "key": "k", "values": {}, "more": 1},
        {"text": 1, "key": "k", "values": {}},
        {"text": "t", "key": 1, "values": {}},
        {"text": "t", "key": "", "values": {}},
        {"text": "t", "key": "x" * 81, "values": {}},
        {"text": "t", "key": "status.{0.__class__}", "values": {}},
        {"text": "t", "key": "../en", "values": {}},
        {"text": "t" * 4001, "key": "k", "values": {}},
        {"text": "t", "key": "k", "values": []},
        {"text": "t", "key": "k", "values": {"a": 1}},
        {"text": "t", "key": "k", "values": {"a": None}},
        {"text": "t", "key": "k", "values": {"a": "x" * 4001}},
        {"text": "t", "key": "k", "values": {"__class__": "x"}},
        {"text": "t", "key": "k", "values": {"0": "x"}},
        {"text": "t", "key": "k", "values": {"a.b": "x"}},
        {"text": "t", "key": "k", "values": {"a" * 31: "x"}},
        {"text": "t", "key": "k", "values": {f"a{n}": "x" for n in range(13)}},
        nested(DEEPEST + 1),
        nested(300),
    ],
)
def test_what_is_no_sentence_is_refused(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of them is the codec's
        PARSE(value)
    with pytest.raises(ProtocolError) as caught:
        from_object({"type": "event", "lane": 0, "code": "persona", "text": value}, TO_OBS)
    assert caught.value.fault is ProtocolFault.BAD_FIELD


def test_the_deepest_that_may_come_comes() -> None:
    one = PARSE(nested(DEEPEST))
    assert isinstance(one, Said)
    assert one.key == "k"


def test_halves_of_characters_become_question_marks_in_every_part() -> None:
    one = PARSE({"text": "a\ud800", "key": "k", "values": {"name": "b\udc00"}})
    assert parts(one) == ("a?", "k", {"name": "b?"})


def test_a_broken_sentence_of_ours_is_not_sent() -> None:
    with pytest.raises(ProtocolError):
        to_object(Event(0, "persona", Said("t", "no key")))
