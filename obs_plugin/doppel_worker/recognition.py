"""Whose face it is, by a recogniser that the user has added: an ArcFace model, beside the frames.

Nothing that comes with Doppel can tell people apart: the colours by which a track keeps its identity differ
as much between two moments of one person as between two persons (``doppel_models.appearance``), and the
bundled networks give landmarks alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from doppel_models import photo_check
from doppel_models.engines.crops.description import ARCFACE
from doppel_models.engines.crops.identity import RECOGNISER_SIZE, Recogniser, normed
from doppel_models.engines.crops.loading import LoadedNetwork, NetworkLoader
from doppel_models.errors import ModelsError
from doppel_models.files.kinds import ModelKind
from doppel_models.files.store import ModelStore
from doppel_models.geometry import transform
from doppel_models.persona_import import PersonaImporter
from doppel_models.photo_file import read_photo
from doppel_models.sentences import sentence
from doppel_models.types import ByteArray, Face, FloatArray

from doppel_worker.casting import Likeness
from doppel_worker.compositor import Compositor
from doppel_worker.frame import FrameView
from doppel_worker.people import BY_PICTURE, People

_logger = logging.getLogger(__name__)

SURE, SAME, OTHER = 0.4, 0.28, 0.2
"""Cosine of two identities: from SAME on it is that person, below OTHER somebody else: the limits of
InsightFace's own comparison example, for the recognisers that it publishes. SURE: one look is enough."""
_LOOKS_SAME, _LOOKS_OTHER, _MOST_LOOKS = 2, 3, 8
"""Looks at a face (their mean counts) until it is somebody's, nobody's, and until one gives up."""
_MOST_YAW = 45.0
"""Degrees; a face that is turned further is not asked about."""
_RETRY_S = 2.0
"""How soon a picture that could not be used is looked at again."""
_NO_RECOGNISER = sentence(
    "people.no-recogniser",
    "telling people by their picture needs a recogniser, which is not part of Doppel: add an ArcFace model"
    " such as w600k_r50.onnx ('Add a face', or `doppel models add FILE`)",
)


class FaceRecognition:
    """The recogniser of one device's lanes, on a thread of its own; it starts when it is first needed.

    Args:
        models: the user's.
        waits: answers are waited for, where no frame is due: for files.
    """

    def __init__(self, models: ModelStore, *, waits: bool = False) -> None:
        self._models = models
        self.waits = waits
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recogniser")
        self._networks = NetworkLoader()
        self._importer = PersonaImporter()
        self._loaded: LoadedNetwork | None = None
        self._examples: dict[tuple[str, int], FloatArray] = {}

    def example(self, path: str) -> Future[FloatArray]:
        """The identity, (512,) of length 1, of the one face on a picture.

        The future raises :class:`ModelsError`: there is no recogniser, or the picture cannot be used.
        """
        return self._thread.submit(self._example, path)

    def look(self, crop: ByteArray, landmarks: FloatArray) -> Future[FloatArray]:
        """The identity, (512,) of length 1, of a face: a crop (h, w, 3) uint8 RGB and (478, 3) in its pixels.

        The future raises :class:`ModelsError`: there is no recogniser, or it fails.
        """
        return self._thread.submit(self._look, crop, landmarks)

    def _example(self, path: str) -> FloatArray:
        file = Path(path).expanduser()
        recogniser = self._recogniser()
        key = path, file.stat().st_mtime_ns if file.is_file() else 0
        if key not in self._examples:
            photo = read_photo(file)
            landmarks = photo_check.only_face(photo, *self._importer.load())
            self._examples[key] = normed(recogniser.embed(photo.image, landmarks))
        return self._examples[key]

    def _look(self, crop: ByteArray, landmarks: FloatArray) -> FloatArray:
        return normed(self._recogniser().embed(crop, landmarks))

    def _recogniser(self) -> Recogniser:
        if self._loaded is None:
            found = self._models.of_kind(ModelKind.ARCFACE)
            if not found:
                raise ModelsError(_NO_RECOGNISER)
            self._loaded = self._networks.load(self._models.open(found[0]))
        return Recogniser(self._loaded.network)


class _Looks:
    """At one face."""

    def __init__(self) -> None:
        self.total = np.zeros(512, np.float32)
        self.count = 0
        self.awaited: Future[FloatArray] | None = None


class _Example:
    """A picture of a person."""

    def __init__(self, identity: Future[FloatArray]) -> None:
        self.identity = identity
        self.failed_at: float | None = None


