"""Personas are prepared beside the running one and then exchanged, so no frame is left unswapped.

:class:`PersonaLoader` makes engines on a thread of its own; :class:`PersonaSlot` is one lane's choice: the
engine in use, and the one that was asked for and is not ready yet.
"""

from __future__ import annotations

import dataclasses
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from doppel_ipc.settings import FilterSettings
from doppel_models.engines.base import EngineState, FaceEngine
from doppel_models.persona_record import unusable
from doppel_models.sentences import both, listed, sentence, told_by

from doppel_worker.errors import PersonaError
from doppel_worker.report import EventKind, PipelineEvent
from doppel_worker.retry import pause_s

_KEPT = 6
"""Engines that are kept for a quick way back; one holds about ten megabytes."""
_KEPT_MODELS = 2
"""Of these, engines with networks of model files, which hold hundreds of megabytes: this one and the last."""
_BUILT_IN, _NOTHING = "mesh", "none"
_LOOK_SECONDS = 1.0
"""How often a persona's files are asked for changes."""


@dataclasses.dataclass(frozen=True, slots=True)
class PersonaKey:
    """Which engine a lane asks for: everything that must be loaded or built anew when it changes."""

    persona: str
    engine: str = "auto"
    enhancer: str = "none"
    occlusion: str = "none"
    pixel_boost: int = 1

    @classmethod
    def of(cls, settings: FilterSettings) -> PersonaKey:
        """What a filter's settings ask for."""
        return cls(
            settings.persona, settings.engine, settings.enhancer, settings.occlusion, settings.pixel_boost
        )


LoadEngine = Callable[[PersonaKey], FaceEngine]
"""Makes an engine, in a thread beside the frames; raises :class:`PersonaError` saying why it cannot."""
Revision = Callable[[PersonaKey], int]
"""A number that changes with the persona's files. Quick; asked between frames."""


@dataclasses.dataclass(slots=True)
class _Entry:
    future: Future[FaceEngine]
    revision: int
    """Of the persona, when it was begun."""
    looked_at: float
    """When the persona's revision was asked for last, by the monotonic clock."""
    failures: int = 0
    """In a row, before this try."""
    failed_at: float | None = None
    is_current: bool = True
    """False: the persona has changed since."""
    engine: FaceEngine | None = None
    """What has been loaded, once that was seen: a future takes a lock for every question, at every frame."""

    @property
    def is_due(self) -> bool:
        """Whether a failed try is long enough ago for the next one."""
        if self.failed_at is None:
            return False
        # Ever more seldom: reading a large model takes a processor for a second.
        return time.monotonic() - self.failed_at > pause_s(self.failures)

    @property
    def is_model(self) -> bool:
        """Whether it holds an engine with networks of its own."""
        engine = self._loaded()
        return engine is not None and engine.name != _BUILT_IN

    def holds(self, engine: FaceEngine | None) -> bool:
        """Whether it is this engine's."""
        return engine is not None and self._loaded() is engine

    def _loaded(self) -> FaceEngine | None:
        if self.engine is None and self.future.done() and not self.future.cancelled():
            self.engine = self.future.result() if self.future.exception() is None else None
        return self.engine


