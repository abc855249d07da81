"""How well a swapped video carries the persona: identity, steadiness, expression.

``python benchmarks/identity.py --persona PHOTO --models FOLDER CLIP... [--every 10] [--set KEY=VALUE]``

The judge of identity is dlib's face recognition ResNet (http://dlib.net/face_recognition.py.html; two
descriptors less than 0.6 apart are one person), which Doppel itself does not use. It is no dependency of the
project: run this with a Python that has the project's packages and PyPI ``dlib-bin`` (measured with
20.0.1.post1). FOLDER holds dlib's ``shape_predictor_5_face_landmarks.dat`` and
``dlib_face_recognition_resnet_model_v1.dat``, as in PyPI ``face-recognition-models`` 0.3.0.

Each clip is swapped by ``doppel swap`` without the label, then, clip by clip:

* ``to_persona``, ``to_filmed``: median distance of every n-th swapped frame to the persona's photo and to the
  filmed frame; ``margin``: median of their difference; ``same_share``: frames nearer than 0.6 to the persona.
* ``jitter``: second difference in time of the landmarks as the network reads them from each frame, median, in
  percent of the face's width. ``flicker``: the same of the face's mean colour, of 255.
* ``blink``: depth of the blinks, 1 - (2nd percentile of the eye opening / its median). ``mouth``: 98th less
  5th percentile of the mouth's opening over its width. Swapped over filmed: 1 is faithful.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np

PROJECT = Path(__file__).resolve().parents[1]
FOLDERS = [str(PROJECT / name) for name in ("shared", "models", "obs_plugin")]
sys.path[:0] = FOLDERS

from doppel_ipc.settings import FilterSettings  # noqa: E402 - needs the paths above
from doppel_models.detector import FaceDetector  # noqa: E402
from doppel_models.landmarker import FaceLandmarker  # noqa: E402
from doppel_models.types import ByteArray, FloatArray  # noqa: E402
from doppel_worker.cli.bench import i420, read_clip  # noqa: E402
from doppel_worker.compositor_cpu import CpuCompositor  # noqa: E402
from doppel_worker.tracker import Tracker  # noqa: E402

LIDS = (((159, 145), (33, 133)), ((386, 374), (362, 263)))
"""Upper and lower lid, and the corners, of each eye; indices of the 478 points."""
LIPS, MOUTH_CORNERS = (13, 14), (61, 291)
SAME_PERSON = 0.6
TARGETS = {"to_persona": 0.45, "same_share": 0.97, "margin": 0.23, "expression": 0.25}


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

    def describe(self, picture: ByteArray, fallback: Any = None) -> tuple[FloatArray | None, Any]:
        """(128,) descriptor of the largest face and its place; ``fallback``: the place if none is found."""
        picture = np.ascontiguousarray(picture)
        place = max(self._detect(picture, 1), key=lambda one: one.area(), default=fallback)
        if place is None:
            return None, None
        shape = self._align(picture, place)
        return np.array(self._network.compute_face_descriptor(picture, shape), np.float32), place


@dataclasses.dataclass(frozen=True)
class Course:
    """What the face in a video does, frame by frame."""

    landmarks: FloatArray
    """(frames, 478, 2) as the network reads them, pixels."""
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
            points = faces[0].raw_landmarks[:, :2]
            hull = cv2.convexHull(points.astype(np.int32))
            mask = cv2.fillConvexPoly(np.zeros(picture.shape[:2], np.uint8), hull, 1)
            landmarks.append(points)
            colors.append(cv2.mean(picture, mask)[:3])
        return cls(np.array(landmarks, np.float32), np.array(colors, np.float32))

    @property
    def jitter(self) -> float:
        """Percent of the face's width."""
        width = np.median(np.ptp(self.landmarks[:, :, 0], axis=1))
        second = np.diff(self.landmarks, n=2, axis=0)
        return float(100 * np.median(np.linalg.norm(second, axis=2)) / width)

    @property
    def flicker(self) -> float:
        """Of 255."""
        return float(np.median(np.linalg.norm(np.diff(self.color, n=2, axis=0), axis=1)))

    @property
    def blink(self) -> float:
        """Depth of the blinks, 0 (none) to 1 (shut)."""
        opening = np.mean([_ratio(self.landmarks, gap, width) for gap, width in LIDS], axis=0)
        return float(1 - np.percentile(opening, 2) / np.median(opening))

    @property
    def mouth(self) -> float:
        """Range of the mouth's opening over its width."""
        opening = _ratio(self.landmarks, LIPS, MOUTH_CORNERS)
        return float(np.percentile(opening, 98) - np.percentile(opening, 5))


def _ratio(landmarks: FloatArray, gap: tuple[int, int], width: tuple[int, int]) -> FloatArray:
    distance = [np.linalg.norm(landmarks[:, a] - landmarks[:, b], axis=1) for a, b in (gap, width)]
    return np.asarray(distance[0] / distance[1], np.float32)


def swap(clip: Path, out: Path, persona: Path, settings: list[str]) -> None:
    """``doppel swap`` in a process of its own, without the label."""
    options = [item for setting in ["label=off", *settings] for item in ("--set", setting)]
    code = f"import sys; sys.path[:0] = {FOLDERS!r}; from doppel_worker.cli import main; main()"
    command = [sys.executable, "-c", code, "swap", str(clip), str(out), "--persona", str(persona)]
    subprocess.run(
        [*command, "--consent", "public-domain", *options, "--json"], check=True, stdout=subprocess.DEVNULL
    )


def evaluate(
    filmed: list[ByteArray], swapped: list[ByteArray], persona: ByteArray, judge: Judge, every: int
) -> Any:
    """The figures of one clip."""
    wanted, _ = judge.describe(persona)
    if wanted is None:
        raise SystemExit("dlib finds no face in the persona's photo")
    distances = []
    for before, after in list(zip(filmed, swapped, strict=True))[::every]:
        source, place = judge.describe(before)
        result, _ = judge.describe(after, place)
        if source is not None and result is not None:
            distances.append((np.linalg.norm(result - wanted), np.linalg.norm(result - source)))
    to_persona, to_filmed = np.array(distances).T
    was, now = Course.of(filmed), Course.of(swapped)
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
    }


def main() -> None:
    """Parse the arguments, swap, judge, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--persona", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    photo = cv2.cvtColor(cv2.imread(str(arguments.persona)), cv2.COLOR_BGR2RGB)
    judge = Judge(arguments.models)
    results: dict[str, Any] = {"targets": TARGETS}
    for clip in arguments.clips:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "swapped.mp4"
            swap(clip, out, arguments.persona, arguments.settings)
            filmed, swapped = read_clip(clip, sys.maxsize), read_clip(out, sys.maxsize)
        results[clip.stem] = evaluate(filmed, swapped, np.asarray(photo, np.uint8), judge, arguments.every)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