class LaneRecognition:
    """What the example pictures say of the faces of one lane.

    Args:
        recognition: the device's; None: there is none.
        clock: seconds, for tries that are repeated.
    """

    def __init__(
        self, recognition: FaceRecognition | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._recognition = recognition
        self._clock = clock
        self._examples: dict[str, _Example] = {}
        self._looks: dict[int, _Looks] = {}
        self._broken = ""
        """What is wrong with the recogniser."""
        self.problem = ""
        """Why somebody cannot be told by their picture; empty: nothing is wrong."""

    def likeness(self, face: Face, frame: FrameView, compositor: Compositor, people: People) -> Likeness:
        """Whose face it is; asked again with later frames, it comes to know.

        Args:
            face: the tracked face.
            frame: as filmed.
            compositor: reads it.
            people: with at least one who is known by a picture.
        """
        if self._recognition is None:
            return Likeness(0, is_sure=False, lasts=False)
        examples, complete = self._known(people, self._recognition)
        if examples is None:
            return Likeness(None)
        nobody = Likeness(0, is_sure=complete, lasts=complete)
        if not examples:
            return nobody
        looks = self._looks.setdefault(face.track_id, _Looks())
        if not self._take(looks, self._recognition):
            return Likeness(None)
        if self._broken:
            self.problem = self._broken
            return Likeness(0, is_sure=False, lasts=False)
        mean = looks.total / max(looks.count, 1)
        mean /= max(float(np.linalg.norm(mean)), 1e-6)
        alike = {number: float(mean @ vector) for number, vector in examples.items()}
        best = max(alike, key=lambda number: alike[number])
        if looks.count and (alike[best] >= SURE or (alike[best] >= SAME and looks.count >= _LOOKS_SAME)):
            _logger.info("face %d is person %d (%.2f)", face.track_id, best, alike[best])
            return Likeness(best)
        if alike[best] < OTHER and looks.count >= _LOOKS_OTHER:
            return nobody
        if looks.count >= _MOST_LOOKS:
            return Likeness(0, is_sure=False, lasts=complete)
        if abs(face.yaw) <= _MOST_YAW:
            matrix = ARCFACE.template.matrix(face.raw_landmarks, RECOGNISER_SIZE)
            crop = compositor.sample(frame, matrix, (RECOGNISER_SIZE, RECOGNISER_SIZE)).copy()
            looks.awaited = self._recognition.look(crop, transform(matrix, face.raw_landmarks))
        return Likeness(None)

    def forget(self, known: frozenset[int], people: People) -> None:
        """Keep what belongs to these tracks and these people alone."""
        for track_id in self._looks.keys() - known:
            del self._looks[track_id]
        wanted = {one.picture for one in people.persons if one.who == BY_PICTURE}
        for path in self._examples.keys() - wanted:
            del self._examples[path]
        if not wanted:
            self.problem = self._broken = ""

    def _known(
        self, people: People, recognition: FaceRecognition
    ) -> tuple[dict[int, FloatArray] | None, bool]:
        """Identities by the person's number, None while they are read; and whether each could be."""
        found: dict[int, FloatArray] = {}
        problem, waiting = "", False
        for person in people.persons:
            if person.who != BY_PICTURE:
                continue
            if not person.picture:
                problem = sentence(
                    "people.no-picture", "person {number}: no picture is chosen", number=person.number
                )
                continue
            example = self._examples.get(person.picture)
            if example is None or (
                example.failed_at is not None and self._clock() - example.failed_at > _RETRY_S
            ):
                failed = example is not None
                example = self._examples[person.picture] = _Example(recognition.example(person.picture))
                if failed and not recognition.waits:
                    # What was wrong stays wrong until it is known better.
                    example.failed_at = self._clock()
            if recognition.waits:
                example.identity.exception()
            if not example.identity.done():
                problem = self.problem if example.failed_at is not None else problem
                waiting = waiting or example.failed_at is None
                continue
            error = example.identity.exception()
            if error is None:
                found[person.number] = example.identity.result()
                continue
            if not isinstance(error, ModelsError):
                raise error
            example.failed_at = example.failed_at or self._clock()
            problem = sentence("people.status", "person {number}: {why}", number=person.number, why=error)
        self.problem = problem
        return (None if waiting else found), not problem

    def _take(self, looks: _Looks, recognition: FaceRecognition) -> bool:
        """Takes in the last look; False while it is not there yet."""
        if looks.awaited is None:
            return True
        if not (recognition.waits or looks.awaited.done()):
            return False
        error = looks.awaited.exception()
        if error is None:
            looks.total = looks.total + looks.awaited.result()
            looks.count += 1
        elif isinstance(error, ModelsError):
            self._broken = sentence(
                "people.broken", "people cannot be told by their picture: {why}", why=error
            )
        else:
            raise error
        looks.awaited = None
        return True
