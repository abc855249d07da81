"""What the mesh engine knows of a persona."""

from __future__ import annotations

import dataclasses

from doppel_models.types import ByteArray, FloatArray


@dataclasses.dataclass(frozen=True, slots=True)
class MeshPersona:
    """A persona's face in texture space. Arrays are not to be modified."""

    texture: ByteArray
    """(n, n, 3) uint8 RGB over the canonical UV square; complete, also where nothing was seen."""
    known: ByteArray
    """(n, n) uint8: 255 where the texture shows the persona's own skin, 0 where it was made up."""
    shape: FloatArray | None
    """(468, 3) the persona's resting face (see :mod:`.shape`); None: it has no proportions of its own."""
    own_color: bool = False
    """A mask: light and shade are taken from the live face, the skin's colour is not."""
