"""Whose face it is, by a recogniser that the user has added: an ArcFace model, beside the frames.

Nothing that comes with Doppel can tell people apart: the colours by which a track keeps its identity differ
as much between two moments of one person as between two persons (``doppel_models.appearance``), and the
bundled networks give landmarks alone.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import cv2
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
from doppel_models.sentences import sentence, unreadable, unusable_model
from doppel_models.types import ByteArray, Face, FloatArray

from doppel_worker.compositor import Compositor
from doppel_worker.frame import FrameView
from doppel_worker.likeness import Likeness
from doppel_worker.people import BY_PICTURE, People
from doppel_worker.retry import Failures

_logger = logging.getLogger(__name__)

SURE, SAME, OTHER = 0.4, 0.28, 0.2
"""Cosine of two identities: from SAME on it is that person, below OTHER somebody else: the limits of
InsightFace's own comparison example, for the recognisers that it publishes. SURE: one look is enough."""
_LOOKS_SAME, _LOOKS_OTHER, _MOST_LOOKS = 2, 3, 8
"""Looks at a face (their mean counts) until it is somebody's, nobody's, and until one gives up."""
_MOST_YAW = 45.0
"""Degrees; a face that is turned further is not asked about."""
_RECOGNISER = "ArcFace"
_NO_RECOGNISER = sentence(
    "people.no-recogniser",
    "telling people by their picture needs a recogniser, which is not part of Doppel: add an ArcFace model"
    " such as w600k_r50.onnx ('Add a face', or `doppel models add FILE`)",
)


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    """Says of what the system, the memory or a library refuses that ``name`` cannot be used."""
    try:
        yield
    except ModelsError:
        raise
    except OSError as error:
        raise ModelsError(unreadable(name, error)) from error
    except MemoryError as error:
        lack = ModelsError(sentence("lane.no-memory", "there is not enough memory"))
        raise ModelsError(unusable_model(name, lack)) from error
    except (RuntimeError, ValueError, ArithmeticError, cv2.error) as error:
        raise ModelsError(unusable_model(name, error)) from error


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
        recogniser = self._recogniser()
        with _told(path):
            file = Path(path).expanduser()
            key = path, file.stat().st_mtime_ns if file.is_file() else 0
            if key not in self._examples:
                photo = read_photo(file)
                landmarks = photo_check.only_face(photo, *self._importer.load())
                self._examples[key] = normed(recogniser.embed(photo.image, landmarks))
            return self._examples[key]

    def _look(self, crop: ByteArray, landmarks: FloatArray) -> FloatArray:
        recogniser = self._recogniser()
        with _told(_RECOGNISER):
            return normed(recogniser.embed(crop, landmarks))

    def _recogniser(self) -> Recogniser:
        if self._loaded is None:
            with _told(str(self._models.folder)):
                found = self._models.of_kind(ModelKind.ARCFACE)
            if not found:
                raise ModelsError(_NO_RECOGNISER)
            with _told(found[0].name):
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

    def __init__(self) -> None:
        self.identity: Future[FloatArray] | None = None
        """None: no try is under way."""
        self.failures = Failures()


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
        self._failures = Failures()
        """Of the recogniser: looks that told nothing, up to the last one that did."""
        self._sent: Future[FloatArray] | None = None
        """The last look."""
        self.problem = ""
        """Why somebody cannot be told by their picture; empty: nothing is wrong."""
        self._problem_of: People | None = None
        """Who were to be told apart when that was found."""

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
        if not self._take(looks, self._recognition) or not self._may_look():
            return self._unknown()
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
            looks.awaited = self._sent = self._recognition.look(crop, transform(matrix, face.raw_landmarks))
        return self._unknown()

    def forget(self, known: frozenset[int], people: People) -> None:
        """Keep what belongs to these tracks and these people alone."""
        if not (self._looks or self._examples or self.problem or self._failures.count):
            return
        for track_id in self._looks.keys() - known:
            del self._looks[track_id]
        wanted = {one.picture for one in people.persons if one.who == BY_PICTURE}
        for path in self._examples.keys() - wanted:
            del self._examples[path]
        if not wanted:
            self._failures = Failures()
        if people != self._problem_of:
            self.problem = ""

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
            example = self._examples.setdefault(person.picture, _Example())
            now = self._clock()
            if example.identity is None and example.failures.is_due(now):
                example.identity = recognition.example(person.picture)
            if example.identity is not None and (recognition.waits or example.identity.done()):
                error = example.identity.exception()
                if error is None:
                    found[person.number] = example.identity.result()
                    continue
                example.identity = None
                example.failures.add(error, now)
                if not isinstance(error, ModelsError):
                    raise error
            # What was wrong stays wrong until it is known better.
            if example.failures.count:
                why = example.failures.why
                problem = sentence("people.status", "person {number}: {why}", number=person.number, why=why)
            else:
                waiting = True
        self.problem, self._problem_of = problem, people
        return (None if waiting else found), not problem

    def _take(self, looks: _Looks, recognition: FaceRecognition) -> bool:
        """Takes in the last look; False while it is not there yet."""
        if looks.awaited is None:
            return True
        if not (recognition.waits or looks.awaited.done()):
            return False
        look, looks.awaited = looks.awaited, None
        error = look.exception()
        if error is None:
            looks.total = looks.total + look.result()
            looks.count += 1
            self._failures = Failures()
            return True
        now = self._clock()
        # Looks at several faces fail together: that is one failure.
        if self._failures.is_due(now):
            self._failures.add(error, now)
        if not isinstance(error, ModelsError):
            raise error
        return True

    def _may_look(self) -> bool:
        """False while the recogniser has failed lately, or is tried again with another look."""
        if not self._failures.count:
            return True
        return self._failures.is_due(self._clock()) and (self._sent is None or self._sent.done())

    def _unknown(self) -> Likeness:
        """Not known yet; or not now, which is told, where the recogniser fails."""
        if not self._failures.count:
            return Likeness(None)
        self.problem = sentence(
            "people.broken", "people cannot be told by their picture: {why}", why=self._failures.why
        )
        return Likeness(0, is_sure=False, lasts=False)
