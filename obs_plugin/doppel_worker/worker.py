"""The worker's half of the control protocol: what each message does. No input or output of its own.

One :class:`Worker` serves every lane of one process. Its methods may be called from the thread that receives
messages and from the background thread.
"""

from __future__ import annotations

import ctypes
import dataclasses
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from doppel_ipc import messages, native
from doppel_ipc.errors import NativeError, ProtocolError, SegmentError
from doppel_ipc.message_parts import MOST_WARNINGS
from doppel_ipc.messages import ALL_LANES, Message
from doppel_ipc.ring import WorkerRing
from doppel_ipc.segment import SegmentDescriptor
from doppel_models.errors import ModelsError
from doppel_models.sentences import sentence, told_by

from doppel_worker.backend import Backend, BackendConfig, BackendFactory
from doppel_worker.environment import device_of_auto
from doppel_worker.errors import WorkerError
from doppel_worker.lane import Lane
from doppel_worker.lane_slate import LaneSlate
from doppel_worker.log import open_file
from doppel_worker.saying import clip, unnamed, wire

logger = logging.getLogger(__name__)

Send = Callable[[Message], None]
Background = Callable[[Callable[[], None]], None]
"""Runs jobs one after another on another thread."""
_MOST_PERSONAS = 1000
"""As many as a message holds."""


