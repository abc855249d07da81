"""One frame in, one judged frame out: track, swap, guard, paste, label.

Knows no transport, no OBS and no process. Every frame that leaves :meth:`FacePipeline.process` is judged:
its faces are swapped, hidden or shown by the user's choice; whatever fails, the frame is covered.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_models.detector import FaceDetector
from doppel_models.landmarker import FaceLandmarker
from doppel_models.sentences import both, sentence, told_by

from doppel_worker import slate
from doppel_worker.assets import PersonaLoader
from doppel_worker.compositor import Compositor
from doppel_worker.errors import SlateError
from doppel_worker.face_memory import FaceMemory
from doppel_worker.frame import FrameView
from doppel_worker.guard import Decision
from doppel_worker.lane_state import LaneState
from doppel_worker.recognition import FaceRecognition
from doppel_worker.report import EventKind, PipelineEvent, Report, Stopwatch
from doppel_worker.roles import Roles, cast_faces
from doppel_worker.swapped_face import paste
from doppel_worker.swapping import swap_faces
from doppel_worker.track_result import TrackResult
from doppel_worker.tracker import Tracker

_TURNED = 0.5
"""Fade from which a face counts as turned away rather than swapped."""


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
    """Swaps the faces of frames. Many lanes, one frame at a time.

    A device's pipelines, one for each :class:`~doppel_worker.seat.Seat`, share its turns and the personas.
    """

    def __init__(
        self,
        compositor: Compositor,
        detector: FaceDetector,
        landmarker: FaceLandmarker,
        personas: PersonaLoader,
        clock: Callable[[], int] = time.perf_counter_ns,
        recognition: FaceRecognition | None = None,
    ) -> None:
        """Share these parts among all lanes; ``clock`` (nanoseconds) times the stages."""
        self.compositor = compositor
        self._detector = detector
        self._landmarker = landmarker
        self._personas = personas
        self._clock = clock
        self._recognition = recognition

    def new_lane(self, settings: FilterSettings, memory: FaceMemory | None = None) -> LaneState:
        """The state of a new lane; its persona starts to load with its first frame.

        Args:
            settings: the first ones.
            memory: of faces, where the lane was judged before (default: it was not).
        """
        return LaneState(settings, Tracker(self._detector, self._landmarker), memory, self._recognition)

    def process(self, frame: FrameView, lane: LaneState) -> Report:
        """Judge one frame and edit it in place; the frames of a lane come in their order.

        Raises:
            Exception: the frame could not even be covered; it must not be shown.
        """
        watch = Stopwatch(self._clock)
        try:
            outcome = self._judge(frame, lane, watch)
            with watch.stage("fetch"), self.compositor.sharing():
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
                events = (PipelineEvent(EventKind.SLATE, told_by(error)),)
        # First the mosaic: whatever the slate does, nothing of the picture is left.
        self.compositor.cover(frame)
        if lane.slate is not None:
            slate.draw(lane.slate, frame, frame.planes)
        return events

    def _judge(self, frame: FrameView, lane: LaneState, watch: Stopwatch) -> _Outcome:
        settings = lane.settings
        if not settings.swap:
            return _Outcome(Verdict.ORIGINAL, status=sentence("frame.paused", "paused"))
        status, events = self.follow_personas(lane)
        if lane.personas.engine is None:
            # Nothing is looked for yet: the processor's time belongs to what loads the persona.
            return self._covered(frame, lane, watch, status, events)
        tracking = lane.tracking()
        with watch.stage("track"), self.compositor.sharing():
            tracked = lane.tracker.update(frame, self.compositor, tracking)
        roles = cast_faces(lane, tracked, frame, self.compositor)
        status = both(status, lane.recognition.problem)
        with watch.stage("guard"):
            decision = lane.guard.judge(
                tracked,
                tracking,
                frame.width,
                frame.height,
                frame.timestamp_ns,
                blurred=roles.blurred,
                shown=roles.shown,
            )
        if decision.cover:
            return self._covered(frame, lane, watch, status or decision.reason, events)
        outcome = self._swap_and_hide(frame, lane, watch, tracked, decision, roles)
        outcome.status = status or outcome.status
        outcome.events = [*events, *outcome.events]
        if settings.label and (outcome.drawn or outcome.verdict in (Verdict.SWAPPED, Verdict.BLURRED)):
            with watch.stage("label"):
                lane.label.apply(frame, self.compositor, settings)
        return outcome

    def follow_personas(self, lane: LaneState) -> tuple[str, tuple[PipelineEvent, ...]]:
        """Take what is ready of the lane's personas, and have the rest prepared; :meth:`process` does it too.

        Returns:
            What to tell on the status line (empty: nothing), and events.
        """
        main = lane.wanted()[0]
        status, events = lane.personas.follow(main, self._personas)
        others, more = lane.cast.follow(lane.wanted_people(), main, self._personas)
        return both(status, others), (*events, *more)

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
        roles: Roles,
    ) -> _Outcome:
        """Swap every followed face that has a persona, hide every other one that must be hidden."""
        settings = lane.settings
        known = [face.track_id for face in tracked.faces] + [lost.track_id for lost in tracked.lost]
        lane.personas.keep_states(known)
        lane.cast.keep_states(known)
        # All faces are read before anything is written: neighbours overlap.
        swaps, missed = swap_faces(
            self.compositor, frame, roles.worn, lane.wanted()[1], settings.sharpness, watch
        )
        turned = [swap for swap in swaps if swap.result.pose_fade >= _TURNED]
        if turned and settings.side_face_policy == "cover":
            return self._covered(frame, lane, watch, sentence("frame.turned", "the head is turned too far"))
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
        if roles.shown and not swapped:
            return _Outcome(Verdict.ORIGINAL)
        return _Outcome(Verdict.SWAPPED if swapped else Verdict.NO_FACE, swapped)

    def _failed(self, frame: FrameView, lane: LaneState, error: Exception) -> _Outcome:
        problem = f"{type(error).__name__}: {error}"
        lane.forget_faces()
        told = sentence(
            "frame.failed",
            "the frame cannot be swapped ({kind}: {why})",
            kind=type(error).__name__,
            why=error,
        )
        outcome = _Outcome(Verdict.COVERED, status=told, error=error)
        outcome.events += self.cover(frame, lane)
        if problem != lane.problem:
            lane.problem = problem
            outcome.events.append(PipelineEvent(EventKind.ERROR, problem))
        return outcome
