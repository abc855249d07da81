"""The wide table of ``identity.py --table``: other photos, other cameras, other faces; one line each."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import cv2
import numpy as np
import numpy.typing as npt
from doppel_ipc.settings import FilterSettings
from doppel_models import still
from doppel_models.detector import FaceDetector
from doppel_models.engines.base import FaceEngine
from doppel_models.engines.mesh.engine import MeshEngine
from doppel_models.errors import PersonaError
from doppel_models.landmarker import FaceLandmarker
from doppel_models.persona_import import PersonaImporter
from doppel_models.photo_file import PhotoFile
from doppel_models.pose import head_pose
from doppel_models.types import ByteArray, FloatArray
from doppel_worker.assets import PersonaKey, PersonaLoader
from doppel_worker.cli.bench import CLIP as DEMO
from doppel_worker.cli.bench import i420, read_clip
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.contact_sheet import Row, draw_sheet
from doppel_worker.pipeline import FacePipeline
from identity_judge import PROJECT, Course, Filmed
from identity_variants import CLIP_VARIANTS, Clip, clip_variant, photo_variants

from benchmarks.synthetic_persons import PERSONS, Looks, make

_FIXTURES = PROJECT / "tests" / "fixtures"
_SHEET_COLUMNS = 8
_SPAN = slice(380, 580)
"""Frames of a filmed clip: open mouths, blinks and turned heads are among them in the clips at hand."""
_SEARCH_STEP = 5
_Value = TypeVar("_Value")
_DEMO = "demo clip (portrait)"


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """One line of the table."""

    persona: str
    photos: list[ByteArray]
    reference: ByteArray
    """The persona as the judge knows them: never a variant."""
    clip: Clip


def cases(clips: list[Path], only: Sequence[str] = ()) -> Iterator[Case]:
    """Every combination that is worth trying.

    Args:
        clips: of one filmed man; may be none: the portrait's and the synthetic persons' are always there.
        only: parts of ``persona on clip;``, any of which must be in it; empty: all.
    """
    portrait, landmarks = _portrait()
    people = [_Once(looks, portrait, landmarks) for looks in PERSONS]
    itself = _Pictures("portrait", lambda: ([portrait], portrait))
    filmed = [(path, Clip(path.stem.split("_")[0], read_clip(path, 600)[_SPAN], 25)) for path in clips]
    pairs: list[tuple[_Pictures, str, Callable[[], Clip]]] = []
    for _, clip in filmed:
        pairs.append((itself, clip.name, partial(_given, clip)))
    if filmed:
        last = filmed[-1][1]
        last_clip = partial(_given, last)
        pairs += [
            (itself, f"{last.name}, {name}", partial(clip_variant, last, name)) for name in CLIP_VARIANTS
        ]
        box = np.concatenate([landmarks[:468, :2].min(axis=0), landmarks[:468, :2].max(axis=0)])
        for name, picture in photo_variants(portrait, box.tolist()).items():
            variant = _Pictures(f"portrait, {name}", partial(_given, ([picture], portrait)))
            pairs.append((variant, last.name, last_clip))
        pairs += [(person.pictures, last.name, last_clip) for person in people]
    for path, clip in filmed:
        man = _Man(path)
        for count, what in ((1, "one frame"), (3, "three frames")):
            pictures = _Pictures(f"the filmed man of {clip.name}, {what}", partial(man.photos, count))
            pairs.append((pictures, _DEMO, _demo))
    pairs += [(person.pictures, _DEMO, _demo) for person in people]
    for person in people:
        others = [itself, *(other.pictures for other in people if other is not person)]
        pairs += [(other, person.name, person.clip) for other in others]
    for pictures, name, clip_of in pairs:
        if not only or any(text in f"{pictures.name} on {name};" for text in only):
            photos, reference = pictures.load()
            yield Case(pictures.name, photos, reference, clip_of())


@dataclasses.dataclass(frozen=True, slots=True)
class _Pictures:
    """A persona by name; its photos, and the picture it is judged by, when they are wanted."""

    name: str
    load: Callable[[], tuple[list[ByteArray], ByteArray]]


def _given(value: _Value) -> _Value:
    return value


def _portrait() -> tuple[ByteArray, FloatArray]:
    bgr = cv2.imread(str(_FIXTURES / "astronaut.png"))
    if bgr is None:
        raise SystemExit("the portrait's fixture cannot be read")
    with np.load(_FIXTURES / "astronaut_landmarks.npz") as data:
        return np.ascontiguousarray(bgr[..., ::-1]), data["points"].astype(np.float32)


def _demo() -> Clip:
    return Clip(_DEMO, read_clip(DEMO, 200), 30)


class _Once:
    """A synthetic person, made and filmed when first wanted."""

    def __init__(self, looks: Looks, portrait: ByteArray, landmarks: FloatArray) -> None:
        self.name = f"synthetic: {looks.name}"
        self.pictures = _Pictures(self.name, self._photos)
        self._person = functools.cache(lambda: make(looks, portrait, landmarks))
        self.clip = functools.cache(lambda: Clip(self.name, self._person().clip(2.2, 5.0, 25), 25))

    def _photos(self) -> tuple[list[ByteArray], ByteArray]:
        photo = self._person().photo
        return [photo], photo


class _Man:
    """The filmed man as the persona: frames at several angles, judged by a frame not used."""

    def __init__(self, path: Path) -> None:
        self._chosen = functools.cache(lambda: _angles(read_clip(path, 10_000)[::_SEARCH_STEP]))

    def photos(self, count: int) -> tuple[list[ByteArray], ByteArray]:
        """The first ``count`` of a frame from the front and one from each side; and the reference."""
        photos, reference = self._chosen()
        return photos[:count], reference


def _angles(pictures: list[ByteArray]) -> tuple[list[ByteArray], ByteArray]:
    course = Course.of(pictures)
    yaw = np.array([head_pose(points).yaw for points in course.landmarks])
    restless: npt.NDArray[np.bool_] = (course.lips > 0.05) | (course.eyes < 0.9 * np.median(course.eyes))

    def nearest(wanted: float, unfit: npt.NDArray[np.bool_]) -> int:
        return int(np.argmin(np.abs(yaw - wanted) + 99 * (restless | unfit)))

    nowhere = np.zeros(len(yaw), np.bool_)
    front = nearest(0, nowhere)
    reference = pictures[nearest(0, np.abs(np.arange(len(yaw)) - front) < 50 // _SEARCH_STEP)]
    return [pictures[k] for k in (front, nearest(-18, nowhere), nearest(18, nowhere))], reference


def run(case: Case, filmed: Filmed, importer: PersonaImporter, sheets: Path | None) -> dict[str, Any]:
    """Import, swap, judge: the figures of one line; ``filmed`` is the case's clip."""
    photos = [PhotoFile(f"photo {k + 1}", ".png", b"", photo) for k, photo in enumerate(case.photos)]
    figures: dict[str, Any] = {"persona": case.persona, "clip": case.clip.name}
    try:
        face = importer.examine(photos)
    except PersonaError as error:
        return {**figures, "refused": str(error)}
    figures["warnings"] = face.warnings
    swapped, count = _swapped(case.clip, MeshEngine(face.mesh))
    figures["swapped_share"] = count / len(swapped)
    if sheets is not None:
        _sheet(case, swapped, sheets / f"{case.persona} on {case.clip.name}.png".replace(":", ""))
    return {**figures, **filmed.evaluate(swapped, case.reference)}


