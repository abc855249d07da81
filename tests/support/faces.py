"""Synthetic scenes with known truth: several moving faces, and things that pass before a face.

Nothing here reads or writes a video: each builder gives one frame by its number, as a NumPy array, always
the same for the same number.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import cv2
import numpy as np
from doppel_models.types import ByteArray, FloatArray

from tests.support.portrait import Portrait, astronaut, paste_head


@dataclasses.dataclass(frozen=True, slots=True)
class FaceTruth:
    """One face of a synthetic frame."""

    person: int
    """Which person it is; the same in every frame."""
    landmarks: FloatArray
    """(478, 3) pixels of the frame."""

    @property
    def center(self) -> FloatArray:
        """(2,) mean landmark, pixels."""
        mean: FloatArray = self.landmarks[:, :2].mean(axis=0)
        return mean

    @property
    def bbox(self) -> FloatArray:
        """(4,) x0, y0, x1, y1 of the landmarks."""
        xy = self.landmarks[:, :2]
        return np.concatenate([xy.min(axis=0), xy.max(axis=0)]).astype(np.float32)


def room(width: int, height: int, seed: int = 1) -> ByteArray:
    """A background without a face: soft light, some shapes and fine grain, uint8 RGB."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(70, 170, (6, 9, 3)).astype(np.float32)
    coarse = 0.75 * coarse.mean(axis=2, keepdims=True) + 0.25 * coarse
    picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(7):
        x, y = rng.integers(0, width), rng.integers(0, height)
        w, h = rng.integers(width // 20, width // 6), rng.integers(height // 12, height // 4)
        color = rng.uniform(40, 200, 3)
        cv2.rectangle(picture, (int(x), int(y)), (int(x + w), int(y + h)), color.tolist(), -1)
    picture = cv2.GaussianBlur(picture, (0, 0), height / 180)
    picture += rng.normal(0, 1.5, picture.shape).astype(np.float32)
    return np.clip(picture, 0, 255).astype(np.uint8)


@dataclasses.dataclass(frozen=True, slots=True)
class _Person:
    head: Portrait
    x: float
    y: float
    """Middle of the path, fractions of the frame."""
    sway_x: float
    sway_y: float
    """Amplitude of the path, fractions of the frame."""
    size: float
    """Face height, fraction of the frame's height."""
    period_s: float
    phase: float


class FourFaces:
    """Four people who move: different sizes, two of them mirrored, all with colours of their own.

    Persons 0 and 1 pass under and above each other (their order along x changes twice per period) without
    one hiding the other; person 3 leaves the picture during ``away`` and comes back.
    """

    def __init__(
        self, width: int = 1280, height: int = 720, fps: float = 30.0, away: tuple[int, int] = (0, 0)
    ) -> None:
        """Args:
        width: of the frame, pixels; at least 640.
        height: of the frame, pixels; at least 360.
        fps: frames in a second.
        away: first frame, and the one after the last, in which person 3 is not there.
        """
        self.width, self.height, self.fps, self.away = width, height, fps, away
        base = astronaut()
        self._background = room(width, height)
        self._people = (
            _Person(base, 0.30, 0.70, 0.16, 0.02, 0.36, 5.0, 0.0),
            _Person(base.mirrored().tinted((0.72, 0.66, 0.62)), 0.30, 0.20, -0.16, 0.02, 0.25, 5.0, 0.0),
            _Person(base.tinted((0.95, 1.0, 1.12)), 0.66, 0.26, 0.06, 0.03, 0.21, 3.0, 1.0),
            _Person(base.mirrored().tinted((1.08, 0.94, 0.85)), 0.83, 0.68, 0.05, 0.03, 0.28, 4.0, 2.0),
        )

    def frame(self, index: int) -> tuple[ByteArray, list[FaceTruth]]:
        """Frame ``index``: uint8 RGB and the faces in it, by person."""
        canvas = self._background.copy()
        truths: dict[int, FaceTruth] = {}
        seconds = index / self.fps
        # The largest is nearest and is drawn last.
        for number in sorted(range(len(self._people)), key=lambda n: self._people[n].size):
            if number == 3 and self.away[0] <= index < self.away[1]:
                continue
            person = self._people[number]
            angle = 2 * np.pi * seconds / person.period_s + person.phase
            center = (
                self.width * (person.x + person.sway_x * np.sin(angle)),
                self.height * (person.y + person.sway_y * np.sin(1.7 * angle)),
            )
            height = self.height * person.size * (1 + 0.05 * np.sin(1.3 * angle))
            points = paste_head(
                canvas, person.head, center=center, height=height, roll=8 * np.sin(0.9 * angle)
            )
            truths[number] = FaceTruth(number, points)
        return canvas, [truths[number] for number in sorted(truths)]

    def frames(self, count: int) -> Iterator[tuple[ByteArray, list[FaceTruth]]]:
        """The first ``count`` frames."""
        return (self.frame(index) for index in range(count))


HAND_RGB = (217, 173, 150)
"""Skin lit as the portrait's cheeks are."""
OBJECT_RGB = (38, 84, 150)


@dataclasses.dataclass(frozen=True, slots=True)
class OccludedFrame:
    """A face with something before it."""

    rgb: ByteArray
    """(h, w, 3)."""
    clean: ByteArray
    """(h, w, 3) the same frame without the thing."""
    landmarks: FloatArray
    """(478, 3) of the face, hidden points included."""
    mask: FloatArray
    """(h, w) 0..1: how much of each pixel the thing hides."""


def draw_hand(
    canvas: ByteArray,
    center: tuple[float, float],
    size: float,
    angle: float = 0.0,
    rgb: tuple[int, int, int] = HAND_RGB,
) -> FloatArray:
    """Draw an open hand (four fingers, thumb, wrist) in place and return its mask (h, w) 0..1.

    Args:
        canvas: (h, w, 3) uint8 RGB.
        center: of the palm, pixels.
        size: from the wrist to the finger tips, pixels.
        angle: degrees, clockwise; 0: the fingers point up.
        rgb: colour in the light.
    """
    fingers = [(-0.17, -0.12, -0.24, -0.50), (-0.06, -0.16, -0.08, -0.60), (0.06, -0.16, 0.08, -0.57),
               (0.16, -0.12, 0.22, -0.46), (-0.17, 0.10, -0.42, -0.10)]  # fmt: skip
    turn = np.deg2rad(angle)
    rotate = size * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])

    def place(x: float, y: float) -> tuple[int, int]:
        px, py = rotate @ (x, y) + center
        return round(float(px) * 16), round(float(py) * 16)

    mask = np.zeros(canvas.shape[:2], np.uint8)
    tone = np.ones(canvas.shape[:2], np.float32)
    palm = np.array(
        [
            place(*p)
            for p in [(-0.2, -0.15), (0.2, -0.15), (0.2, 0.12), (0.13, 0.6), (-0.13, 0.6), (-0.2, 0.14)]
        ]
    )
    cv2.fillPoly(mask, [palm], 255, cv2.LINE_AA, shift=4)
    width = max(1, round(0.105 * size))
    for x0, y0, x1, y1 in fingers:
        cv2.line(mask, place(x0, y0), place(x1, y1), 255, width, cv2.LINE_AA, shift=4)
        cv2.line(
            tone, place(x0 - 0.045, y0), place(x1 - 0.045, y1), 0.78, max(1, width // 4), cv2.LINE_AA, shift=4
        )
        cv2.circle(tone, place(x1, y1 - 0.02), round(0.03 * size * 16), 1.1, -1, cv2.LINE_AA, shift=4)
    tone = cv2.GaussianBlur(tone, (0, 0), 0.012 * size + 0.5)
    soft = cv2.GaussianBlur(mask, (0, 0), 0.8).astype(np.float32) / 255
    # Rounder at the edges: the distance to the outline darkens it.
    depth = np.minimum(cv2.distanceTransform(mask, cv2.DIST_L2, 3) / (0.06 * size + 1), 1)
    light = tone * (0.72 + 0.28 * np.sqrt(depth))
    colored = np.clip(np.asarray(rgb, np.float32) * light[..., None], 0, 255)
    canvas[:] = np.round(canvas * (1 - soft[..., None]) + colored * soft[..., None]).astype(np.uint8)
    return soft


def draw_object(
    canvas: ByteArray,
    center: tuple[float, float],
    size: float,
    angle: float = 0.0,
    rgb: tuple[int, int, int] = OBJECT_RGB,
) -> FloatArray:
    """Draw a flat book with a pale stripe; arguments and result as :func:`draw_hand`."""
    mask = np.zeros(canvas.shape[:2], np.uint8)
    box = cv2.boxPoints((center, (0.55 * size, 0.75 * size), angle))
    cv2.fillPoly(mask, [np.round(box * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    stripe = np.zeros_like(mask)
    inner = cv2.boxPoints((center, (0.4 * size, 0.12 * size), angle))
    cv2.fillPoly(stripe, [np.round(inner * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    soft = cv2.GaussianBlur(mask, (0, 0), 0.8).astype(np.float32) / 255
    pale = stripe[..., None].astype(np.float32) / 255
    colored = np.asarray(rgb, np.float32) * (1 - pale) + np.asarray((225, 220, 205), np.float32) * pale
    canvas[:] = np.round(canvas * (1 - soft[..., None]) + colored * soft[..., None]).astype(np.uint8)
    return soft


class OccludedFace:
    """One still face, and a hand or a book that comes in from the side, covers part of it, and leaves.

    The thing is outside the picture in the first and the last tenth of the clip.
    """

    def __init__(
        self,
        kind: str = "hand",
        count: int = 60,
        width: int = 1280,
        height: int = 720,
        face_px: float = 300.0,
    ) -> None:
        """Args:
        kind: ``hand`` (skin-coloured) or ``object``.
        count: frames in the clip.
        width: pixels.
        height: pixels.
        face_px: from forehead to chin, pixels.

        Raises:
            ValueError: another ``kind``.
        """
        if kind not in ("hand", "object"):
            raise ValueError(f"kind {kind!r} is neither 'hand' nor 'object'")
        self.kind, self.count, self.face_px = kind, count, face_px
        self._clean = room(width, height, seed=2)
        self.landmarks = paste_head(
            self._clean, astronaut(), center=(0.5 * width, 0.55 * height), height=face_px
        )

    def frame(self, index: int) -> OccludedFrame:
        """Frame ``index``, 0 <= index < count."""
        width = self._clean.shape[1]
        progress = np.clip((index / max(1, self.count - 1) - 0.1) / 0.8, 0, 1)
        mouth = self.landmarks[13, :2]
        # In from the right edge to the mouth, there for a while, and back.
        inward = np.clip(1.4 * np.sin(np.pi * progress), 0, 1)
        x = (width + self.face_px) * (1 - inward) + (mouth[0] + 0.1 * self.face_px) * inward
        center = (float(x), float(mouth[1] + 0.1 * self.face_px * np.sin(4 * np.pi * progress)))
        rgb = self._clean.copy()
        draw = draw_hand if self.kind == "hand" else draw_object
        mask = draw(rgb, center, self.face_px, -25 + 20 * float(progress))
        return OccludedFrame(rgb, self._clean, self.landmarks, mask)

    def frames(self) -> Iterator[OccludedFrame]:
        """All frames."""
        return (self.frame(index) for index in range(self.count))
