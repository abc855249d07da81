"""Sentences for the user on the wire: English text, and what is needed to say them in another language.

A text that no table has is a JSON string. A sentence is
``{"text": ..., "key": ..., "values": {placeholder: text or sentence}}``: OBS's side looks up the key in its
language's table, and says the English text where it has no such row. Nothing that comes over the wire is ever
used as a format, and names that could reach into an object are refused.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, Iterable, Union

_KEY = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+){0,7}")
_NAME = re.compile(r"[a-z][a-z0-9]{0,29}")
_LONGEST_KEY = 80
_MOST_VALUES = 12
DEEPEST = 6
"""Sentences within sentences, the outermost counted."""

Json = Union[str, Dict[str, object]]


class Said(str):
    """A text in English; not to be changed.

    Attributes:
        key: of the sentence in the tables; empty: it has none.
        values: (placeholder, text) of the sentence; a text may have a key itself.
    """

    __slots__ = ("key", "values")
    key: str
    values: tuple[tuple[str, str], ...]

    def __new__(cls, text: str, key: str = "", values: Iterable[tuple[str, str]] = ()) -> Said:  # noqa: PYI034 - no typing.Self
        """``text``: in English, complete."""
        made = super().__new__(cls, text)
        made.key, made.values = key, tuple(values)
        return made

    def to_json(self) -> Json:
        """Its wire form."""
        if not self.key:
            return str(self)
        values = {name: value.to_json() if isinstance(value, Said) else value for name, value in self.values}
        return {"text": str(self), "key": self.key, "values": values}


def said(limit: int) -> Callable[[object], str]:
    """The parser of a text, or of a sentence, of at most ``limit`` characters, as each of its parts."""

    def parse(value: object) -> str:
        return _parse(value, limit, DEEPEST)

    return parse


def _parse(value: object, limit: int, depth: int) -> str:
    if isinstance(value, Said):
        value = value.to_json()
    if isinstance(value, str):
        return _text(value, limit)
    if not isinstance(value, dict) or value.keys() != {"text", "key", "values"}:
        raise ValueError("neither a text nor a sentence of text, key and values")
    text, key, values = value["text"], value["key"], value["values"]
    if not isinstance(text, str):
        raise ValueError("a sentence's text is no text")
    if not isinstance(key, str) or len(key) > _LONGEST_KEY or _KEY.fullmatch(key) is None:
        raise ValueError("a sentence's key is no key")
    if not isinstance(values, dict) or len(values) > _MOST_VALUES:
        raise ValueError(f"a sentence's values are no object of at most {_MOST_VALUES}")
    if depth <= 1 and values:
        raise ValueError(f"sentences are nested more than {DEEPEST} deep")
    for name in values:
        if not isinstance(name, str) or _NAME.fullmatch(name) is None:
            raise ValueError("a placeholder's name is no name")
    found = ((name, _parse(one, limit, depth - 1)) for name, one in values.items())
    return Said(_text(text, limit), key, found)


def _text(value: str, limit: int) -> str:
    if len(value) > limit:
        raise ValueError(f"text of {len(value)} characters, expected 0..{limit}")
    # JSON may spell half a surrogate pair (a file's name that is no UTF-8, say), which no UTF-8 can hold.
    return value.encode("utf-8", "replace").decode("utf-8")
