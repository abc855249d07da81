"""The language that the user reads: one table per language, ``languages/<code>.json``, key -> text.

English is complete and stands in for what another table lacks. A text whose placeholders are not those of
the English one is left out as well, so that a table with a mistake costs a sentence and not the page.
"""

from __future__ import annotations

import dataclasses
import json
import re
import string
from pathlib import Path

from doppel_obs.errors import LanguageError
from doppel_obs.phrases import Phrase, verbatim

FOLDER = Path(__file__).resolve().parent / "languages"
ENGLISH = "en"
LONGEST_SAID = 4000
"""Characters that are shown of what the worker says."""
_VERBATIM = verbatim("").key
_LEFT_OUT = "(...)"
_FIGURES = re.compile(r"[0-9.,x]+")


class Language:
    """Turns phrases into words.

    Args:
        code: of the table in use, such as ``de``.
        english: the complete table.
        texts: the user's language; what it lacks is said in English.
    """

    def __init__(self, code: str, english: dict[str, str], texts: dict[str, str]) -> None:
        self.code = code
        self._english = english
        usable = {key: text for key, text in texts.items() if _fits(text, english.get(key, ""))}
        self._texts = {**english, **usable}

    def say(self, phrase: Phrase) -> str:
        """The phrase in the user's language."""
        return _say(phrase, self._texts)

    def in_english(self, phrase: Phrase) -> str:
        """The phrase as OBS's log has it, which others than the user are to read."""
        return _say(phrase, self._english)

    def unnamed(self, phrase: Phrase) -> str:
        """The phrase in English for files that others may get: names and texts that no table has left out."""
        return _say(_unnamed(phrase, self._english), self._english)

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in self._english


def load_language(locale: str, folder: Path = FOLDER) -> Language:
    """The language of an OBS locale such as ``de-DE``: the table of that name, else of its first part.

    Raises:
        LanguageError: a table cannot be read. :func:`load_english` may help.
    """
    english = _read(folder / f"{ENGLISH}.json")
    for code in (locale, locale.partition("-")[0]):
        path = folder / f"{code}.json"
        # Not a path: the locale is what OBS's settings file says.
        if code.replace("-", "").isalnum() and path.is_file():
            return Language(code, english, english if code == ENGLISH else _read(path))
    return Language(ENGLISH, english, english)


def load_english(folder: Path = FOLDER) -> Language:
    """English, which every other language falls back to.

    Raises:
        LanguageError: Doppel's files are not complete.
    """
    return load_language(ENGLISH, folder)


def placeholders(text: str) -> frozenset[str]:
    """The names in braces.

    Raises:
        ValueError: a brace that is not closed.
    """
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def _fits(text: str, english: str) -> bool:
    """Whether a translation can be filled in; one with a format that fails would cost the whole page."""
    try:
        names = placeholders(english)
        text.format(**dict.fromkeys(names, ""))
        return placeholders(text) == names
    except (ValueError, LookupError, AttributeError):
        return False


def sentence(text: str) -> str:
    """A text as a sentence: a capital at its start, unless a file's name stands there, and a full stop."""
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    if "." not in first:
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _say(phrase: Phrase, texts: dict[str, str]) -> str:
    values = {
        name: _say(value, texts) if isinstance(value, Phrase) else value for name, value in phrase.values
    }
    if phrase.fallback is None:
        text = texts[phrase.key].format(**values)
    else:
        row = texts.get(phrase.key)
        known = row is not None and placeholders(row) == values.keys()
        text = (row.format(**values) if row is not None and known else phrase.fallback)[:LONGEST_SAID]
    return sentence(text) if phrase.closed else text


def _unnamed(phrase: Phrase, texts: dict[str, str]) -> Phrase:
    if phrase.key == _VERBATIM:
        text = str(dict(phrase.values)["text"])
        return phrase if not text or _FIGURES.fullmatch(text) else verbatim(_LEFT_OUT)
    row = texts.get(phrase.key)
    if row is None or placeholders(row) != {name for name, _ in phrase.values}:
        return verbatim(phrase.key)
    values = (
        (name, value if isinstance(value, (int, float)) else _unnamed(_as_phrase(value), texts))
        for name, value in phrase.values
    )
    return dataclasses.replace(phrase, values=tuple(values))


def _as_phrase(value: object) -> Phrase:
    return value if isinstance(value, Phrase) else verbatim(str(value))


def _read(path: Path) -> dict[str, str]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LanguageError(f"the texts in {path} cannot be read: {error}") from error
    if not isinstance(table, dict) or not all(isinstance(text, str) for text in table.values()):
        raise LanguageError(f"{path} must be one JSON object of texts")
    return table
