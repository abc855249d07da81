"""What the worker needs of whatever swaps faces. The worker's threads and lanes know only this.

A backend is made by a factory, once per process, on a background thread, because networks take long to load::

    def load(config: BackendConfig) -> Backend: ...

It raises a WorkerError or a ModelsError where the backend cannot be had: the worker stays, says so, and every
lane stays covered.

The product's is :func:`doppel_worker.swap_backend.load`; tests name their own with ``--backend module:name``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from doppel_ipc.messages import Choices, Consent, PersonaInfo
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict

from doppel_worker.face_memory import FaceMemory
from doppel_worker.frame import FrameView


@dataclasses.dataclass(frozen=True, slots=True)
class BackendConfig:
    """What a backend may know of the process it runs in."""

    persona_dir: Path
    notify: Callable[[str, str], None]
    """``notify(code, text)`` tells the user of something (``messages.EVENT_CODES``). Any thread."""
    device: str = "auto"
    """What a lane's ``auto`` means, see :func:`doppel_worker.devices.choose`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Judgement:
    """What became of one frame."""

    verdict: Verdict
    faces: int = 0
    """Faces swapped."""
    stages: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Milliseconds that each stage took in this frame."""
    detail: str = ""
    """For the filter's status line; empty: nothing to tell."""
    settled: bool = True
    """False: a persona is being loaded, say, so the same frame may soon be judged differently."""


class LaneProcessor(Protocol):
    """Judges the frames of one lane, in order. One thread uses it, except where a method says otherwise."""

    @property
    def persona(self) -> str:
        """Identifier of the persona in use. Any thread."""

    @property
    def engine(self) -> str:
        """Name of the engine in use. Any thread."""

    def configure(self, settings: FilterSettings) -> None:
        """Takes the settings for the frames to come.

        Does not wait: a persona that must be loaded is prepared beside the running one, and exchanged
        between two frames.
        """

    def turn(self) -> AbstractContextManager[None]:
        """Held while a frame is taken and judged: lanes that share a device come one after another.

        Whoever holds it may enter again. A lane that has frames waiting asks for its turn first and takes
        the newest frame then, so that none grows old in its hands.
        """

    def process(self, frame: FrameView) -> Judgement:
        """Edits the frame in place and says what it is now.

        Raises:
            Exception: one of the backend's ``errors``: the frame is covered, and the lane starts anew.
        """

    def close(self) -> None:
        """No more frames come."""


class Backend(Protocol):
    """Everything that lanes share: networks and personas. Thread-safe."""

    @property
    def device(self) -> str:
        """For example ``cpu``."""

    @property
    def provider(self) -> str:
        """The execution provider in use, for example ``CPUExecutionProvider``."""

    @property
    def engine(self) -> str:
        """Name of the engine that ``auto`` means."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What may go wrong without a mistake in the program: the lane reports it and goes on."""

    def prepare(self, settings: FilterSettings) -> None:
        """A lane with such settings may be opened soon: begins to load what takes long.

        What is wrong is told when a lane asks for it.
        """

    def open_lane(self, settings: FilterSettings, memory: FaceMemory) -> LaneProcessor:
        """A processor for a lane. Quick; personas may still be loading when it returns.

        Args:
            settings: the first ones.
            memory: the lane's, of faces that its processors before this one saw.
        """

    def personas(self) -> Sequence[PersonaInfo]:
        """All personas that can be picked."""

    def choices(self) -> Choices:
        """The devices and models that settings may name."""

    def add_persona(
        self, photos: Sequence[Path], name: str, consent: Consent, *, licence: bool
    ) -> PersonaInfo | None:
        """Makes a persona of photos of one face, or of a model; None: the model was kept, and is no persona.

        ``licence``: the user accepts that of a model file.

        Raises:
            Exception: one of ``errors``; its text says what is wrong with the file and what to do.
        """


BackendFactory = Callable[[BackendConfig], Backend]
