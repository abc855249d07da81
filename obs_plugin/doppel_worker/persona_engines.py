"""From a persona's identifier to the engine that wears it."""

from __future__ import annotations

from typing import cast

from doppel_models.engines.base import FaceEngine
from doppel_models.engines.mesh.engine import MeshEngine
from doppel_models.engines.mesh.on_device import DeviceMeshEngine, MeshDevice
from doppel_models.errors import EngineError, ModelsError
from doppel_models.files.store import ModelStore
from doppel_models.persona_import import PersonaImporter
from doppel_models.persona_record import unusable
from doppel_models.personas import PersonaStore
from doppel_models.sentences import sentence

from doppel_worker.assets import PersonaKey
from doppel_worker.errors import PersonaError
from doppel_worker.model_engines import ModelEngines, named_file

_BUILT_IN = ("auto", "mesh")


def models_beside(store: PersonaStore) -> ModelStore:
    """The user's models: in the same data folder as the personas.

    Where OBS runs in a sandbox, the worker's own default folder is another one.
    """
    return ModelStore(store.folder.parent / "models")


class PersonaEngines:
    """Makes engines, and says when one is out of date.

    Give both methods to a :class:`~doppel_worker.assets.PersonaLoader`.
    """

    def __init__(
        self,
        store: PersonaStore,
        importer: PersonaImporter,
        models: ModelEngines | None = None,
        mesh_device: MeshDevice | None = None,
    ) -> None:
        """Prepare.

        Args:
            store: of the personas.
            importer: reads their photos.
            models: makes engines of model files (default: beside ``store``).
            mesh_device: draws the mesh engine's faces; None: the processor does.
        """
        self._mesh_device = mesh_device
        self._store = store
        self._importer = importer
        self._models = models or ModelEngines(importer, models_beside(store))

    def load(self, key: PersonaKey) -> FaceEngine:
        """The engine of a persona; one thread at a time.

        Raises:
            PersonaError: there is no such persona, it has no consent record, its files are broken, or its
                model or the chosen engine's cannot be used.
        """
        try:
            persona = self._store.get(key.persona)
            if persona.kind == "model" and key.engine != "auto":
                raise EngineError(sentence("engine.own", "it is a model of its own; set the engine to auto"))
            if persona.kind == "model" or key.engine not in _BUILT_IN:
                # An engine takes only states that it made itself, which the protocol's types cannot say.
                return cast("FaceEngine", self._models.load(persona, key))
            mesh, device = self._importer.mesh(persona), self._mesh_device
            return cast("FaceEngine", MeshEngine(mesh) if device is None else DeviceMeshEngine(mesh, device))
        except ModelsError as error:
            raise PersonaError(unusable(key.persona, error)) from error

    def revision(self, key: PersonaKey) -> int:
        """A number that changes when the persona, or a model file named by its path, is replaced."""
        stamps = [_stamp(one) for one in (key.engine, key.enhancer, key.occlusion)]
        return hash((self._store.revision(key.persona), *stamps))


def _stamp(reference: str) -> int:
    path = named_file(reference)
    try:
        return 0 if path is None else path.stat().st_mtime_ns
    except OSError:  # it has gone meanwhile; that is told when the engine is made
        return 0
