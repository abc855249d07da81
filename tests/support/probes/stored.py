"""The probes' model files in a store, for tests of the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from doppel_models.files.licences import accept, licence_of
from doppel_models.files.model import ModelFile, checked_model
from doppel_models.files.onnx_file import parse_onnx
from doppel_models.files.record import ModelRecord
from doppel_models.files.store import ModelStore

from tests.support.probes import shapes


def model(name: str, choice: str | None = None, producer: str = "") -> ModelFile:
    """The probe of that name (else a crossface); another producer makes it another file."""
    made = shapes.USED[name]() if name in shapes.USED else shapes.crossface()
    made.producer_name = producer
    return checked_model(parse_onnx(made.SerializeToString()), f"{name}.onnx", choice)


def put(store: ModelStore, file: ModelFile, **options: Any) -> ModelRecord:
    """Adds it, its licence accepted."""
    licence = licence_of(file.description.kind, file.description.variant)
    return store.add(file, accept(licence, "Jo", "made by the tests"), **options)


def names(folder: Path) -> list[str]:
    """What lies in a store's folder, but for its lock."""
    return sorted(entry.name for entry in folder.iterdir() if entry.name != ".lock")
