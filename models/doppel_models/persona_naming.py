"""Identifiers made of personas' names, and what happens when two would be the same."""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

from doppel_models.errors import PersonaError
from doppel_models.persona_record import read_record
from doppel_models.sentences import sentence

Taken = Literal["refuse", "number", "replace"]
"""What to do where another persona has the name, or the identifier made of it: refuse the new one, give it a
number (``Jo 2``), or put it in the other's place."""
_MOST_OF_ONE_NAME = 1000


def slug(name: str) -> str:
    """An identifier made of a name: ``Zoë's face`` -> ``zoe-s-face``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-") or "persona"


def place(
    folder: Path, name: str, pictures: Sequence[bytes], taken: Taken, built_in: Collection[str]
) -> tuple[str, str, bool]:
    """Where a new persona goes.

    Args:
        folder: of all personas.
        name: that it shall have.
        pictures: its files' contents.
        taken: what to do if another persona has the name.
        built_in: identifiers that no persona of the user's may have.

    Returns:
        Identifier and name, and whether that persona already holds these very pictures under that name.

    Raises:
        PersonaError: the name is taken, and ``taken`` says to refuse that.
    """
    stem = slug(name)
    for number in range(1, _MOST_OF_ONE_NAME):
        candidate = stem if number == 1 else f"{stem}-{number}"
        called = name if number == 1 else f"{name} {number}"
        if candidate not in built_in:
            if not (folder / candidate).exists():
                return candidate, called, False
            # What a link leads to is not ours to write, though it is read.
            if not (folder / candidate).is_symlink() and _holds(folder / candidate, called, pictures):
                return candidate, called, True
            if taken == "replace":
                return candidate, called, False
        elif taken != "number":
            raise PersonaError(
                sentence(
                    "persona.built-in-name",
                    "{name} is the name of a built-in face; take another name",
                    name=candidate,
                )
            )
        if taken == "refuse":
            raise PersonaError(
                sentence(
                    "persona.name-taken",
                    "there is already a face called '{name}' (kept as {id}); take another name, or replace"
                    " it: `doppel persona add --replace`",
                    name=name,
                    id=candidate,
                )
            )
    raise PersonaError(
        sentence("persona.too-many", "too many personas are called '{name}'; take another name", name=name)
    )


def _holds(folder: Path, name: str, pictures: Sequence[bytes]) -> bool:
    """True for a persona of that name made of these very pictures; a broken one holds nothing."""
    with contextlib.suppress(PersonaError, OSError):
        persona = read_record(folder.name, folder, need_consent=False)
        return persona.name == name and [path.read_bytes() for path in persona.paths] == list(pictures)
    return False
