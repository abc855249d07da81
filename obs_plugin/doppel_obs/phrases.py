"""Texts for the user before they have a language: a key of the language tables, and what stands in its gaps.

Whatever speaks to the user (a status, a refusal, a label) hands out phrases; only the property page and OBS's
log turn them into words, see :mod:`doppel_obs.language`.
"""

from __future__ import annotations

import dataclasses

from doppel_ipc.said import Said

SAID_PREFIX = "said."
"""Of the worker's sentences in the tables; a worker gone mad reaches no other text."""


@dataclasses.dataclass(frozen=True)
class Phrase:
    """One text of the tables. Two phrases are equal if they say the same. Make them by :func:`phrase`."""

    key: str
    values: tuple[tuple[str, object], ...] = ()
    """(placeholder, value) by name; a value may be a phrase itself."""
    fallback: str | None = None
    """Said where no table has such a text: what the worker says in English. None: the text must be there."""
    closed: bool = False
    """Said as a whole sentence, which begins with a capital and ends with a full stop."""


def phrase(key: str, **values: object) -> Phrase:
    """The text ``key``, with a value for each of its placeholders."""
    return Phrase(key, tuple(sorted(values.items())))


def verbatim(text: str) -> Phrase:
    """A text that no table has: a name, or what the system says (in English)."""
    return Phrase("verbatim", (("text", text),))


def said(text: str, *, closed: bool = False) -> Phrase:
    """What the worker says: in the user's language, where it is a sentence that the tables have.

    Nothing of it becomes a format: its key names a row of the tables, below ``said.``, and what stands in the
    row's gaps stays as it is.
    """
    if not isinstance(text, Said) or not text.key:
        return Phrase("verbatim", (("text", str(text)),), closed=closed)
    values = tuple(sorted((name, said(value)) for name, value in text.values))
    return Phrase(SAID_PREFIX + text.key, values, str(text), closed)


NOTHING = verbatim("")
"""The empty text."""