def _swapped(clip: Clip, engine: MeshEngine) -> tuple[list[ByteArray], int]:
    """The live filter's pipeline over a clip; and how many frames came out swapped."""
    settings = FilterSettings().replace(label=False)
    loader = PersonaLoader(lambda _key: cast("FaceEngine", engine))
    loader.wait(PersonaKey(settings.persona, settings.engine))
    compositor = CpuCompositor()
    pipeline = FacePipeline(compositor, FaceDetector(), FaceLandmarker(), loader)
    lane = pipeline.new_lane(settings)
    out, count = [], 0
    for number, picture in enumerate(clip.pictures):
        frame = dataclasses.replace(i420(picture, number), timestamp_ns=round(number * 1e9 / clip.fps))
        count += pipeline.process(frame, lane).swapped > 0
        out.append(compositor.read(frame, Rect(0, 0, frame.width, frame.height)).copy())
    loader.close()
    return out, count


def _sheet(case: Case, swapped: list[ByteArray], path: Path) -> None:
    """Filmed over swapped, cut to the face."""
    detector, landmarker = FaceDetector(), FaceLandmarker()
    rows: tuple[list[ByteArray], list[ByteArray]] = ([], [])
    for k in np.linspace(4, len(swapped) - 1, _SHEET_COLUMNS).astype(int):
        picture = case.clip.pictures[k]
        faces = still.find_faces(picture, detector, landmarker)
        center, reach = np.array(picture.shape[1::-1]) / 2, picture.shape[0] / 2
        if faces:
            points = faces[0].landmarks[:, :2]
            center, reach = (points.min(axis=0) + points.max(axis=0)) / 2, 0.85 * float(np.ptp(points[:, 1]))
        x, y = (center - reach).round().astype(int)
        side = round(2 * reach)
        for row, source in zip(rows, (picture, swapped[k]), strict=True):
            wide = cv2.copyMakeBorder(source, side, side, side, side, cv2.BORDER_CONSTANT)
            row.append(np.ascontiguousarray(wide[y + side : y + 2 * side, x + side : x + 2 * side]))
    sheet = draw_sheet([Row(case.clip.name, rows[0]), Row(case.persona, rows[1])], 240)
    cv2.imwrite(str(path), sheet[..., ::-1])


def headline() -> str:
    """What the columns of :func:`line` are."""
    return (
        "| persona | clip | swapped | to persona | < 0.6 | margin | jitter | flicker | blink | mouth |\n"
        "|---|---|---|---|---|---|---|---|---|---|"
    )


def line(figures: Mapping[str, Any], targets: Mapping[str, float]) -> str:
    """A line of a Markdown table; ``!`` marks what misses its target."""
    start = f"| {figures['persona']} | {figures['clip']} "
    if "refused" in figures:
        return f"{start}| refused: {figures['refused']} |"
    jitter, flicker = figures["jitter_percent"], figures["flicker"]
    cells = [
        (f"{figures['swapped_share']:.0%}", figures["swapped_share"] >= targets["same_share"]),
        (f"{figures['to_persona']:.2f}", figures["to_persona"] <= targets["to_persona"] + 0.005),
        (f"{figures['same_share']:.0%}", figures["same_share"] >= targets["same_share"]),
        (f"{figures['margin']:.2f}", figures["margin"] >= targets["margin"] - 0.005),
        (f"{jitter['filmed']:.2f} → {jitter['swapped']:.2f}", jitter["swapped"] <= jitter["filmed"]),
        (f"{flicker['filmed']:.2f} → {flicker['swapped']:.2f}", flicker["swapped"] <= flicker["filmed"]),
    ]
    for name in ("blink", "mouth"):
        ratio = figures[name]["swapped"] / max(figures[name]["filmed"], 1e-3)
        cells.append((f"{ratio:.2f}", abs(ratio - 1) <= targets["expression"]))
    return start + "".join(f"| {text}{'' if good else ' !'} " for text, good in cells) + "|"
