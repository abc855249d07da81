"""What is told to a user: a text in English that remembers which sentence it is and what stands in its gaps.

Whoever raises an error or warns makes the sentence on the spot; the English stands there and nowhere else. As
a text it is complete, for logs, the command line and files. OBS's side says it in the user's language, by the
row ``said.<key>`` of its tables, which tests hold against the sentences in the code.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Self


class Sentence(str):
    """An English text that can be said in another language. Not to be changed; make it by :func:`sentence`.

    Whatever is made of it by slicing, joining or formatting is a plain text, which stays English.

    Attributes:
        key: of the tables' row; empty: no table has it.
        values: (placeholder, text) of the row; a text may be a sentence itself.
    """

    __slots__ = ("key", "values")
    key: str
    values: tuple[tuple[str, str], ...]

    def __new__(cls, text: str, key: str = "", values: Iterable[tuple[str, str]] = ()) -> Self:
        """``text``: in English, complete."""
        made = super().__new__(cls, text)
        made.key, made.values = key, tuple(values)
        return made


def sentence(key: str, template: str, /, **values: object) -> Sentence:
    """A sentence for the user.

    Args:
        key: of the tables' row ``said.<key>``.
        template: in English: a literal, so that a test finds it; no capital at its start and no full stop.
        values: for each placeholder a number, a text, a path, a sentence, or an error that carries one.
    """
    told = tuple((name, _clean(told_by(value))) for name, value in values.items())
    return Sentence(template.format(**dict(told)), key, told)


def _clean(text: str) -> str:
    """Names of files and what libraries say may hold anything."""
    return text if isinstance(text, Sentence) else readable(text)


def told_by(value: object) -> str:
    """What an error (or anything else) tells the user: its sentence, where it has one."""
    if isinstance(value, BaseException):
        first = value.args[0] if value.args else None
        return first if isinstance(first, Sentence) and first == str(value) else str(value)
    return value if isinstance(value, str) else str(value)


def readable(text: str) -> str:
    """Text without what no file can hold in UTF-8 (halves of characters) and what steers a terminal."""
    return "".join(" " if unicodedata.category(char) in ("Cc", "Cs") else char for char in text)


def both(*texts: str) -> str:
    """Several sentences as one; empty ones are left out."""
    present = [text for text in texts if text]
    if len(present) < 2:
        return present[0] if present else ""
    half = len(present) // 2  # two halves: few sentences within sentences
    return sentence("and-also", "{first}; {then}", first=both(*present[:half]), then=both(*present[half:]))


def listed(names: Iterable[str]) -> str:
    """Names of things, joined by "and"."""
    made = ""
    for name in names:
        made = sentence("and", "{first} and {then}", first=made, then=name) if made else name
    return made


def unreadable(path: object, error: OSError | ValueError) -> Sentence:
    """A file or folder that the system does not let us read, or that has a name which no file can have."""
    why = getattr(error, "strerror", None) or error
    return sentence("unreadable", "{path} cannot be read: {why}", path=path, why=why)


def unusable_model(name: str, error: Exception) -> Sentence:
    """What is told of a model's file that is refused."""
    return sentence("model.unusable", "{name} cannot be used: {why}", name=name, why=error)
