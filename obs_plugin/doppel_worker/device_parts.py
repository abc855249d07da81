"""What the lanes of one device share: compositor, networks, the personas' engines, and whose turn it is."""

from __future__ import annotations

import threading
from collections.abc import Callable

from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import PersonaStore

from doppel_worker.assets import PersonaLoader
from doppel_worker.device_health import DeviceHealth
from doppel_worker.devices import AUTO, CPU
from doppel_worker.model_engines import ModelEngines
from doppel_worker.open_device import open_networks
from doppel_worker.persona_engines import PersonaEngines, models_beside
from doppel_worker.pipeline import FacePipeline
from doppel_worker.recognition import FaceRecognition
from doppel_worker.turns import Turns

Notify = Callable[[str], None]


class DeviceParts:
    """One device at work. Frames are judged one at a time, under :attr:`turns`."""

    def __init__(
        self,
        wanted: str,
        store: PersonaStore,
        fallback: Notify,
        importer: PersonaImporter | None = None,
        show_licence: Notify | None = None,
    ) -> None:
        """Open the device and load the bundled networks on it.

        Args:
            wanted: see :func:`doppel_worker.devices.choose`.
            store: of the personas.
            fallback: is told why it is another device, and what to do.
            importer: reads the personas' photos (default: one of its own).
            show_licence: see :class:`~doppel_worker.model_engines.ModelEngines`.

        Raises:
            DeviceError: ``wanted`` is no device's name.
            ModelsError: a bundled network is missing or cannot be run.
        """
        opened, detector, landmarker = open_networks(wanted, fallback)
        self.info, self.compositor = opened.info, opened.compositor
        self.provider = landmarker.network.provider
        self.turns = Turns()
        self.health = DeviceHealth(self.info.id)
        importer = importer or PersonaImporter()
        stored = models_beside(store)
        models = ModelEngines(importer, stored, opened.config, show_licence)
        engines = PersonaEngines(store, importer, models, opened.mesh_device)
        self.loader = PersonaLoader(engines.load, engines.revision)
        self.recognition = FaceRecognition(stored)
        self.pipeline = FacePipeline(
            opened.compositor, detector, landmarker, self.loader, recognition=self.recognition
        )

    @property
    def description(self) -> str:
        """For the status: the device, and what slows its frames down."""
        note = "lost; the CPU does the work" if self.health.lost else self.compositor.note
        return f"{self.info.id} ({note})" if note else self.info.id


class DevicePool:
    """The devices in use; each is opened when the first lane wants it. Thread-safe."""

    def __init__(self, store: PersonaStore, fallback: Notify) -> None:
        self._store, self._fallback = store, fallback
        self._lock = threading.Lock()
        self._parts: dict[str, DeviceParts] = {}

    def get(self, wanted: str = AUTO) -> DeviceParts:
        """The parts of a device; those of another one where it cannot be had.

        Raises:
            DeviceError: ``wanted`` is no device's name.
            ModelsError: a bundled network is missing or cannot be run.
        """
        known = self._parts.get(wanted)  # lanes at work do not wait while another device is opened
        if known is not None and not known.health.lost:
            return known
        with self._lock:
            parts = self._parts.get(wanted)
            if parts is not None and not parts.health.lost:
                return parts
            # What is lost stays lost.
            parts = self._parts[wanted] = self._opened(wanted if parts is None else CPU)
            return parts

    def _opened(self, wanted: str) -> DeviceParts:
        """Two names of one device share what there is of it."""
        if wanted != CPU:
            parts = DeviceParts(wanted, self._store, self._fallback)
            known = [other for other in self._parts.values() if other.info == parts.info]
            if not known:
                return parts
            if not known[0].health.lost:
                return known[0]
        known = [other for other in self._parts.values() if other.info.id == CPU]
        return known[0] if known else DeviceParts(CPU, self._store, self._fallback)
