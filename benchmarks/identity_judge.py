"""dlib's recogniser as the judge of identity, and what a face in a video does from frame to frame."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np

PROJECT = Path(__file__).absolute().parents[1]
FOLDERS = [str(PROJECT / name) for name in ("", "shared", "models", "obs_plugin")]
sys.path[:0] = FOLDERS

from doppel_ipc.settings import FilterSettings  # noqa: E402 - needs the paths above
from doppel_models.detector import FaceDetector  # noqa: E402
from doppel_models.landmarker import FaceLandmarker  # noqa: E402
from doppel_models.types import ByteArray, FloatArray  # noqa: E402
from doppel_worker.cli.bench import i420  # noqa: E402
from doppel_worker.compositor_cpu import CpuCompositor  # noqa: E402
from doppel_worker.tracker import Tracker  # noqa: E402

LIDS = (((159, 145), (33, 133)), ((386, 374), (362, 263)))
"""Upper and lower lid, and the corners, of each eye; indices of the 478 points."""
LIPS, MOUTH_CORNERS = (13, 14), (61, 291)
SAME_PERSON = 0.6
Place = tuple[int, int, int, int]
"""Left, top, right, bottom, pixels."""


class Judge:
    """dlib's recogniser.

    Args:
        folder: holds its two model files.
    """

    def __init__(self, folder: Path) -> None:
        self._detect = dlib.get_frontal_face_detector()
        self._align = dlib.shape_predictor(str(folder / "shape_predictor_5_face_landmarks.dat"))
        self._network = dlib.face_recognition_model_v1(
            str(folder / "dlib_face_recognition_resnet_model_v1.dat")
        )

    def describe(
        self, picture: ByteArray, near: Place | None = None
    ) -> tuple[FloatArray | None, Place | None]:
        """(128,) descriptor of the largest face and its place.

        Args:
            picture: (h, w, 3).
            near: where a face was just before: it is looked for there, and taken to be there if not found.
        """
        x, y = 0, 0
        part = picture
        if near is not None:
            (x0, y0, x1, y1), side = near, near[2] - near[0]
            x, y = max(x0 - side, 0), max(y0 - side, 0)
            part = picture[y : y1 + side, x : x1 + side]
        part = np.ascontiguousarray(part)
        found = max(self._detect(part, 1), key=lambda one: one.area(), default=None)
        if found is None:
            if near is None:
                return None, None
            found = dlib.rectangle(near[0] - x, near[1] - y, near[2] - x, near[3] - y)
        descriptor = self._network.compute_face_descriptor(part, self._align(part, found))
        place = (found.left() + x, found.top() + y, found.right() + x, found.bottom() + y)
        return np.array(descriptor, np.float32), place


@dataclasses.dataclass(frozen=True)
class Course:
    """What the face in a video does, frame by frame."""

    landmarks: FloatArray
    """(frames, 478, 3) as the network reads them, pixels."""
    color: FloatArray
    """(frames, 3) mean RGB of the face, 0..255."""

    @classmethod
    def of(cls, pictures: list[ByteArray]) -> Course:
        """Follows the largest face; frames without one are left out."""
        tracker, compositor = Tracker(FaceDetector(), FaceLandmarker()), CpuCompositor()
        landmarks, colors = [], []
        for number, picture in enumerate(pictures):
            faces = tracker.update(i420(picture, number), compositor, FilterSettings()).faces
            if not faces:
                continue
            points = faces[0].raw_landmarks
            hull = cv2.convexHull(points[:, :2].astype(np.int32))
            mask = cv2.fillConvexPoly(np.zeros(picture.shape[:2], np.uint8), hull, 1)
            landmarks.append(points)
            colors.append(cv2.mean(picture, mask)[:3])
        return cls(np.array(landmarks, np.float32), np.array(colors, np.float32))

    @property
    def jitter(self) -> float:
        """Percent of the face's width."""
        width = np.median(np.ptp(self.landmarks[:, :, 0], axis=1))
        second = np.diff(self.landmarks[:, :, :2], n=2, axis=0)
        return float(100 * np.median(np.linalg.norm(second, axis=2)) / width)

    @property
    def flicker(self) -> float:
        """Of 255."""
        return float(np.median(np.linalg.norm(np.diff(self.color, n=2, axis=0), axis=1)))

    @property
    def blink(self) -> float:
        """Depth of the blinks, 0 (none) to 1 (shut)."""
        return float(1 - np.percentile(self.eyes, 2) / np.median(self.eyes))

    def lids_after(self, filmed: Course) -> dict[str, float | None]:
        """How deep the lids sink where the filmed ones are half shut, and where they are shut; 1 is faithful.

        None: no such frame, or the frames of the two are not the same.
        """
        was, now = (1 - course.eyes / np.median(course.eyes) for course in (filmed, self))
        if len(was) != len(now):
            return {"half": None, "shut": None}
        parts = {"half": (was > 0.2) & (was < 0.5), "shut": was >= 0.5}
        return {
            name: round(float(now[which].sum() / was[which].sum()), 2) if which.any() else None
            for name, which in parts.items()
        }

    @property
    def mouth(self) -> float:
        """Range of the mouth's opening over its width."""
        return float(np.percentile(self.lips, 98) - np.percentile(self.lips, 5))

    @property
    def eyes(self) -> FloatArray:
        """(frames,) the eyes' opening over their width."""
        openings = [_ratio(self.landmarks, gap, width) for gap, width in LIDS]
        return np.asarray(np.mean(openings, axis=0), np.float32)

    @property
    def lips(self) -> FloatArray:
        """(frames,) the mouth's opening over its width."""
        return _ratio(self.landmarks, LIPS, MOUTH_CORNERS)