class Worker:
    """Lanes, backend and personas of one process.

    Args:
        send: gives a message to OBS; never waits.
        background: runs a job on the background thread.
        find_factory: names the backend; called on the background thread, because it imports it.
    """

    def __init__(
        self, send: Send, background: Background, find_factory: Callable[[], BackendFactory]
    ) -> None:
        self._send = send
        self._background = background
        self._find_factory = find_factory
        self._library: ctypes.CDLL | None = None
        self._lock = threading.Lock()
        self._lanes: dict[int, Lane] = {}
        self._backend: Backend | None = None
        self._failure = ""
        self._keep_one_of = 1

    def handle(self, message: Message) -> None:
        """Does what a message of OBS says."""
        if isinstance(message, messages.Hello):
            self._hello(message)
        elif isinstance(message, messages.OpenLane):
            self._open_lane(message)
        elif isinstance(message, messages.CloseLane):
            self._close_lane(message.lane)
        elif isinstance(message, messages.Settings):
            lane = self._lanes.get(message.lane)
            if lane is not None:
                lane.configure(message.serial, message.settings)
        elif isinstance(message, messages.Throttle):
            self._throttle(message)
        elif isinstance(message, messages.Prepare):
            self._background(lambda: self._prepare(message))
        elif isinstance(message, messages.AddPersona):
            self._background(lambda: self._add_persona(message))
        elif isinstance(message, messages.ListPersonas):
            self._background(self._list_personas)
        elif isinstance(message, messages.Ping):
            self._send(messages.Pong(message.number))
        else:
            raise TypeError(f"{type(message).__name__} is no message of OBS")

    def heartbeat(self) -> None:
        """Tells OBS how the worker and every lane do. To be called at least once a second."""
        backend = self._backend
        state = "failed" if self._failure else "loading" if backend is None else "ready"
        device, provider, engine = (
            (backend.device, backend.provider, backend.engine) if backend else ("", "", "")
        )
        status = messages.Status(
            state, wire(device, 200), provider, engine, _resident_mb(), wire(self._failure)
        )
        self._send(status)
        with self._lock:
            lanes = list(self._lanes.values())
        for lane in lanes:
            seen = lane.snapshot()
            self._send(
                messages.LaneStatus(
                    lane=lane.number,
                    state="failed" if self._failure else seen.state,
                    serial=seen.serial,
                    persona=clip(seen.persona, 200),
                    engine=clip(seen.engine, 200),
                    provider=provider,
                    fps=seen.fps,
                    turnaround_ms_p50=seen.turnaround_ms_p50,
                    turnaround_ms_p95=seen.turnaround_ms_p95,
                    stages=seen.stages,
                    faces=seen.faces,
                    frames=seen.frames,
                    given_back=seen.given_back,
                    detail=wire(self._failure or seen.detail),
                )
            )

    def stop(self, timeout: float) -> bool:
        """Ends every lane; True when all have ended within ``timeout`` seconds."""
        with self._lock:
            lanes = list(self._lanes.values())
            self._lanes.clear()
        for lane in lanes:
            lane.stop()
        ended = [lane.join(timeout / len(lanes)) for lane in lanes]
        return all(ended)

    def _hello(self, hello: messages.Hello) -> None:
        open_file(Path(hello.log_dir), hello.log_level)
        logger.info("worker %d starts; personas in %s", os.getpid(), hello.persona_dir)
        self._send(messages.Ready(messages.PROTOCOL_VERSION, os.getpid()))
        try:
            self._library = native.load(hello.native_library)
        except NativeError as error:
            self._fail("internal", told_by(error))
            return
        config = BackendConfig(Path(hello.persona_dir), self._notify, device_of_auto())
        self._background(lambda: self._load(config))

    def _load(self, config: BackendConfig) -> None:
        """On the background thread."""
        try:
            backend = self._find_factory()(config)
        except (WorkerError, ModelsError) as error:
            self._fail("model", told_by(error))
            return
        with self._lock:
            self._backend = backend
            for lane in self._lanes.values():
                lane.serve(backend)
        logger.info("ready: device %s, %s, engine %s", backend.device, backend.provider, backend.engine)
        self.heartbeat()
        self._list_personas()

    def _fail(self, code: str, text: str) -> None:
        self._failure = text
        logger.error("%s", text)
        advice = sentence("worker.covered", "faces stay covered; see the worker's log")
        self._send(messages.Error(ALL_LANES, code, wire(text), wire(advice)))
        self.heartbeat()

    def _notify(self, code: str, text: str) -> None:
        if code == "fallback":
            logger.warning("%s: %s", code, text)
        else:
            logger.info("%s: %s", code, unnamed(text))
        self._send(messages.Event(ALL_LANES, code, wire(text)))

    def _open_lane(self, message: messages.OpenLane) -> None:
        if self._library is None:
            advice = sentence("worker.install", "install Doppel again")
            self._send(messages.Error(message.lane, "internal", wire(self._failure), wire(advice)))
            return
        found = message.segment
        try:
            where = SegmentDescriptor(found.kind, found.name, found.bytes, found.inode)
            ring = WorkerRing.open(self._library, where)
        except SegmentError as error:
            logger.error("lane %d: %s", message.lane, error)
            advice = sentence("worker.segment", "disable and enable the filter; if it stays, restart OBS")
            self._send(messages.Error(message.lane, "segment", wire(told_by(error)), wire(advice)))
            return
        layout = ring.layout
        logger.info(
            "lane %d opens: %dx%d %s", message.lane, layout.width, layout.height, layout.pixel_format.name
        )  # fmt: skip

        def report(code: str, text: str, advice: str) -> None:
            self._send(messages.Error(message.lane, code, wire(text), wire(advice)))

        slate = LaneSlate(ring, self._background, report)
        lane = Lane(
            message.lane,
            ring,
            message.serial,
            message.settings,
            report=report,
            slate=slate,
            face_lately=message.face_lately,
        )
        lane.throttle(self._keep_one_of)
        with self._lock:
            self._lanes[message.lane] = lane
            if self._backend is not None:
                lane.serve(self._backend)
        lane.start()
        self._send(messages.LaneOpened(message.lane))

    def _close_lane(self, number: int) -> None:
        with self._lock:
            lane = self._lanes.pop(number, None)
        if lane is not None:
            lane.stop()

    def _throttle(self, message: messages.Throttle) -> None:
        if message.lane == ALL_LANES:
            self._keep_one_of = message.keep_one_of
        for number, lane in self._lanes.items():
            if message.lane in (ALL_LANES, number):
                lane.throttle(message.keep_one_of)

    def _prepare(self, message: messages.Prepare) -> None:
        """On the background thread: after the backend has been loaded."""
        if self._backend is not None:
            self._backend.prepare(message.settings)

    def _add_persona(self, message: messages.AddPersona) -> None:
        """On the background thread."""
        backend = self._backend
        if backend is None:
            self._send(messages.PersonaAdded(message.request, False, "", (), wire(self._failure)))
            return
        photos = [Path(photo) for photo in message.photos]
        try:
            info = backend.add_persona(photos, message.name, message.consent, licence=message.licence)
        except _errors(backend) as error:
            logger.warning("persona not added: %s", unnamed(error))
            self._send(messages.PersonaAdded(message.request, False, "", (), wire(_why(error))))
            return
        logger.info("%s added, consent: %s", "persona" if info else "model", message.consent.ground)
        # The list first: OBS sets a list without the chosen entry to its first one, and that in the settings.
        self._list_personas()
        id_, warnings = (info.id, info.warnings) if info else ("", ())
        told = tuple(wire(text) for text in warnings[:MOST_WARNINGS])
        self._send(messages.PersonaAdded(message.request, True, id_, told, ""))

    def _list_personas(self) -> None:
        """On the background thread."""
        backend = self._backend
        if backend is None:
            return
        try:
            found = tuple(backend.personas()[:_MOST_PERSONAS])
            try:
                self._send(messages.Personas(found))
            except ProtocolError:  # longer than a message may be: the faces matter more than their warnings
                self._send(messages.Personas(tuple(dataclasses.replace(one, warnings=()) for one in found)))
            self._send(backend.choices())
        except _errors(backend) as error:
            logger.error("faces and models cannot be listed: %s", unnamed(error))
            advice = sentence("worker.built-in", "built-in faces still work")
            self._send(messages.Error(ALL_LANES, "persona", wire(_why(error)), wire(advice)))


def _errors(backend: Backend) -> tuple[type[Exception], ...]:
    """What may go wrong with files of the user's."""
    return WorkerError, OSError, MemoryError, ProtocolError, *backend.errors


def _why(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return sentence("lane.no-memory", "there is not enough memory")
    return told_by(error)


def _resident_mb() -> float:
    """Resident memory in MB; 0 where the system does not say (Linux does)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
