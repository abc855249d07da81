"""Follows the faces of one lane: who is where in each frame, and who was lost where.

Each followed face costs one run of the landmark network a frame, in the region where it was before. The
detector runs when a face is missing, every ``redetect_ms``, and when the picture changes strongly near its
edges; it starts and ends tracks, but never moves a followed face, so it adds no jitter.

All times come from the frames' own time stamps, through a clock of the tracker's own that never jumps.
"""

from __future__ import annotations

import itertools
import math

from doppel_ipc.settings import FilterSettings
from doppel_models.appearance import OTHER, SAME
from doppel_models.detector import MIN_SCORE, FaceDetector
from doppel_models.geometry import bbox_size, roi_from_detection
from doppel_models.landmarker import FaceLandmarker
from doppel_models.types import Detection

from doppel_worker.compositor import Compositor
from doppel_worker.face_finder import FaceFinder
from doppel_worker.faint_faces import FAINT_SCORE, FaintFaces
from doppel_worker.frame import FrameView
from doppel_worker.one_place import OnePlace, rank
from doppel_worker.same_place import claimed, covers, explains, near
from doppel_worker.track import Measurement, Track, measure
from doppel_worker.track_result import LostFace, TrackResult

_MS = 1_000_000
_MAX_STEP = 500 * _MS
"""A longer step between two time stamps is a jump: a seek, a loop or a stall."""
_NOMINAL_STEP = 33 * _MS
_ROUNDING = _MS
"""Three frames of 33.367 ms are the 100 ms that somebody asked for."""
_MAYBE_SCORE = 0.35
"""A detection from here up to the detector's own limit is no face, but no confident absence either."""
_MAYBE_PRESENCE = 0.2
"""The same for the landmark network."""
_RETRY_FOR = 1000 * _MS
"""How long the landmark network goes on looking, in every frame, where a face was lost."""
_REMEMBER = 20_000 * _MS
"""How long a person is remembered, to get the same identity on return."""
_UNCONFIRMED_FOR = 50 * _MS
"""How long a face that looks unlike its person is followed although the detector does not see it."""
_BOX_OF_FACE = 0.8
"""Longer side of a detection over that of the landmarks."""
_FAR_ROUND = 100 * _MS
"""Time in which the far detector sees all of a frame in which nobody is followed."""
_FAR_ROUND_BESIDE = 200 * _MS
"""The same while somebody is followed, and all faces matter."""
_CLOSE_UPS = 2
"""With how many lost and doubtful faces a search looks more closely."""


