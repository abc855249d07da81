"""The product's backend: one pipeline and one set of networks that all lanes share."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
from doppel_ipc.messages import Consent, PersonaInfo
from doppel_ipc.settings import FilterSettings
from doppel_models import personas
from doppel_models.detector import FaceDetector
from doppel_models.errors import ModelsError
from doppel_models.landmarker import FaceLandmarker
from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import PersonaStore

from doppel_worker.assets import PersonaKey, PersonaLoader
from doppel_worker.backend import BackendConfig, Judgement
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.errors import PersonaError, WorkerError
from doppel_worker.frame import FrameView
from doppel_worker.persona_engines import PersonaEngines
from doppel_worker.pipeline import FacePipeline
from doppel_worker.report import EventKind, PipelineEvent

_logger = logging.getLogger(__name__)


class SwapBackend:
    """Satisfies :class:`doppel_worker.backend.Backend`."""

    device = "cpu"
    engine = "mesh"
    errors: tuple[type[Exception], ...] = (ModelsError, WorkerError)

    def __init__(self, config: BackendConfig) -> None:
        self._notify = config.notify
        self._store = PersonaStore(config.persona_dir)
        detector, landmarker = FaceDetector(), FaceLandmarker()
        for network in (*detector.networks, landmarker.network):
            if network.fallback is not None:
                config.notify("fallback", str(network.fallback))
        self.provider = landmarker.network.provider
        # Importers and networks serve one thread at a time; adding a photo must not wait for a frame.
        self._adding = threading.Lock()
        self._adder = PersonaImporter()
        self._frames = threading.Lock()
        self._loader = PersonaLoader(PersonaEngines(self._store, PersonaImporter()).load)
        self._pipeline = FacePipeline(CpuCompositor(), detector, landmarker, self._loader)

    def prepare(self, settings: FilterSettings) -> None:
        """Starts to load the persona of these settings."""
        if settings.persona:
            # What is wrong with it is told when a frame asks for it.
            with self._frames, contextlib.suppress(PersonaError):
                self._loader.get(PersonaKey.of(settings))

    def open_lane(self, settings: FilterSettings) -> SwapLane:
        """A processor for a new lane. Its persona starts to load now, not with the first frame."""
        self.prepare(settings)
        return SwapLane(self._pipeline, self._frames, settings, self._notify_of)

    def personas(self) -> Sequence[PersonaInfo]:
        """All personas that can be picked."""
        return [_info(persona) for persona in self._store.list()]

    def add_persona(self, photos: Sequence[Path], name: str, consent: Consent) -> PersonaInfo:
        """Makes a persona of photos of one face.

        Raises:
            PersonaError: what is wrong with the photo and what to do (``doppel_models.errors``).
        """
        record = personas.Consent.checked(
            {"ground": consent.ground, "who": consent.who, "when": consent.when}
        )
        with self._adding:
            persona, _ = self._adder.add(self._store, photos, name, record)
        return _info(persona)

    def _notify_of(self, event: PipelineEvent) -> None:
        level = logging.ERROR if event.kind is EventKind.ERROR else logging.INFO
        _logger.log(level, "%s: %s", event.kind.value, event.message)
        if event.kind in (EventKind.PERSONA, EventKind.FALLBACK):
            self._notify(event.kind.value, event.message)


class SwapLane:
    """Satisfies :class:`doppel_worker.backend.LaneProcessor`."""

    def __init__(
        self,
        pipeline: FacePipeline,
        frames: threading.Lock,
        settings: FilterSettings,
        notify: Callable[[PipelineEvent], None],
    ) -> None:
        self._pipeline = pipeline
        self._frames = frames
        self._notify = notify
        self._lane = pipeline.new_lane(settings)

    @property
    def persona(self) -> str:
        """Identifier of the persona in use; empty: none yet."""
        key = self._lane.personas.key
        return key.persona if key else ""

    @property
    def engine(self) -> str:
        """Name of the engine in use; empty: none yet."""
        engine = self._lane.personas.engine
        return engine.name if engine else ""

    def configure(self, settings: FilterSettings) -> None:
        """The settings from the next frame on."""
        self._lane.settings = settings

    def process(self, frame: FrameView) -> Judgement:
        """Edits the frame in place and says what it is now."""
        with self._frames:
            report = self._pipeline.process(frame, self._lane)
        for event in report.events:
            self._notify(event)
        wanted = PersonaKey.of(self._lane.settings)
        settled = not wanted.persona or wanted == self._lane.personas.key
        return Judgement(report.verdict, report.swapped, report.stage_ms, report.status, settled)

    def close(self) -> None:
        """No more frames come; nothing is held that must be given back."""


def load(config: BackendConfig) -> SwapBackend:
    """See ``backend.BackendFactory``.

    Raises:
        ModelsError: a bundled network is missing or cannot be run.
    """
    cv2.setNumThreads(1)
    return SwapBackend(config)


def _info(persona: personas.Persona) -> PersonaInfo:
    return PersonaInfo(persona.id, persona.name, persona.kind, persona.warnings)
