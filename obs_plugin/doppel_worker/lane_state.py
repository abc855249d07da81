"""Everything that belongs to one lane of the pipeline, between its frames."""

from __future__ import annotations

from typing import Literal, cast

from doppel_ipc.settings import FilterSettings
from doppel_models.engines.base import LookSettings
from doppel_models.types import ByteArray

from doppel_worker.assets import PersonaKey, PersonaSlot
from doppel_worker.cast_engines import CastEngines
from doppel_worker.casting import Casting
from doppel_worker.face_memory import FaceMemory
from doppel_worker.guard import Guard
from doppel_worker.label import Label
from doppel_worker.people import People
from doppel_worker.recognition import FaceRecognition, LaneRecognition
from doppel_worker.tracker import Tracker


class LaneState:
    """Set :attr:`settings` between frames."""

    def __init__(
        self,
        settings: FilterSettings,
        tracker: Tracker,
        memory: FaceMemory | None = None,
        recognition: FaceRecognition | None = None,
    ) -> None:
        self.settings = settings
        self.tracker = tracker
        self.guard = Guard(memory)
        self.label = Label()
        self.personas = PersonaSlot()
        """The main persona's."""
        self.cast = CastEngines()
        self.casting = Casting()
        self.recognition = LaneRecognition(recognition)
        self.problem = ""
        """The error of the last frame; empty when there was none."""
        self.slate_key: tuple[str, int, int] | None = None
        self.slate: ByteArray | None = None
        self._wanted: tuple[FilterSettings, PersonaKey, LookSettings, People] | None = None
        self._tracking: tuple[FilterSettings, People, FilterSettings] | None = None

    def wanted(self) -> tuple[PersonaKey, LookSettings]:
        """Which engine the settings ask for, and how it shall draw; worked out when they change."""
        return self._all_wanted()[1:3]

    def wanted_people(self) -> People:
        """Whom the settings tell apart; worked out when they change."""
        return self._all_wanted()[3]

    def tracking(self) -> FilterSettings:
        """The settings as tracker and guard take them: everybody is followed where people are told apart."""
        people = self.cast.people
        if (
            self._tracking is None
            or self._tracking[0] is not self.settings
            or self._tracking[1] is not people
        ):
            faces = "all" if people.is_cast else people.faces
            self._tracking = self.settings, people, self.settings.replace(faces=faces)
        return self._tracking[2]

    def is_settled(self) -> bool:
        """False while something is loaded or recognised: the same frame may be judged otherwise soon."""
        main = self.wanted()[0]
        settled = not main.persona or main == self.personas.key
        return settled and self.cast.is_settled and self.casting.is_settled

    def forget_faces(self) -> None:
        """Forget what engines remember of faces: it may be broken."""
        self.personas.forget_faces()
        self.cast.forget_faces()

    def _all_wanted(self) -> tuple[FilterSettings, PersonaKey, LookSettings, People]:
        if self._wanted is None or self._wanted[0] is not self.settings:
            settings = self.settings
            self._wanted = settings, PersonaKey.of(settings), look_of(settings), People.of(settings)
        return self._wanted


def look_of(settings: FilterSettings) -> LookSettings:
    """The engine's part of a filter's settings."""
    return LookSettings(
        strength=settings.strength,
        proportions=settings.proportions,
        keep_mouth=settings.keep_mouth,
        keep_eyes=settings.keep_eyes,
        edge_softness=settings.edge_softness,
        color_match=cast("Literal['relight', 'none']", settings.color_match),
        yaw_fade_start=settings.yaw_fade_start,
        yaw_fade_end=settings.yaw_fade_end,
        identity_weight=settings.identity_weight,
        morph=settings.morph,
        enhancer_strength=settings.enhancer_strength,
    )