class Tracker:
    """Follows the faces of one lane. The networks may be shared by lanes that run on one thread."""

    def __init__(self, detector: FaceDetector, landmarker: FaceLandmarker) -> None:
        self._finder = FaceFinder(detector)
        self._faint = FaintFaces()
        self._landmarker = landmarker
        self._ids = itertools.count(1)
        self._tracks: list[Track] = []
        self._lost: list[Track] = []
        self._gone: list[Track] = []
        self._bystanders: list[Detection] = []
        self._geometry = (0, 0)
        self._stamp: int | None = None
        self._now, self._step = 0, _NOMINAL_STEP
        self._searched_at: int | None = None
        self._place = OnePlace()
        self._faces = ""

    def update(self, frame: FrameView, compositor: Compositor, settings: FilterSettings) -> TrackResult:
        """Follow the faces into the next frame."""
        jumped = self._advance(frame)
        changed = self._finder.look(frame, settings.min_face_px)
        missing = self._follow(frame, compositor, settings)
        due = (
            self._searched_at is None
            or self._now - self._searched_at + self._step > settings.redetect_ms * _MS + _ROUNDING
            or any(self._now - track.last_seen <= _RETRY_FOR for track in self._lost)
        )
        if settings.faces != self._faces:
            jumped, self._faces = jumped or self._faces != "", settings.faces
        doubtful = any(track.confirmed < self._now for track in self._tracks)
        search = jumped or changed or missing or due or doubtful or not self._tracks
        if search:
            self._search(frame, compositor, settings, everywhere=jumped or missing)
        self._forget(settings)
        # A face that does not look like itself is not sure to be where its landmarks are.
        sure = [track for track in self._tracks if not track.doubtful]
        faces = [track.face(self._now, settings.smoothing) for track in sure]
        hidden = [track for track in self._tracks if track.doubtful] + self._lost
        return TrackResult(
            faces=tuple(sorted(faces, key=lambda face: -bbox_size(face.bbox))),
            lost=tuple(self._lost_face(track) for track in hidden),
            bystanders=tuple(detection.bbox for detection in self._bystanders),
            ran_detector=search,
            known=frozenset(track.track_id for track in (*self._tracks, *self._lost, *self._gone)),
        )

    def _advance(self, frame: FrameView) -> bool:
        """Move the clock to this frame; True if time or geometry jumped."""
        step = _NOMINAL_STEP if self._stamp is None else frame.timestamp_ns - self._stamp
        # A picture that is judged again (the source is paused, a setting changed) keeps its time stamp: it is
        # searched like a new one, and time stands still.
        jumped = not 0 < step <= _MAX_STEP
        self._now += _NOMINAL_STEP if jumped and step != 0 else step
        self._step = _NOMINAL_STEP if jumped else step
        self._stamp = frame.timestamp_ns
        geometry = (frame.width, frame.height)
        if geometry != self._geometry and self._geometry != (0, 0):
            factors = geometry[0] / self._geometry[0], geometry[1] / self._geometry[1]
            for track in self._tracks + self._lost:
                track.rescale(*factors)
            jumped = True
        self._geometry = geometry
        if jumped:
            for track in self._tracks:
                track.reset_smoothing()
        return jumped

    def _follow(self, frame: FrameView, compositor: Compositor, settings: FilterSettings) -> bool:
        """Look for every face where it was; True if one is missing that was there in the last frame."""
        limit = settings.max_faces if settings.faces == "all" else 1
        looks = [(track, measure(frame, compositor, self._landmarker, track.roi)) for track in self._tracks]
        if len(looks) > 1:
            # Where two regions show one face, it is that of the track that it resembles more.
            looks.sort(key=lambda pair: pair[0].differs(pair[1]))
        followed: list[Track] = []
        missing: list[Track] = []
        for track, measurement in looks:
            if (
                len(followed) < limit
                and track.accepts(measurement, frame)
                and not claimed(measurement, followed)
            ):
                track.take(measurement, self._now)
                followed.append(self._known_better(track, measurement))
            else:
                missing.append(track)
        for track in list(self._lost):
            if self._now - track.last_seen > _RETRY_FOR or len(followed) >= limit:
                continue
            measurement = measure(frame, compositor, self._landmarker, track.roi)
            if measurement.presence > _MAYBE_PRESENCE:
                track.maybe_seen = self._now
            sure = track.accepts(measurement, frame) and not track.is_doubtful(measurement)
            if sure and not claimed(measurement, followed):
                track.reset_smoothing()
                track.take(measurement, self._now)
                followed.append(track)
                self._lost.remove(track)
        self._tracks = followed
        self._lost += missing
        return bool(missing)

    def _known_better(self, track: Track, measurement: Measurement) -> Track:
        """The track, or a remembered person whom its face resembles as it does not resemble the track's.

        What hid a face (a book, a hand) can be taken for another person; when it goes, that person is back.
        """
        if not track.doubtful or not track.is_doubtful(measurement):
            return track
        known = [
            other
            for other in self._lost + self._gone
            if other.differs(measurement) < SAME and not other.is_doubtful(measurement)
        ]
        if not known:
            return track
        best = min(known, key=lambda other: other.differs(measurement))
        self._lost = [other for other in self._lost if other is not best]
        self._gone = [other for other in self._gone if other is not best] + [track]
        best.reset_smoothing()
        best.take(measurement, self._now)
        return best

    def _search(
        self, frame: FrameView, compositor: Compositor, settings: FilterSettings, *, everywhere: bool
    ) -> None:
        """Run the detectors; end, find again and start tracks by what they say."""
        tiles = self._tiles_due(settings, everywhere=everywhere)
        self._searched_at = self._now
        unseen = [track.region for track in self._lost if self._now - track.last_seen <= _RETRY_FOR]
        unseen += [track.bbox for track in self._tracks if track.confirmed < self._now]
        found = self._finder.find(frame, compositor, FAINT_SCORE, tiles, unseen[:_CLOSE_UPS])
        detections = [one for one in found if one.score >= _MAYBE_SCORE]
        for track in list(self._tracks):
            if any(explains(track, one) for one in detections):
                track.confirmed = self._now
            elif self._now - track.confirmed > _UNCONFIRMED_FOR:
                self._tracks.remove(track)
                self._lost.append(track)
        free = [one for one in detections if not any(explains(track, one) for track in self._tracks)]
        for track in self._lost:
            if any(near(track, one) for one in free):
                track.maybe_seen = self._now
        least = _BOX_OF_FACE * settings.min_face_px
        free = [one for one in free if one.score >= MIN_SCORE and bbox_size(one.bbox) >= least]
        free.sort(key=lambda one: -rank(one.bbox, settings.faces))
        followed = self._tracks[0] if self._tracks else None
        self._place.note(followed, free, detections, self._now, settings.faces)
        self._bystanders = []
        for detection in free:
            if not self._wanted(detection, settings):
                self._bystanders.append(detection)
                continue
            measurement = self._measure(frame, compositor, detection)
            if not measurement.found:
                # Half out of the picture, upside down, ...: it cannot be followed, but somebody may be there.
                self._bystanders.append(detection)
                continue
            if claimed(measurement, self._tracks):
                continue
            known = self._recognise(detection, measurement)
            if known is None and self._place_is_kept(detection, settings):
                self._bystanders.append(detection)
            else:
                self._start(known, measurement, settings)
        if not self._tracks or settings.faces == "all":
            faint = [
                one
                for one in found
                if bbox_size(one.bbox) >= least and not any(explains(track, one) for track in self._tracks)
            ]
            self._bystanders += self._faint.judge(
                faint, self._now, lambda one: self._measure(frame, compositor, one)
            )

    def _tiles_due(self, settings: FilterSettings, *, everywhere: bool) -> int:
        """At how many tiles the far detector must look now."""
        if self._tracks and settings.faces != "all":
            # Another small face is shown whether it is known or not.
            return 0
        if everywhere or self._searched_at is None:
            return self._finder.tiles
        within = _FAR_ROUND_BESIDE if self._tracks else _FAR_ROUND
        return math.ceil(self._finder.tiles * max(self._now - self._searched_at, 1) / within)

    def _measure(self, frame: FrameView, compositor: Compositor, detection: Detection) -> Measurement:
        return measure(frame, compositor, self._landmarker, roi_from_detection(detection))

    def _wanted(self, detection: Detection, settings: FilterSettings) -> bool:
        """True if a face that is not followed shall be."""
        if settings.faces == "all":
            return len(self._tracks) < settings.max_faces
        return not self._tracks or self._place.goes_to(detection, self._now)

    def _place_is_kept(self, detection: Detection, settings: FilterSettings) -> bool:
        """True while a stranger must wait for the one face to follow."""
        alone = settings.faces != "all" and not self._tracks
        return alone and self._place.is_kept(detection, self._lost, self._now)

    def _recognise(self, detection: Detection, measurement: Measurement) -> Track | None:
        """The lost or remembered track whose person this is; None if it is nobody known."""
        likely = [
            (difference, track)
            for track in self._lost + self._gone
            if (difference := track.differs(measurement)) < (OTHER if near(track, detection) else SAME)
        ]
        return min(likely, key=lambda pair: pair[0])[1] if likely else None

    def _start(self, known: Track | None, measurement: Measurement, settings: FilterSettings) -> None:
        """A detected face joins the followed ones, with the identity of a known track or a new one."""
        if settings.faces != "all":
            self._gone += self._tracks
            self._tracks = []
            self._place.taken()
        if known is None:
            self._tracks.append(Track(next(self._ids), measurement, self._now))
            return
        self._lost = [track for track in self._lost if track is not known]
        self._gone = [track for track in self._gone if track is not known]
        known.reset_smoothing()
        known.take(measurement, self._now)
        self._tracks.append(known)

    def _forget(self, settings: FilterSettings) -> None:
        """Drop lost faces that are gone for sure, or in whose place a face is followed."""
        lost = [
            track
            for track in self._lost
            if self._now - track.maybe_seen < settings.lost_face_ms * _MS
            and not any(covers(other, track) for other in self._tracks)
        ]
        self._gone += [track for track in self._lost if track not in lost]
        self._gone = [track for track in self._gone if self._now - track.last_seen < _REMEMBER]
        self._lost = lost

    def _lost_face(self, track: Track) -> LostFace:
        return LostFace(
            track_id=track.track_id,
            bbox=track.region,
            landmarks=track.landmarks,
            lost_ms=(self._now - track.last_seen) / _MS,
        )
