"""What the worker tells the user, on its way to OBS: sentences keep their keys, so that OBS can translate."""

from __future__ import annotations

from doppel_ipc.said import DEEPEST, Said
from doppel_models.sentences import Sentence, told_by

_TEXT_MAX = 2000
_VALUE_MAX = 1000


def clip(text: str, limit: int = _TEXT_MAX) -> str:
    """Text that is surely short enough for a message."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def wire(text: str, limit: int = _TEXT_MAX) -> Said:
    """A text or sentence as messages have it, surely short enough.

    Sentences nested too deeply for a message stay English from there on.
    """
    return _wire(text, limit, DEEPEST)


def unnamed(value: object) -> str:
    """What the log has of an error or text that may name faces and their files: keys, or the error's type."""
    text = told_by(value)
    if not isinstance(text, Sentence) or not text.key:
        return type(value).__name__ if isinstance(value, BaseException) else "(...)"
    inner = [unnamed(part) for _, part in text.values if isinstance(part, Sentence)]
    return f"{text.key} ({', '.join(inner)})" if inner else text.key


def _wire(text: str, limit: int, depth: int) -> Said:
    if not isinstance(text, Sentence) or (depth <= 1 and text.values):
        return Said(clip(text, limit))
    values = ((name, _wire(value, min(limit, _VALUE_MAX), depth - 1)) for name, value in text.values)
    return Said(clip(text, limit), text.key, values)
