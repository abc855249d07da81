"""What the lanes of one device share: compositor, networks, the personas' engines, and whose turn it is."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable

from doppel_models.detector import FaceDetector
from doppel_models.errors import ModelsError
from doppel_models.landmarker import FaceLandmarker
from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import PersonaStore
from doppel_models.sentences import Sentence, sentence, told_by

from doppel_worker import open_device
from doppel_worker.assets import PersonaLoader
from doppel_worker.compositor import Compositor
from doppel_worker.device_health import DeviceHealth
from doppel_worker.device_return import FIRST_SECONDS, DeviceReturn
from doppel_worker.devices import AUTO, CPU
from doppel_worker.environment import records_networks
from doppel_worker.errors import DeviceError
from doppel_worker.model_engines import ModelEngines
from doppel_worker.open_device import OpenDevice, networks_beside, open_networks
from doppel_worker.persona_engines import PersonaEngines, models_beside
from doppel_worker.pipeline import FacePipeline
from doppel_worker.recognition import FaceRecognition
from doppel_worker.seat import Seat, Seats

_logger = logging.getLogger(__name__)

Notify = Callable[[str], None]


class DeviceParts:
    """One device at work. Frames are judged on :attr:`seats`; what they share under :attr:`turns`."""

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
        self.info, self._opened, self._fallback = opened.info, opened, fallback
        self.provider = landmarker.network.provider
        self.turns = opened.new_turns()
        self.health = DeviceHealth(self.info.id)
        importer = importer or PersonaImporter()
        stored = models_beside(store)
        recorded = dataclasses.replace(opened.config, cuda_graph=records_networks())
        models = ModelEngines(importer, stored, recorded, show_licence)
        engines = PersonaEngines(store, importer, models, opened.mesh_device)
        self.loader = PersonaLoader(engines.load, engines.revision)
        self.recognition = FaceRecognition(stored)
        self.seats = Seats(self._seat(opened, detector, landmarker), self._another_seat)
        self._records = recorded.cuda_graph

    @property
    def compositor(self) -> Compositor:
        """The first seat's."""
        return self.seats.first.compositor

    @property
    def pipeline(self) -> FacePipeline:
        """The first seat's."""
        return self.seats.first.pipeline

    @property
    def description(self) -> str:
        """For the status: the device, and what slows its frames down."""
        note = self.seats.note
        if not note:
            return self.info.id
        return sentence("device.noted", "{device} ({note})", device=self.info.id, note=note)

    def _seat(self, opened: OpenDevice, detector: FaceDetector, landmarker: FaceLandmarker) -> Seat:
        pipeline = FacePipeline(
            opened.compositor, detector, landmarker, self.loader, recognition=self.recognition
        )
        return Seat(self.turns, pipeline)

    def _another_seat(self) -> Seat | None:
        """One whose frames overlap with the others', with bundled networks of its own."""
        if self._records:
            # What CUDA records holds whatever any thread puts on the stream meanwhile.
            return None
        try:
            beside = self._opened.beside()
            return None if beside is None else self._seat(beside, *networks_beside(beside))
        except (DeviceError, ModelsError, MemoryError) as error:
            self._fallback(self.in_turns(error))
            return None

    def in_turns(self, error: Exception) -> Sentence:
        """What the user is told where there is one seat only because of an error."""
        return sentence(
            "device.in-turns",
            "{device}: frames of several cameras come one after another, which is slower ({why})",
            device=self.info.id,
            why=told_by(error) or sentence("lane.no-memory", "there is not enough memory"),
        )


class DevicePool:
    """The devices in use; each is opened when the first lane wants it. Thread-safe."""

    def __init__(self, store: PersonaStore, fallback: Notify, return_seconds: float = FIRST_SECONDS) -> None:
        """Open nothing yet.

        Args:
            store: of the personas.
            fallback: is told which device is used instead of which, and why.
            return_seconds: until a device that had no memory is tried again for the first time.
        """
        self._store, self._fallback = store, fallback
        self._return_seconds = return_seconds
        self._lock, self._returning = threading.Lock(), threading.Lock()
        self._parts: dict[str, DeviceParts] = {}
        self._given_up: dict[str, str] = {}
        """Device of a wanted one that was given up."""
        self._opening: set[str] = set()
        """Devices that are opened beside the frames, and those that could not be."""

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
            if parts is None:
                parts = self._parts[wanted] = self._opened(wanted)
            elif parts.health.lost:
                self._given_up[wanted] = parts.info.id
                if parts.health.may_return:
                    # One that fails again and again is tried less and less often.
                    DeviceReturn(wanted, lambda: self._return(wanted), self._return_seconds)
                    self._return_seconds *= 2
                parts = self._parts[wanted] = self._opened(CPU)
            return parts

    def if_open(self, wanted: str) -> DeviceParts | None:
        """As :meth:`get`, for who must not wait: None while the device is being opened, on another thread.

        It stays None where it cannot be had, which is told.
        """
        known = self._parts.get(wanted)
        if known is not None and not known.health.lost:
            self._opening.discard(wanted)
            return known
        if wanted not in self._opening:
            self._opening.add(wanted)
            threading.Thread(
                target=self._open_beside, args=(wanted,), name=f"open-{wanted}", daemon=True
            ).start()
        return None

    def _open_beside(self, wanted: str) -> None:
        try:
            self.get(wanted)
        except (DeviceError, ModelsError, MemoryError) as error:
            _logger.warning("%s cannot be opened", wanted, exc_info=error)
            self._fallback(told_by(error) or sentence("lane.no-memory", "there is not enough memory"))

    def description(self, wanted: str) -> str:
        """For the status: the device that does the work, and what slows its frames down."""
        given_up, parts = self._given_up.get(wanted), self._parts[wanted]
        if given_up is None and not parts.health.lost:
            return parts.description
        return sentence(
            "device.lost",
            "{device} (lost; the CPU does the work)",
            device=given_up or parts.info.id,
        )

    def provider(self, wanted: str) -> str:
        """The execution provider of its networks."""
        return self._parts[wanted].provider

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

    def _return(self, wanted: str) -> bool:
        """Whether a device that was given up could be opened; lanes then move to it (``SwapLane``)."""
        with self._returning:  # two names of one device may be tried at once, and share what there is of it
            return self._returned(wanted)

    def _returned(self, wanted: str) -> bool:
        told: list[str] = []
        id_ = self._given_up[wanted]
        shared = next((other for other in list(self._parts.values()) if other.info.id == id_), None)
        if shared is None or shared.health.lost:
            # First without its networks: loading them for nothing would disturb the frames.
            if open_device.open_device(wanted, told.append).info.id != id_:
                return False
            try:
                shared = DeviceParts(wanted, self._store, told.append)
            except (DeviceError, ModelsError) as error:
                _logger.info("%s: %s", id_, error)
                return False
        if shared.info.id != id_:
            return False
        with self._lock:
            self._parts[wanted] = shared
            del self._given_up[wanted]
        self._fallback(sentence("device.again", "{device} is used again", device=id_))
        return True