def _ratio(landmarks: FloatArray, gap: tuple[int, int], width: tuple[int, int]) -> FloatArray:
    flat = landmarks[:, :, :2]
    distance = [np.linalg.norm(flat[:, a] - flat[:, b], axis=1) for a, b in (gap, width)]
    return np.asarray(distance[0] / distance[1], np.float32)


class Filmed:
    """A clip and what is known of it, worked out once for all that it is swapped to.

    Args:
        pictures: the clip's.
        judge: of the identity.
        every: n-th frame is judged.
    """

    def __init__(self, pictures: list[ByteArray], judge: Judge, every: int) -> None:
        self.pictures, self.every = pictures, every
        self._judge = judge
        self.course = Course.of(pictures)
        self.described: list[tuple[FloatArray | None, Place | None]] = []
        near = None
        for picture in pictures[::every]:
            self.described.append(judge.describe(picture, near))
            near = self.described[-1][1]

    def evaluate(self, swapped: list[ByteArray], persona: ByteArray) -> dict[str, Any]:
        """The figures of the clip swapped, frame by frame the same, to the persona of a picture."""
        wanted, _ = self._judge.describe(persona)
        if wanted is None:
            raise SystemExit("dlib finds no face in the persona's photo")
        distances = []
        for (source, place), after in zip(self.described, swapped[:: self.every], strict=True):
            result, _ = self._judge.describe(after, place)
            if source is not None and result is not None:
                distances.append((np.linalg.norm(result - wanted), np.linalg.norm(result - source)))
        to_persona, to_filmed = np.array(distances).T
        was, now = self.course, Course.of(swapped)
        return {
            "frames": len(distances),
            "to_persona": round(float(np.median(to_persona)), 3),
            "to_filmed": round(float(np.median(to_filmed)), 3),
            "margin": round(float(np.median(to_filmed - to_persona)), 3),
            "same_share": round(float(np.mean(to_persona < SAME_PERSON)), 4),
            "jitter_percent": {"filmed": round(was.jitter, 3), "swapped": round(now.jitter, 3)},
            "flicker": {"filmed": round(was.flicker, 3), "swapped": round(now.flicker, 3)},
            "blink": {"filmed": round(was.blink, 3), "swapped": round(now.blink, 3)},
            "mouth": {"filmed": round(was.mouth, 3), "swapped": round(now.mouth, 3)},
            "lids": now.lids_after(was),
        }
