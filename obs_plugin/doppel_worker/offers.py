"""What the property page can offer: devices, models by what they are for, and model files to add."""

from __future__ import annotations

from pathlib import Path

import doppel_models
from doppel_ipc.messages import Choices, Consent, DeviceInfo, ModelInfo
from doppel_models.errors import ModelFileError, ModelsError
from doppel_models.files.kinds import ONE_PHOTO_SWAPPERS, ModelKind
from doppel_models.files.licences import accept, check_acceptance, licence_of
from doppel_models.files.model import open_model
from doppel_models.files.store import ModelStore
from doppel_models.personas import Consent as ConsentRecord
from doppel_models.personas import Persona, PersonaStore
from doppel_models.sentences import sentence

from doppel_worker.devices import list_devices

_MASKS = Path(doppel_models.__file__).parent / "data" / "masks"
"""Made by docs/make_pictures.py."""
MODEL_SUFFIXES = (".dfm", ".onnx")
_ROLES = {
    **dict.fromkeys(ONE_PHOTO_SWAPPERS, "engine"),
    ModelKind.ENHANCER: "enhancer",
    ModelKind.XSEG: "occlusion",
}


def picture_of(persona: Persona) -> str:
    """Path of a picture of it for the face list; empty: there is none."""
    picture = persona.paths[0] if persona.kind == "photo" else _MASKS / f"{persona.id}.jpg"
    return str(picture) if picture.is_file() else ""


def choices(models: ModelStore) -> Choices:
    """The devices of this machine and the stored models that may be used."""
    devices = tuple(DeviceInfo(one.id, one.name[:200], one.memory_mb or 0) for one in list_devices())
    found = []
    for record in models.list():
        role = _ROLES.get(record.kind)
        if role is None:
            continue
        try:
            check_acceptance(record.licence, record.acceptance)
        except ModelFileError:
            continue  # it would be refused; `doppel models list` says why
        found.append(ModelInfo(record.name, role))
    return Choices(devices[:100], tuple(found[:1000]))


def add_model(
    path: Path, name: str, consent: Consent, models: ModelStore, personas: PersonaStore, *, licence: bool
) -> Persona | None:
    """Keeps a model file; one that was trained for a face becomes a persona, any other is None.

    Args:
        path: of the file.
        name: for people; default: the file's.
        consent: who adds it, and on what ground it may be used.
        models: where models are kept.
        personas: where personas are kept.
        licence: its licence is accepted.

    Raises:
        ModelsError: it is refused, or its licence is not accepted yet: then the text shows it.
    """
    model = open_model(path)
    terms = licence_of(model.description.kind, model.description.variant)
    if not licence:
        raise ModelsError(
            sentence(
                "licence.accept",
                "{name} is {title}. Its licence: {licence}. {terms} Tick that you accept the licence, and"
                " add it again.",
                name=model.name,
                title=model.description.title,
                licence=terms.name,
                terms=terms.terms,
            )
        )
    acceptance = accept(terms, consent.who, f"consent on the ground: {consent.ground}")
    if model.description.kind == ModelKind.DFM:
        record = ConsentRecord.checked({"ground": consent.ground, "who": consent.who, "when": consent.when})
        return personas.save_model(name or path.stem, model, acceptance, record)
    models.add(model, acceptance, name=name, origin=path.name)
    return None
