"""What the worker tells the user, on its way to OBS: sentences keep their keys, so that OBS can translate."""

from __future__ import annotations

from doppel_ipc.said import DEEPEST, Said
from doppel_models.sentences import Sentence

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


def _wire(text: str, limit: int, depth: int) -> Said:
    if not isinstance(text, Sentence) or (depth <= 1 and text.values):
        return Said(clip(text, limit))
    values = ((name, _wire(value, min(limit, _VALUE_MAX), depth - 1)) for name, value in text.values)
    return Said(clip(text, limit), text.key, values)
