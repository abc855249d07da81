"""Texts for the user before they have a language: a key of the language tables, and what stands in its gaps.

Whatever speaks to the user (a status, a refusal, a label) hands out phrases; only the property page and OBS's
log turn them into words, see :mod:`doppel_obs.language`.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Phrase:
    """One text of the tables. Two phrases are equal if they say the same. Make them by :func:`phrase`."""

    key: str
    values: tuple[tuple[str, object], ...] = ()
    """(placeholder, value) by name; a value may be a phrase itself."""


def phrase(key: str, **values: object) -> Phrase:
    """The text ``key``, with a value for each of its placeholders."""
    return Phrase(key, tuple(sorted(values.items())))


def verbatim(text: str) -> Phrase:
    """A text that no table has: a name, or what the worker or the system says (in English)."""
    return Phrase("verbatim", (("text", text),))


NOTHING = verbatim("")
"""The empty text."""
