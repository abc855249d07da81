"""What an engine uses of a persona's photo: the face alone, as large as a network takes it."""

from __future__ import annotations

import dataclasses

from doppel_models.engines.crops.crop import AlignedCrop
from doppel_models.engines.crops.description import source_of
from doppel_models.engines.crops.identity import recogniser_crop
from doppel_models.files.kinds import ModelDescription
from doppel_models.types import ByteArray, FloatArray


@dataclasses.dataclass(frozen=True, slots=True)
class PhotoCrop:
    """The persona's face, cut out of one photo for one swapper.

    A persona's photos may take 180 MB each; a crop takes 0.2 MB at most, so that all photos can be kept.
    """

    rgb: ByteArray
    """(size, size, 3) uint8 RGB: what the swapper takes itself, or else what its recogniser takes."""

    @classmethod
    def of(cls, picture: ByteArray, landmarks: FloatArray, swapper: ModelDescription) -> PhotoCrop:
        """The face of ``landmarks`` (478, 3), pixels of ``picture`` (h, w, 3) uint8 RGB, which is not kept.

        ``swapper`` may be any model: one that makes no face of a photo is refused by ``build_engine``.
        """
        source = source_of(swapper)
        if source is None:
            return cls(recogniser_crop(picture, landmarks))
        return cls(AlignedCrop.of(picture, landmarks, source.template, swapper.source_size).rgb)
