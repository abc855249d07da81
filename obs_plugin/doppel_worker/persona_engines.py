"""From a persona's identifier to the engine that wears it."""

from __future__ import annotations

from typing import cast

from doppel_models.engines.base import FaceEngine
from doppel_models.engines.mesh.engine import MeshEngine
from doppel_models.errors import ModelsError
from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import PersonaStore

from doppel_worker.assets import PersonaKey
from doppel_worker.errors import PersonaError


class PersonaEngines:
    """Makes engines; give :meth:`load` to a :class:`~doppel_worker.assets.PersonaLoader`."""

    def __init__(self, store: PersonaStore, importer: PersonaImporter) -> None:
        self._store = store
        self._importer = importer

    def load(self, key: PersonaKey) -> FaceEngine:
        """The engine of a persona; one thread at a time.

        Raises:
            PersonaError: there is no such persona, it has no consent record, or its files are broken.
        """
        try:
            engine = MeshEngine(self._importer.mesh(self._store.get(key.persona)))
        except ModelsError as error:
            raise PersonaError(f"persona {key.persona!r} cannot be used: {error}") from error
        # An engine takes only states that it made itself, which the protocol's types cannot say.
        return cast("FaceEngine", engine)
