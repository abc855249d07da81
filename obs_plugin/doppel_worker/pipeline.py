"""One frame in, one judged frame out: track, swap, guard, paste, label.

Knows no transport, no OBS and no process. Every frame that leaves :meth:`FacePipeline.process` is judged:
its faces are swapped, hidden or shown by the user's choice; whatever fails, the frame is covered.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, cast

import numpy as np
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_models.detector import FaceDetector
from doppel_models.engines.base import FaceEngine, LookSettings, even_rect
from doppel_models.landmarker import FaceLandmarker
from doppel_models.types import ByteArray, Face

from doppel_worker import slate
from doppel_worker.assets import PersonaKey, PersonaLoader, PersonaSlot
from doppel_worker.compositor import Compositor, Rect
from doppel_worker.crop_reader import FrameCrop
from doppel_worker.device_swap import can_swap_on_device, swap_on_device
from doppel_worker.errors import SlateError
from doppel_worker.face_memory import FaceMemory
from doppel_worker.frame import FrameView
from doppel_worker.guard import Decision, Guard
from doppel_worker.label import Label
from doppel_worker.report import EventKind, PipelineEvent, Report, Stopwatch
from doppel_worker.sharpen import sharpened
from doppel_worker.swapped_face import Swap, copied, paste
from doppel_worker.track_result import TrackResult
from doppel_worker.tracker import Tracker

_TURNED = 0.5
"""Fade from which a face counts as turned away rather than swapped."""


class LaneState:
    """Everything that belongs to one lane. Set :attr:`settings` between frames."""

    def __init__(self, settings: FilterSettings, tracker: Tracker, memory: FaceMemory | None = None) -> None:
        self.settings = settings
        self.tracker = tracker
        self.guard = Guard(memory)
        self.label = Label()
        self.personas = PersonaSlot()
        self.problem = ""
        """The error of the last frame; empty when there was none."""
        self.slate_key: tuple[str, int, int] | None = None
        self.slate: ByteArray | None = None
        self._wanted: tuple[FilterSettings, PersonaKey, LookSettings] | None = None

    def wanted(self) -> tuple[PersonaKey, LookSettings]:
        """Which engine the settings ask for, and how it shall draw; worked out when they change."""
        if self._wanted is None or self._wanted[0] is not self.settings:
            self._wanted = self.settings, PersonaKey.of(self.settings), look_of(self.settings)
        return self._wanted[1:]


@dataclasses.dataclass(slots=True)
class _Outcome:
    """What was done to a frame, to be reported."""

    verdict: Verdict
    swapped: int = 0
    blurred: int = 0
    status: str = ""
    events: list[PipelineEvent] = dataclasses.field(default_factory=list)
    error: Exception | None = None
    drawn: bool = False
    """Some of a swapped face shows, though the verdict does not say so."""


class FacePipeline:
    """Swaps the faces of frames. One thread; many lanes, one frame at a time."""

    def __init__(
        self,
        compositor: Compositor,
        detector: FaceDetector,
        landmarker: FaceLandmarker,
        personas: PersonaLoader,
        clock: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        """Share these parts among all lanes; ``clock`` (nanoseconds) times the stages."""
        self.compositor = compositor
        self._detector = detector
        self._landmarker = landmarker
        self._personas = personas
        self._clock = clock

    def new_lane(self, settings: FilterSettings, memory: FaceMemory | None = None) -> LaneState:
        """The state of a new lane; its persona starts to load with its first frame.

        Args:
            settings: the first ones.
            memory: of faces, where the lane was judged before (default: it was not).
        """
        return LaneState(settings, Tracker(self._detector, self._landmarker), memory)

    def process(self, frame: FrameView, lane: LaneState) -> Report:
        """Judge one frame and edit it in place; the frames of a lane come in their order.

        Raises:
            Exception: the frame could not even be covered; it must not be shown.
        """
        watch = Stopwatch(self._clock)
        try:
            outcome = self._judge(frame, lane, watch)
            with watch.stage("fetch"):
                self.compositor.finish(frame)
        except Exception as error:  # noqa: BLE001 - whatever fails, the frame must be covered and it must be told
            outcome = self._failed(frame, lane, error)
        else:
            if lane.problem:
                lane.problem = ""
                outcome.events.append(PipelineEvent(EventKind.RECOVERED, "frames can be judged again"))
        return Report(
            verdict=outcome.verdict,
            swapped=outcome.swapped,
            blurred=outcome.blurred,
            stage_ms=watch.stage_ms,
            total_ms=watch.total_ms(),
            events=tuple(outcome.events),
            status=outcome.status,
            error=outcome.error,
        )

    def cover(self, frame: FrameView, lane: LaneState) -> tuple[PipelineEvent, ...]:
        """Cover a whole frame as the lane's settings say: mosaic or slate."""
        settings = lane.settings
        path = settings.slate_image if settings.cover == "slate" else ""
        key = (path, frame.width, frame.height) if path else None
        events: tuple[PipelineEvent, ...] = ()
        if key != lane.slate_key:
            lane.slate_key, lane.slate = key, None
            try:
                lane.slate = slate.load(Path(path), frame.width, frame.height) if path else None
            except SlateError as error:
                events = (PipelineEvent(EventKind.SLATE, str(error)),)
        # First the mosaic: whatever the slate does, nothing of the picture is left.
        self.compositor.cover(frame)
        if lane.slate is not None:
            slate.draw(lane.slate, frame, frame.planes)
        return events

    def _judge(self, frame: FrameView, lane: LaneState, watch: Stopwatch) -> _Outcome:
        settings = lane.settings
        if not settings.swap:
            return _Outcome(Verdict.ORIGINAL, status="paused")
        status, events = lane.personas.follow(lane.wanted()[0], self._personas)
        engine = lane.personas.engine
        if engine is None:
            # Nothing is looked for yet: the processor's time belongs to what loads the persona.
            return self._covered(frame, lane, watch, status, events)
        with watch.stage("track"):
            tracked = lane.tracker.update(frame, self.compositor, settings)
        with watch.stage("guard"):
            decision = lane.guard.judge(tracked, settings, frame.width, frame.height, frame.timestamp_ns)
        if decision.cover:
            return self._covered(frame, lane, watch, status or decision.reason, events)
        outcome = self._swap_and_hide(frame, lane, watch, tracked, decision, engine)
        outcome.status = status or outcome.status
        outcome.events = [*events, *outcome.events]
        if settings.label and (outcome.drawn or outcome.verdict in (Verdict.SWAPPED, Verdict.BLURRED)):
            with watch.stage("label"):
                lane.label.apply(frame, self.compositor, settings)
        return outcome

    def _covered(
        self,
        frame: FrameView,
        lane: LaneState,
        watch: Stopwatch,
        status: str,
        events: tuple[PipelineEvent, ...] = (),
    ) -> _Outcome:
        outcome = _Outcome(Verdict.COVERED, status=status, events=list(events))
        with watch.stage("cover"):
            outcome.events += self.cover(frame, lane)
        return outcome

    def _swap_and_hide(
        self,
        frame: FrameView,
        lane: LaneState,
        watch: Stopwatch,
        tracked: TrackResult,
        decision: Decision,
        engine: FaceEngine,
    ) -> _Outcome:
        """Swap every followed face, hide every other one that must be hidden."""
        settings = lane.settings
        known = [face.track_id for face in tracked.faces] + [lost.track_id for lost in tracked.lost]
        lane.personas.keep_states(known)
        # All faces are read before anything is written: neighbours overlap.
        swaps, missed = self._swap_all(frame, lane, watch, tracked.faces, engine)
        turned = [swap for swap in swaps if swap.result.pose_fade >= _TURNED]
        if turned and settings.side_face_policy == "cover":
            return self._covered(frame, lane, watch, "the head is turned too far")
        with watch.stage("guard"):
            for region in decision.regions:
                self.compositor.blur(frame, region.visible, region.mask())
            for rect in missed:
                self.compositor.blur(frame, rect, np.full((rect.height, rect.width), 255, np.uint8))
        for swap in swaps:
            with watch.stage("paste"):
                paste(self.compositor, frame, swap, show_sides=settings.side_face_policy == "original")
        blurred = len(decision.regions) + len(missed)
        swapped = len(swaps) - len(turned)
        shown = decision.shows_lost
        if turned and settings.side_face_policy == "blur":
            blurred += len(turned)
        elif turned:
            shown = True
        if blurred:
            return _Outcome(Verdict.BLURRED, swapped, blurred)
        if shown:
            # Beside what is shown as filmed there may be a swapped face, or half of one.
            return _Outcome(Verdict.ORIGINAL, swapped, drawn=any(one.result.pose_fade < 1 for one in swaps))
        return _Outcome(Verdict.SWAPPED if swapped else Verdict.NO_FACE, swapped)

    def _swap_all(
        self,
        frame: FrameView,
        lane: LaneState,
        watch: Stopwatch,
        faces: tuple[Face, ...],
        engine: FaceEngine,
    ) -> tuple[list[Swap], list[Rect]]:
        """The swapped faces, and where a face is that the engine has no crop for: it is not to be shown."""
        _, look = lane.wanted()
        swaps: list[Swap] = []
        missed: list[Rect] = []
        for face in faces:
            request = engine.crop_for(face, frame.width, frame.height)
            if request is None:
                rect = Rect(*even_rect(face.bbox[:2], face.bbox[2:], frame.width, frame.height))
                missed += [rect] if rect.width and rect.height else []
                continue
            sharpness = lane.settings.sharpness
            if sharpness == 0 and can_swap_on_device(engine, self.compositor, look, len(faces)):
                state = lane.personas.state(face.track_id)
                result, picture = swap_on_device(
                    self.compositor, frame, engine, request, face, look, state, watch
                )
                swaps.append(Swap(request, result, picture))
                continue
            with watch.stage("read"):
                if request.rect is not None and request.in_parts:
                    # The request says that this engine takes a reader, which the engines' type cannot say.
                    crop = cast("ByteArray", FrameCrop(self.compositor, frame, Rect(*request.rect)))
                elif request.rect is not None:
                    crop = self.compositor.read(frame, Rect(*request.rect))
                else:
                    crop = self.compositor.sample(frame, request.matrix, request.dsize)
            with watch.stage("swap"):
                points = request.to_crop(face.landmarks)
                state = lane.personas.state(face.track_id)
                result = engine.swap(crop, points, face, look, state, frame.timestamp_ns)
                if sharpness > 0:
                    rgb = sharpened(result.rgb, result.mask, sharpness)
                    result = dataclasses.replace(result, rgb=rgb)
            swaps.append(Swap(request, result if len(faces) == 1 else copied(result)))
        return swaps, missed

    def _failed(self, frame: FrameView, lane: LaneState, error: Exception) -> _Outcome:
        problem = f"{type(error).__name__}: {error}"
        lane.personas.forget_faces()
        outcome = _Outcome(Verdict.COVERED, status=f"the frame cannot be swapped ({problem})", error=error)
        outcome.events += self.cover(frame, lane)
        if problem != lane.problem:
            lane.problem = problem
            outcome.events.append(PipelineEvent(EventKind.ERROR, problem))
        return outcome


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
