"""How ``doppel models`` shows what it knows, as text and as JSON."""

from __future__ import annotations

from typing import Any

from doppel_models.files.kinds import ModelDescription, ModelTensor
from doppel_models.files.licences import Acceptance, Licence
from doppel_models.files.record import ModelRecord
from doppel_models.files.store import ModelStore
from rich.console import Console


def print_licence(console: Console, licence: Licence) -> None:
    """Show the terms of a model."""
    console.print(f"[bold]licence:[/] {licence.name}. {licence.terms}")


def acceptance_words(acceptance: Acceptance) -> str:
    """Who accepted a licence, when, and why they may."""
    ground = f": {acceptance.ground}" if acceptance.ground else ""
    return f"accepted by {acceptance.who} on {acceptance.when[:10]}{ground}"


def model_words(description: ModelDescription) -> str:
    """What a model is, in a few words."""
    size = f", {description.size} pixels" if description.size else ""
    half = ", float16" if description.weights == "float16" else ""
    return f"{description.title}{size}{half}"


def tensor_json(tensor: ModelTensor) -> dict[str, Any]:
    """An input or output for JSON."""
    return {"name": tensor.name, "role": tensor.role, "shape": tensor.shape, "dtype": tensor.dtype}


def record_json(record: ModelRecord, store: ModelStore) -> dict[str, Any]:
    """What the store knows of a model, for JSON."""
    accepted = record.acceptance
    return {
        "name": record.name,
        "sha256": record.sha256,
        "file": str(store.path(record.sha256)),
        "bytes": record.bytes,
        "kind": record.kind,
        "variant": record.variant,
        "pixels": record.pixels,
        "origin": record.origin,
        "added": record.added,
        "licence": record.licence.name,
        "accepted": {"who": accepted.who, "when": accepted.when, "ground": accepted.ground}
        if accepted
        else None,
    }
