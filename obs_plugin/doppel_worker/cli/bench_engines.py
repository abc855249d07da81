"""Engines to measure with: a photo persona's, and those of networks made at run time."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from doppel_models.engines.base import CropRequest, FaceEngine
from doppel_models.engines.crops.description import IdentityForm, describe
from doppel_models.engines.crops.engine import CropEngine, Parts
from doppel_models.engines.crops.identity import Identity
from doppel_models.engines.crops.network import RoleNetwork
from doppel_models.engines.mesh.engine import MeshEngine
from doppel_models.engines.mesh.persona import MeshPersona
from doppel_models.files.model import checked_model
from doppel_models.files.onnx_file import parse_onnx
from doppel_models.persona_import import PersonaImporter
from doppel_models.photo_file import decode_photo
from doppel_models.session import Network, SessionConfig
from doppel_models.types import ByteArray, Face

from doppel_worker.cli.surrogates import SURROGATES
from doppel_worker.cli.timed_networks import Spent, TimedNetwork

_LEAST = 1e-6
"""Share of a surrogate's channels: as few as it can have. It is not the network that is measured."""


def mesh_persona(picture: ByteArray) -> MeshPersona:
    """The face of a picture: a photo persona, with all that it costs."""
    png = cv2.imencode(".png", picture[..., ::-1])[1].tobytes()
    return PersonaImporter().examine([decode_photo("the clip", png)]).mesh


def mesh_engine(picture: ByteArray) -> FaceEngine:
    """An engine that wears the face of a picture."""
    return cast("FaceEngine", MeshEngine(mesh_persona(picture)))


def surrogate_parts(model: str, data: bytes, config: SessionConfig) -> Parts:
    """The parts of an engine of a surrogate; it wears an identity of random numbers where it takes one."""
    file = checked_model(parse_onnx(data), model)
    row = describe(file.description)
    identity = None
    if row.identity is IdentityForm.EMAP:
        raw = np.random.default_rng(0).standard_normal(512).astype(np.float32)
        identity = Identity(raw, row.identity, emap=file.emap)
    return Parts(RoleNetwork(Network(model, data, config), file.description), row, identity)


class CropProbe(CropEngine):
    """An engine as inswapper's, whose small network is timed."""

    def __init__(self, spent: Spent) -> None:
        parts = surrogate_parts("inswapper", SURROGATES["inswapper"](_LEAST)[0], SessionConfig())
        swapper = parts.swapper
        swapper.network = TimedNetwork(swapper.network, spent)
        super().__init__(parts)
        self.request: CropRequest | None = None
        """The crop of the last frame."""

    def crop_for(self, face: Face, width: int, height: int) -> CropRequest | None:
        """See ``FaceEngine.crop_for``."""
        self.request = super().crop_for(face, width, height)
        return self.request

    def as_engine(self) -> FaceEngine:
        """Itself. It takes only states that it made itself, which the protocol's types cannot say."""
        return cast("FaceEngine", self)
