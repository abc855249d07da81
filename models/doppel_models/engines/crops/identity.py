"""Identity: from a face to what a one-photo swapper is told of it.

A vector starts as ArcFace's, and may be moved towards or away from the filmed person's own (the identity
weight of FaceFusion) before it goes into the swapper's space.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from doppel_models.engines.crops.crop import AlignedCrop
from doppel_models.engines.crops.description import ARCFACE, IdentityForm
from doppel_models.engines.crops.network import RoleNetwork
from doppel_models.errors import EngineError
from doppel_models.files.kinds import VECTOR_LENGTH, Role
from doppel_models.sentences import sentence
from doppel_models.types import ByteArray, FloatArray

RECOGNISER_SIZE = 112
NEUTRAL_WEIGHT = 0.5
_WEIGHT_REACH = 0.35
"""Share of the filmed person's vector at weight 0; its negative at weight 1."""
_LEAST_NORM = 1e-6


class Recogniser:
    """An ArcFace network: a face -> its identity."""

    def __init__(self, network: RoleNetwork) -> None:
        """Use a model of kind arcface."""
        self._network = network

    def embed(self, picture: ByteArray, landmarks: FloatArray) -> FloatArray:
        """(512,) the raw vector of the face of ``landmarks`` (478, 2 or 3) in a picture (h, w, 3) uint8 RGB.

        Raises:
            EngineError: the network gives something that is no identity.
            SessionError: the network fails.
        """
        return self.vector(recogniser_crop(picture, landmarks))

    def vector(self, crop: ByteArray) -> FloatArray:
        """(512,) the raw vector of a face that :func:`recogniser_crop` has cut out.

        Raises:
            EngineError: the network gives something that is no identity.
            SessionError: the network fails.
        """
        outputs = self._network.run({Role.TARGET: ARCFACE.picture.encode(crop)})
        return checked_vector(outputs[Role.VECTOR], self._network.network.name)


class Identity:
    """Whose face a swapper makes."""

    def __init__(
        self,
        raw: FloatArray,
        form: IdentityForm,
        *,
        emap: FloatArray | None = None,
        crossface: RoleNetwork | None = None,
    ) -> None:
        """Prepare a persona's vector.

        Args:
            raw: (512,) ArcFace's vector of the persona (:func:`mean_vector`).
            form: what the swapper wants.
            emap: (512, 512), for :attr:`IdentityForm.EMAP`.
            crossface: for the crossface forms.

        Raises:
            EngineError: the form's matrix or network is missing, or they make no identity of the vector.
        """
        if (form is IdentityForm.EMAP) != (emap is not None):
            raise EngineError("the model's identity matrix is missing")
        if (form in (IdentityForm.CROSSFACE, IdentityForm.CROSSFACE_NORMED)) != (crossface is not None):
            raise EngineError("the model needs a crossface model, which turns identities into its own")
        self._raw, self._form, self._emap, self._crossface = raw, form, emap, crossface
        self.plain = self._in_space(raw)
        """(1, 512) float32: the identity at neutral weight."""

    def latent(self, weight: float, filmed: FloatArray | None) -> FloatArray:
        """(1, 512) float32 for the network.

        With ``w`` running from .35 to -.35 as the weight runs from 0 to 1, it is made of
        ``persona * (1 - w) + filmed * w``, both normed, at the length of the persona's own vector.

        Args:
            weight: 0 (towards the filmed person) .. 0.5 (the persona as it is) .. 1 (exaggerated).
            filmed: (512,) ArcFace's vector of the filmed person; None: not known, the weight has no effect.
        """
        if filmed is None or weight == NEUTRAL_WEIGHT:
            return self.plain
        w = np.float32(_WEIGHT_REACH * (1 - 2 * weight))
        mixed = normed(self._raw) * (1 - w) + normed(filmed) * w
        return self._in_space(normed(mixed) * np.float32(np.linalg.norm(self._raw)))

    def _in_space(self, raw: FloatArray) -> FloatArray:
        vector = raw
        if self._form is IdentityForm.EMAP and self._emap is not None:
            vector = normed(normed(raw) @ self._emap)
        elif self._form is IdentityForm.ARCFACE:
            vector = normed(raw)
        elif self._crossface is not None:
            out = self._crossface.run({Role.VECTOR: raw[None]})[Role.VECTOR]
            vector = checked_vector(out, self._crossface.network.name)
            if self._form is IdentityForm.CROSSFACE_NORMED:
                vector = normed(vector)
        return np.ascontiguousarray(vector[None], np.float32)


def recogniser_crop(picture: ByteArray, landmarks: FloatArray) -> ByteArray:
    """(112, 112, 3) uint8 RGB: the face of ``landmarks`` (478, 2 or 3) in a picture (h, w, 3) uint8 RGB."""
    return AlignedCrop.of(picture, landmarks, ARCFACE.template, RECOGNISER_SIZE).rgb


def mean_vector(vectors: Sequence[FloatArray]) -> FloatArray:
    """(512,) one identity of the raw vectors of several photos: their mean direction at their mean length."""
    direction = normed(np.mean([normed(vector) for vector in vectors], axis=0).astype(np.float32))
    length = float(np.mean([np.linalg.norm(vector) for vector in vectors]))
    return direction * np.float32(length)


def normed(vector: FloatArray) -> FloatArray:
    """``vector`` (512,) at length 1.

    Raises:
        EngineError: it has no direction.
    """
    length = float(np.linalg.norm(vector))
    if not length > _LEAST_NORM:
        raise EngineError(
            sentence(
                "engine.empty-identity",
                "a model gives an empty identity vector; its file is broken or not what it seems",
            )
        )
    return np.asarray(vector / np.float32(length), np.float32)


def checked_vector(output: npt.NDArray[np.floating], name: str) -> FloatArray:
    """(512,) float32 of what a network gave.

    Raises:
        EngineError: another length, or values that are not finite.
    """
    vector = np.asarray(output, np.float32).reshape(-1)
    if vector.shape != (VECTOR_LENGTH,) or not np.isfinite(vector).all():
        raise EngineError(f"{name} gives no identity of {VECTOR_LENGTH} numbers; its file is broken")
    return vector