class PersonaLoader:
    """Engines by persona. All methods but the loading itself belong to one thread."""

    def __init__(self, load: LoadEngine, revision: Revision = lambda _key: 0) -> None:
        """Prepare.

        Args:
            load: makes an engine.
            revision: which version of a persona its folder holds now; where another one has come, the engine
                is made anew.
        """
        self._load = load
        self._revision = revision
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="persona")
        self._entries: OrderedDict[PersonaKey, _Entry] = OrderedDict()

    def get(self, key: PersonaKey) -> FaceEngine | None:
        """The engine, or None while it is being prepared (which starts with the first call).

        Raises:
            PersonaError: it cannot be loaded; it is tried again some seconds later.
        """
        entry = self._entries.get(key)
        if entry is None or entry.is_due:
            failures = 0 if entry is None else entry.failures + 1
            entry = self._entries[key] = self._begin(key, failures)
        elif not self._is_current(key, entry):
            entry = self._entries[key] = self._begin(key, 0)
        self._entries.move_to_end(key)
        # What is still being loaded stays: lanes that all load at once would drop each other's for ever.
        loaded = [other for other, held in self._entries.items() if held.future.done() and other != key]
        for other in loaded[: max(len(self._entries) - _KEPT, 0)]:
            del self._entries[other]
        models = [other for other, held in self._entries.items() if held.is_model]
        for other in models[:-_KEPT_MODELS]:
            del self._entries[other]
        if not entry.future.done():
            return None
        error = entry.future.exception()
        if error is None:
            return entry.future.result()
        if entry.failed_at is None:
            entry.failed_at = time.monotonic()
        raise _as_persona_error(key, error)

    def is_current(self, key: PersonaKey, engine: FaceEngine | None) -> bool:
        """False where the persona's files have changed since that engine was made of them."""
        entry = self._entries.get(key)
        return entry is None or (self._is_current(key, entry) and entry.holds(engine))

    def _begin(self, key: PersonaKey, failures: int) -> _Entry:
        # First the version: should another one come while this one is read, it is read again.
        revision = self._revision(key)
        return _Entry(self._thread.submit(self._load, key), revision, time.monotonic(), failures)

    def _is_current(self, key: PersonaKey, entry: _Entry) -> bool:
        now = time.monotonic()
        if entry.is_current and now - entry.looked_at >= _LOOK_SECONDS and entry.future.done():
            entry.looked_at, entry.is_current = now, self._revision(key) == entry.revision
        return entry.is_current

    def wait(self, key: PersonaKey, timeout: float | None = None) -> FaceEngine:
        """The engine, however long it takes (at most ``timeout`` seconds).

        Raises:
            PersonaError: it cannot be loaded.
            TimeoutError: it takes longer.
        """
        engine = self.get(key)
        if engine is not None:
            return engine
        try:
            return self._entries[key].future.result(timeout)
        except TimeoutError:
            raise
        except Exception as error:
            raise _as_persona_error(key, error) from error

    def close(self) -> None:
        """Stop the thread; what it is loading is given up."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _as_persona_error(key: PersonaKey, error: BaseException) -> PersonaError:
    if isinstance(error, PersonaError):
        return error
    wrapped = PersonaError(unusable(key.persona, error))
    wrapped.__cause__ = error
    return wrapped


def _remarks(key: PersonaKey, engine: FaceEngine | None) -> tuple[str, ...]:
    """What the user shall know for as long as this engine is in use."""
    if engine is None:
        return ()
    unused = _unused(key, engine)
    return (*engine.notes, unused) if unused else tuple(engine.notes)


def _unused(key: PersonaKey, engine: FaceEngine) -> str:
    """What the user has set that this engine does not know; empty: nothing."""
    if engine.name != _BUILT_IN:
        return ""
    wanted = {
        sentence("part.enhancer", "an enhancer"): key.enhancer != _NOTHING,
        sentence("part.occlusion", "an occlusion model"): key.occlusion != _NOTHING,
        sentence("part.pixel-boost", "pixel boost"): key.pixel_boost > 1,
    }
    names = [name for name, is_set in wanted.items() if is_set]
    if not names:
        return ""
    return sentence("engine.without", "the built-in engine works without {parts}", parts=listed(names))


def _of_worn(key: PersonaKey, texts: Iterable[str]) -> tuple[PipelineEvent, ...]:
    return tuple(PipelineEvent(EventKind.PERSONA, text, key.persona) for text in texts)


class PersonaSlot:
    """The engine of one lane, and what it remembers of every followed face."""

    def __init__(self) -> None:
        self.key: PersonaKey | None = None
        """The persona in use, which may not be the one that is asked for."""
        self.engine: FaceEngine | None = None
        self._states: dict[int, EngineState] = {}
        self._problem = ""
        self._remarked: tuple[str, ...] = ()

    def follow(self, wanted: PersonaKey, loader: PersonaLoader) -> tuple[str, tuple[PipelineEvent, ...]]:
        """Take the wanted engine if it is ready; else stay with the one in use.

        Returns:
            What to tell on the status line (empty: nothing), and events.
        """
        if not wanted.persona:
            self._take(None, None)
            self._problem = ""
            return sentence("persona.none", "no persona is chosen"), ()
        if wanted == self.key and loader.is_current(wanted, self.engine):
            self._problem = ""
            remarks = _remarks(wanted, self.engine)
            news = [text for text in remarks if text not in self._remarked]
            self._remarked = remarks
            return both(*remarks), _of_worn(wanted, news)
        try:
            engine = loader.get(wanted)
        except PersonaError as error:
            return self._failed(told_by(error))
        if engine is None:
            # While a retry runs, what is wrong stays on the status line.
            preparing = sentence("persona.preparing", "preparing {persona}", persona=wanted.persona)
            return self._problem or preparing, ()
        self._take(wanted, engine)
        self._problem = ""
        self._remarked = remarks = _remarks(wanted, engine)
        using = sentence("persona.using", "now using {persona}", persona=wanted.persona)
        told = (using, *remarks)
        return both(*remarks), _of_worn(wanted, told)

    @property
    def is_decided(self) -> bool:
        """False while what was asked for is prepared for the first time; True too where it cannot be had."""
        return self.engine is not None or bool(self._problem)

    def state(self, track_id: int) -> EngineState:
        """What the engine remembers of a face.

        Raises:
            PersonaError: no persona is in use.
        """
        if self.engine is None:
            raise PersonaError("no persona is in use")
        if track_id not in self._states:
            self._states[track_id] = self.engine.new_state()
        return self._states[track_id]

    @property
    def known_faces(self) -> frozenset[int]:
        """The tracks of which the engine remembers something."""
        return frozenset(self._states)

    def keep_states(self, track_ids: Iterable[int]) -> None:
        """Forget every face but these."""
        known = set(track_ids)
        for track_id in [one for one in self._states if one not in known]:
            del self._states[track_id]

    def forget_faces(self) -> None:
        """Forget every face: what is remembered may be broken."""
        self._states.clear()

    def _take(self, key: PersonaKey | None, engine: FaceEngine | None) -> None:
        if engine is not self.engine:
            self._states.clear()
        self.key, self.engine = key, engine

    def _failed(self, problem: str) -> tuple[str, tuple[PipelineEvent, ...]]:
        if self.key is not None:
            problem = both(problem, sentence("persona.stays", "{persona} stays", persona=self.key.persona))
        is_new = problem != self._problem
        self._problem = problem
        return problem, (PipelineEvent(EventKind.PERSONA, problem),) if is_new else ()
