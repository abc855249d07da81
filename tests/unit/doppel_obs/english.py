"""English, and the words of phrases."""

from __future__ import annotations

from collections.abc import Iterable

from doppel_obs.language import load_english
from doppel_obs.phrases import Phrase

ENGLISH = load_english()


def words(*phrases: Phrase | None) -> str:
    """What they say, one a line."""
    return "\n".join(ENGLISH.say(one) for one in phrases if one is not None)


def lines(phrases: Iterable[Phrase]) -> list[str]:
    """What each says."""
    return [ENGLISH.say(one) for one in phrases]
