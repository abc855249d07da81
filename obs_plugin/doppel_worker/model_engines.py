"""Engines from the user's model files: by the file's path or by its name in the store."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from doppel_models import photo_check
from doppel_models.engines.crops.engine import CropEngine
from doppel_models.engines.crops.loading import NetworkLoader, build_engine
from doppel_models.engines.crops.photo import PhotoCrop
from doppel_models.errors import ModelFileError, StoreError
from doppel_models.files.kinds import ModelDescription, ModelKind
from doppel_models.files.licences import check_acceptance, licence_of
from doppel_models.files.model import ModelFile, open_model
from doppel_models.files.store import ModelStore
from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import Persona
from doppel_models.photo_file import read_photo
from doppel_models.pose import head_pose
from doppel_models.sentences import sentence
from doppel_models.session import SessionConfig

from doppel_worker.assets import PersonaKey

NO_MODEL = "none"
_IS_FILE = re.compile(r".*\.(?:onnx|dfm)", re.IGNORECASE | re.DOTALL)
_MAX_HELPERS = 24
"""Files beside a model's that are looked at for the helpers that it needs."""
_MAX_HELPER_BYTES = 400 << 20


class ModelEngines:
    """Makes engines of model files; one thread at a time."""

    def __init__(
        self,
        importer: PersonaImporter,
        store: ModelStore | None = None,
        config: SessionConfig | None = None,
        show_licence: Callable[[str], None] | None = None,
    ) -> None:
        """Prepare.

        Args:
            importer: its networks look at the personas' photos.
            store: the user's models (default: the user's own folder).
            config: for the models' networks.
            show_licence: shows the user the licence of a file that is named by its path and was not added to
                the store, where that is their own command; None: such files are refused.
        """
        self._show_licence = show_licence
        self._importer = importer
        self._store = store or ModelStore()
        self._networks = NetworkLoader(config)

    def load(self, persona: Persona, key: PersonaKey) -> CropEngine:
        """The engine of a model persona, or of a photo persona and the model that ``key`` names.

        Raises:
            ModelsError: a model or a photo cannot be used; the message says why and what to do.
        """
        folder: Path | None = None
        photos: Sequence[PhotoCrop] = ()
        if persona.kind == "model":
            swapper = _own_model(persona)
        else:
            swapper = self._open(key.engine)
            file = named_file(key.engine)
            folder = None if file is None else file.parent
            photos = self._photos(persona, swapper.description)

        def find(kind: ModelKind, variant: str) -> ModelFile | None:
            stored = self._store.of_kind(kind, variant or None)
            if stored:
                return self._store.open(stored[0])
            found = None if folder is None else _beside(folder, kind, variant)
            return None if found is None else self._accepted(found)

        enhancer = None if key.enhancer == NO_MODEL else self._open(key.enhancer)
        occluder = None if key.occlusion == NO_MODEL else self._open(key.occlusion)
        return build_engine(
            self._networks,
            swapper,
            find,
            photos,
            enhancer=enhancer,
            occluder=occluder,
            pixel_boost=key.pixel_boost,
        )

    def _open(self, reference: str) -> ModelFile:
        if _IS_FILE.fullmatch(reference):
            path = named_file(reference)
            if path is not None:
                return self._accepted(open_model(path))
            with contextlib.suppress(StoreError):
                return self._store.open(self._store.find(reference))
            raise ModelFileError(
                sentence("model.no-such-file", "there is no model file {file}", file=reference)
            )
        return self._store.open(self._store.find(reference))

    def _accepted(self, model: ModelFile) -> ModelFile:
        """A file that was not taken from the store, if its licence was accepted or can be shown.

        Raises:
            ModelFileError: neither.
        """
        licence = licence_of(model.description.kind, model.description.variant)
        with contextlib.suppress(ModelFileError):
            check_acceptance(licence, self._store.get(model.sha256).acceptance)
            return model
        if self._show_licence is None:
            raise ModelFileError(
                sentence(
                    "licence.add-first",
                    "{name} cannot be used: its licence ({licence}) was not accepted; add it with `doppel"
                    " models add` first",
                    name=model.name,
                    licence=licence.name,
                )
            )
        self._show_licence(f"{model.name}: licence: {licence.name}. {licence.terms}")
        return model

    def _photos(self, persona: Persona, swapper: ModelDescription) -> Sequence[PhotoCrop]:
        """The persona's face in each photo, the photo that shows it straightest first."""
        seen = [self._seen(path, swapper) for path in persona.paths]
        return [crop for _, crop in sorted(seen, key=lambda pair: pair[0])]

    def _seen(self, path: Path, swapper: ModelDescription) -> tuple[float, PhotoCrop]:
        """How far the face in a photo is turned sideways, in degrees, and its crop.

        One photo at a time is in memory: 16 as large as they may be would take 3 GB.
        """
        photo = read_photo(path)
        landmarks = photo_check.only_face(photo, *self._importer.load())
        return abs(head_pose(landmarks).yaw), PhotoCrop.of(photo.image, landmarks, swapper)


def named_file(reference: str) -> Path | None:
    """The model file that a setting names by its path; None: it names none, or there is no such file."""
    if not _IS_FILE.fullmatch(reference):
        return None
    try:
        path = Path(reference).expanduser()
        return path if path.is_file() else None
    except (OSError, RuntimeError):  # a name that is too long, the home folder of nobody
        return None


def _own_model(persona: Persona) -> ModelFile:
    model = open_model(persona.paths[0])
    check_acceptance(licence_of(model.description.kind, model.description.variant), persona.acceptance)
    return model


def _beside(folder: Path, kind: ModelKind, variant: str) -> ModelFile | None:
    """A helper among the files of a folder; what they are called decides only between several of a kind."""
    files = [path for path in folder.glob("*.onnx") if path.is_file()]
    files.sort(key=lambda path: (variant not in path.name.lower(), path.name))
    for path in files[:_MAX_HELPERS]:
        if path.stat().st_size > _MAX_HELPER_BYTES:
            continue
        choice = f"crossface-{variant}" if kind is ModelKind.CROSSFACE else None
        with contextlib.suppress(ModelFileError):
            found = open_model(path, choice)
            if found.description.kind == kind and variant in ("", found.description.variant):
                return found
    return None
