"""What the lanes of one device share: compositor, networks, the personas' engines, and whose turn it is."""

from __future__ import annotations

import threading
from collections.abc import Callable

from doppel_models.detector import FaceDetector
from doppel_models.landmarker import FaceLandmarker
from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import PersonaStore

from doppel_worker.assets import PersonaLoader
from doppel_worker.devices import AUTO
from doppel_worker.model_engines import ModelEngines
from doppel_worker.open_device import OpenDevice, checked, open_device
from doppel_worker.persona_engines import PersonaEngines, models_beside
from doppel_worker.pipeline import FacePipeline
from doppel_worker.turns import Turns

Notify = Callable[[str], None]


class DeviceParts:
    """One device at work. Frames are judged one at a time, under :attr:`turns`."""

    def __init__(self, wanted: str, store: PersonaStore, fallback: Notify) -> None:
        """Open the device and load the bundled networks on it.

        Args:
            wanted: see :func:`doppel_worker.devices.choose`.
            store: of the personas.
            fallback: is told why it is another device, and what to do.

        Raises:
            DeviceError: ``wanted`` is no device's name.
            ModelsError: a bundled network is missing or cannot be run.
        """
        opened = open_device(wanted, fallback)
        detector, landmarker = _networks(opened)
        safe = checked(opened, (*detector.networks, landmarker.network), fallback)
        if safe is not opened:
            detector, landmarker = _networks(safe)
        self.info, self.compositor = safe.info, safe.compositor
        self.provider = landmarker.network.provider
        self.turns = Turns()
        importer = PersonaImporter()
        models = ModelEngines(importer, models_beside(store), safe.config)
        engines = PersonaEngines(store, importer, models, safe.mesh_device)
        self.loader = PersonaLoader(engines.load)
        self.pipeline = FacePipeline(safe.compositor, detector, landmarker, self.loader)

    @property
    def description(self) -> str:
        """For the status: the device, and what slows its frames down."""
        note = self.compositor.note
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
        if known is not None:
            return known
        with self._lock:
            parts = self._parts.get(wanted)
            if parts is None:
                parts = DeviceParts(wanted, self._store, self._fallback)
                # Two names of one device share what there is of it.
                same = [other for other in self._parts.values() if other.info == parts.info]
                parts = self._parts[wanted] = same[0] if same else parts
            return parts


def _networks(opened: OpenDevice) -> tuple[FaceDetector, FaceLandmarker]:
    return FaceDetector(opened.config), FaceLandmarker(opened.config)
