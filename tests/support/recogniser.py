"""A recogniser that tells two given people apart, and nobody else: the real ones are not ours to ship."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from doppel_models import photo_check
from doppel_models.engines.crops.identity import Recogniser
from doppel_models.engines.crops.loading import NetworkLoader
from doppel_models.files.licences import accept, licence_of
from doppel_models.files.model import open_model
from doppel_models.files.store import ModelStore
from doppel_models.photo_file import PhotoFile
from doppel_models.types import ByteArray, FloatArray

from tests.support.networks import detector, landmarker
from tests.support.portrait import Portrait
from tests.support.probes import build
from tests.support.tracked_lane import scene


def portrait_of(head: Portrait, height: float = 240.0) -> ByteArray:
    """A picture of one person alone, uint8 RGB."""
    return scene((head, (240.0, 230.0), height), size=(480, 480))


def write_portrait(head: Portrait, path: Path) -> str:
    """:func:`portrait_of` as a file; returns its path."""
    cv2.imwrite(str(path), portrait_of(head)[:, :, ::-1])
    return str(path)


def recogniser_of(one: Portrait, other: Portrait, folder: Path) -> bytes:
    """An ArcFace model whose vectors point one way for the one person and the opposite way for the other.

    Args:
        one: a person.
        other: another.
        folder: for a file on the way.
    """
    path = folder / "cells.onnx"
    path.write_bytes(build.arcface())
    plain = Recogniser(NetworkLoader().load(open_model(path)).network)
    path.unlink()

    def seen(head: Portrait) -> FloatArray:
        picture = portrait_of(head)
        landmarks = photo_check.only_face(
            PhotoFile("a person", ".png", b"", picture), detector(), landmarker()
        )
        return plain.embed(picture, landmarks)

    a, b = seen(one).astype(np.float64), seen(other).astype(np.float64)
    apart = (a - b) / np.square(a - b).sum()
    matrix, bias = np.zeros((512, 512)), np.zeros(512)
    # +0.5 for the one, -0.5 for the other; never without a direction.
    matrix[:, 0], bias[0], bias[1] = apart, -float((a + b) @ apart) / 2, 0.01
    return build.arcface((matrix, bias))


def keep(data: bytes, store: ModelStore, folder: Path, name: str = "people") -> None:
    """Put a model into a user's store, its licence accepted."""
    path = folder / f"{name}.onnx"
    path.write_bytes(data)
    model = open_model(path)
    licence = licence_of(model.description.kind, model.description.variant)
    store.add(model, accept(licence, "a test", "made by a test"), name=name)
    path.unlink()
