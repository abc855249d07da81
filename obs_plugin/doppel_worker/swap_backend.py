"""The product's backend: for each device in use one pipeline and one set of networks that its lanes share."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import cv2
from doppel_ipc.messages import Choices, Consent, PersonaInfo
from doppel_ipc.settings import FilterSettings
from doppel_models import personas
from doppel_models.errors import ModelsError
from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import PersonaStore

from doppel_worker import offers
from doppel_worker.assets import PersonaKey
from doppel_worker.backend import BackendConfig, Judgement
from doppel_worker.device_parts import DeviceParts, DevicePool
from doppel_worker.device_return import FIRST_SECONDS
from doppel_worker.devices import AUTO
from doppel_worker.errors import DeviceError, DeviceLostError, PersonaError, WorkerError
from doppel_worker.face_memory import FaceMemory
from doppel_worker.frame import FrameView
from doppel_worker.frame_memory import FrameMemory, memory_of
from doppel_worker.next_lane import NextLane
from doppel_worker.people import People
from doppel_worker.persona_engines import models_beside
from doppel_worker.report import EventKind, PipelineEvent
from doppel_worker.saying import unnamed
from doppel_worker.seat import Seat

_logger = logging.getLogger(__name__)


class SwapBackend:
    """Satisfies :class:`doppel_worker.backend.Backend`."""

    engine = "mesh"
    errors: tuple[type[Exception], ...] = (ModelsError, WorkerError)

    def __init__(self, config: BackendConfig, return_seconds: float = FIRST_SECONDS) -> None:
        """``return_seconds``: until a device that had no memory is tried again for the first time."""
        self._notify = config.notify
        self._store = PersonaStore(config.persona_dir)
        self._models = models_beside(self._store)
        self._devices = DevicePool(self._store, lambda text: config.notify("fallback", text), return_seconds)
        self._wanted = config.device
        self._devices.get(config.device)
        # Importers and networks serve one thread at a time; adding a photo must not wait for a frame.
        self._adding = threading.Lock()
        self._adder = PersonaImporter()

    @property
    def device(self) -> str:
        """The device that ``auto`` means, and what slows its frames down."""
        return self._devices.description(self._wanted)

    @property
    def provider(self) -> str:
        """The execution provider that its networks really run on."""
        return self._devices.provider(self._wanted)

    def prepare(self, settings: FilterSettings) -> None:
        """Starts to load the personas of these settings."""
        _start_to_load(self._parts(settings), settings)

    def open_lane(self, settings: FilterSettings, memory: FaceMemory | None = None) -> SwapLane:
        """A processor for a lane. Its persona starts to load now, not with the first frame."""
        self.prepare(settings)
        first = self._parts(settings)
        return SwapLane(first, self._open_parts, settings, self._notify_of, memory or FaceMemory())

    def personas(self) -> Sequence[PersonaInfo]:
        """All personas that can be picked."""
        return [_info(persona) for persona in self._store.list()]

    def choices(self) -> Choices:
        """The devices and models that settings may name."""
        return offers.choices(self._models)

    def add_persona(
        self, photos: Sequence[Path], name: str, consent: Consent, *, licence: bool
    ) -> PersonaInfo | None:
        """Makes a persona of photos of one face, or of a model; None: the model was kept, and is no persona.

        Raises:
            ModelsError: what is wrong with the file and what to do (``doppel_models.errors``).
        """
        if photos[0].suffix.lower() in offers.MODEL_SUFFIXES:
            made = offers.add_model(photos[0], name, consent, self._models, self._store, licence=licence)
            return None if made is None else _info(made)
        record = personas.Consent.checked(
            {"ground": consent.ground, "who": consent.who, "when": consent.when}
        )
        with self._adding:
            persona, _ = self._adder.add(self._store, photos, name, record)
        return _info(persona)

    def _parts(self, settings: FilterSettings) -> DeviceParts:
        """What belongs to the device that a lane asks for."""
        return self._devices.get(self._name_of(settings))

    def _open_parts(self, settings: FilterSettings) -> DeviceParts | None:
        """The same without waiting; None: it is being opened."""
        return self._devices.if_open(self._name_of(settings))

    def _name_of(self, settings: FilterSettings) -> str:
        return self._wanted if settings.device == AUTO else settings.device

    def _notify_of(self, event: PipelineEvent) -> None:
        """To OBS what concerns the user, which goes to the log on that way; the rest to the log alone."""
        if event.kind in (EventKind.PERSONA, EventKind.FALLBACK):
            self._notify(event.kind.value, event.message)
            return
        level = logging.ERROR if event.kind is EventKind.ERROR else logging.INFO
        text = unnamed(event.message) if event.kind is EventKind.SLATE else event.message
        _logger.log(level, "%s: %s", event.kind.value, text)


class SwapLane:
    """Satisfies :class:`doppel_worker.backend.LaneProcessor`."""

    def __init__(
        self,
        parts: DeviceParts,
        find_parts: Callable[[FilterSettings], DeviceParts | None],
        settings: FilterSettings,
        notify: Callable[[PipelineEvent], None],
        faces: FaceMemory,
    ) -> None:
        """Begin on one device.

        Args:
            parts: of the device to begin with.
            find_parts: of the device that settings ask for; None while it is being opened.
            settings: the first ones.
            notify: is told what the user must know.
            faces: outlives the lane.
        """
        self._find_parts = find_parts
        self._notify = notify
        self._faces = faces
        self._parts, self.seat = parts, parts.seats.take()
        """Its place on the device."""
        self._lane = self.seat.pipeline.new_lane(settings, faces)
        self._is_open = True
        self._memory: FrameMemory | None = None
        self._next: NextLane | None = None

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
        """The settings from the next frame on; another device as soon as all is ready there."""
        self._lane.settings = settings

    def turn(self) -> AbstractContextManager[None]:
        """Its seat's turn on the device."""
        return self.seat.turn()

    def process(self, frame: FrameView) -> Judgement:
        """Edits the frame in place and says what it is now.

        Raises:
            DeviceError: the device is lost; the next lane that is opened works on the CPU.
        """
        left = self._follow_device()
        parts, seat = self._parts, self.seat
        with contextlib.nullcontext() if left is None else left.released(), seat.turn():
            parts.health.check()
            if seat.closed:
                raise DeviceError(seat.closed)
            self._memory = memory_of(frame)
            report = seat.pipeline.process(frame, self._lane)
            given_up = self._given_up(report.error)
        for event in report.events:
            self._notify(event)
        if given_up:
            self._notify(PipelineEvent(EventKind.FALLBACK, given_up))
            parts.health.check()
            raise DeviceError(given_up)
        settled = self._lane.is_settled()
        return Judgement(report.verdict, report.swapped, report.stage_ms, report.status, settled)

    def _given_up(self, error: Exception | None) -> str:
        """What the user is told where a frame's error was once too much for its seat, or for the device."""
        parts = self._parts
        if not parts.health.fails(error, self.seat) or error is None:
            return ""
        why = parts.in_turns(error)
        # After some errors no other seat could do any better.
        if not isinstance(error, DeviceLostError) and parts.seats.close(self.seat, why):
            return why
        return parts.health.lost if parts.health.give_up(error) else ""

    def _follow_device(self) -> Seat | None:
        """Move to the device that is wanted, or is back, as soon as the faces are loaded there.

        Returns:
            The seat that it has left, whose turn it may still have; None: it stays.
        """
        if self._parts.health.lost:
            return None
        settings = self._lane.settings
        parts = self._find_parts(settings)
        if parts is None or parts is self._parts:
            self._next = None
            return None
        if self._next is None or self._next.parts is not parts:
            self._next = NextLane(parts, settings)
        prepared = self._next
        with self.seat.released():  # a lane that comes from there has that one's turn, and may want this one
            events = prepared.follow(self._lane)
        for event in events:
            self._notify(event)
        if not prepared.is_ready(self._lane):
            return None
        left = self.seat
        with left.released():
            self._move_to(parts, settings)
        self._lane.personas, self._lane.cast = prepared.lane.personas, prepared.lane.cast
        for event in prepared.news():
            self._notify(event)
        return left

    def _move_to(self, parts: DeviceParts, settings: FilterSettings) -> None:
        self.close()
        self._parts, self.seat, self._is_open = parts, parts.seats.take(), True
        self._lane = self.seat.pipeline.new_lane(settings, self._faces)
        self._next = None

    def close(self) -> None:
        """No more frames come: their memory is given back."""
        if self._memory is not None:
            with self.seat.turn():
                self.seat.compositor.release(self._memory)
            self._memory = None
        if self._is_open:
            self._parts.seats.leave(self.seat)
            self._is_open = False


def load(config: BackendConfig) -> SwapBackend:
    """See ``backend.BackendFactory``.

    Raises:
        ModelsError: a bundled network is missing or cannot be run.
    """
    cv2.setNumThreads(1)
    return SwapBackend(config)


def _start_to_load(parts: DeviceParts, settings: FilterSettings) -> None:
    """Has a device load the personas of these settings."""
    main = PersonaKey.of(settings)
    for key in dict.fromkeys((main, *People.of(settings).keys(main).values())):
        if key.persona:
            # What is wrong with it is told when a frame asks for it.
            with contextlib.suppress(PersonaError), parts.turns:
                parts.loader.get(key)


def _info(persona: personas.Persona) -> PersonaInfo:
    return PersonaInfo(persona.id, persona.name, persona.kind, persona.warnings, offers.picture_of(persona))
