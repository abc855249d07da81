"""Whose face an example picture says it is: what recognition answers and casting asks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from doppel_models.types import Face


@dataclasses.dataclass(frozen=True, slots=True)
class Likeness:
    """What the example pictures say of a face."""

    person: int | None
    """Whose it is; 0: nobody's of the pictures; None: not known yet."""
    is_sure: bool = True
    """False: nobody's, but that is not certain enough to show the face."""
    lasts: bool = True
    """False: it cannot be known now (there is no recogniser), but may be later."""


Recognise = Callable[[Face], Likeness]
"""Asked for one face of the current frame."""
NO_PICTURES = Likeness(0)
"""What is said of every face where nobody has a picture."""
