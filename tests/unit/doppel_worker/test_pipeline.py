"""The whole pipeline on pictures, with the real networks and the real mesh engine."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_models.engines.base import CropRequest, FaceEngine, SwapResult
from doppel_models.types import ByteArray, Face
from doppel_worker.assets import PersonaKey
from doppel_worker.compositor import Rect
from doppel_worker.errors import PersonaError
from doppel_worker.frame import ColorInfo
from doppel_worker.lane_state import look_of
from doppel_worker.report import EventKind

from tests.support.faces import room
from tests.support.stage import (
    CENTER,
    FACE,
    FACE_PX,
    SIZE,
    Stage,
    compositor,
    is_mosaic,
    mask_engine,
    picture,
)


def test_a_face_is_swapped_and_the_rest_of_the_frame_is_not_touched() -> None:
    stage = Stage()
    for dx in range(3):
        report = stage.show(picture(dx))
        assert (report.verdict, report.swapped, report.blurred) == (Verdict.SWAPPED, 1, 0)
        assert stage.change() > 8
        changed = stage.changed_rect()
        assert changed.x0 > CENTER[0] - FACE_PX
        assert changed.x1 < CENTER[0] + FACE_PX
    assert {"track", "read", "swap", "paste"} <= set(report.stage_ms)
    assert sum(report.stage_ms.values()) <= report.total_ms


def test_the_label_is_drawn_on_swapped_frames_alone() -> None:
    stage = Stage(label=True, label_corner="top-left")
    corner = Rect(0, 0, 120, 40)
    stage.show(picture())
    assert stage.change(corner) > 5
    empty = Stage(label=True)
    assert empty.show(room(*SIZE)).verdict is Verdict.NO_FACE
    assert empty.untouched()


def test_no_face_is_shown_untouched_or_covered_as_the_user_wants() -> None:
    stage = Stage()
    assert stage.show(room(*SIZE)).verdict is Verdict.NO_FACE
    assert stage.untouched()
    covering = Stage(no_face_policy="cover")
    assert covering.show(room(*SIZE)).verdict is Verdict.COVERED
    assert is_mosaic(covering.frame)


def test_a_paused_filter_shows_the_original() -> None:
    stage = Stage(swap=False)
    assert stage.show(picture()).verdict is Verdict.ORIGINAL
    assert stage.untouched()


def test_strength_blends_the_swap_over_the_original() -> None:
    changes = []
    for strength in (0.0, 0.5, 1.0):
        stage = Stage(strength=strength)
        stage.show(picture())
        changes.append(stage.change())
    assert changes[0] < 0.5
    assert 0.35 < changes[1] / changes[2] < 0.65


def test_sharpness_makes_the_swapped_face_crisper_and_nothing_else() -> None:
    crispness, shown = [], []
    for sharpness in (0.0, 0.5, 1.0):
        stage = Stage(sharpness=sharpness)
        stage.show(picture())
        shown.append(compositor.read(stage.frame, Rect(0, 0, *SIZE)).astype(np.float32))
        part = shown[-1][FACE.y0 : FACE.y1, FACE.x0 : FACE.x1]
        crispness.append(float(np.abs(cv2.Laplacian(part, cv2.CV_32F)).mean()))
    assert crispness[0] * 1.05 < crispness[1] < crispness[2]
    rows, columns = np.nonzero(np.abs(shown[2] - shown[0]).max(axis=2) > 2)
    assert np.abs(columns - CENTER[0]).max() < FACE_PX
    assert np.abs(rows - CENTER[1]).max() < FACE_PX


def test_every_setting_of_the_look_reaches_the_engine() -> None:
    settings = FilterSettings(
        strength=0.3,
        proportions=0.4,
        keep_mouth=False,
        keep_eyes=False,
        edge_softness=0.2,
        color_match="none",
        yaw_fade_start=11.0,
        yaw_fade_end=22.0,
        identity_weight=0.2,
        morph=0.3,
        enhancer_strength=0.4,
    )
    look = look_of(settings)
    for name in look.__dataclass_fields__:
        assert getattr(look, name) == getattr(settings, name) != getattr(look_of(FilterSettings()), name)


# --- persona -----------------------------------------------------------------------------------------


def test_the_frame_is_covered_until_the_persona_is_ready() -> None:
    gate = threading.Event()

    def load(key: PersonaKey) -> FaceEngine:
        gate.wait(20)
        return mask_engine(key.persona)

    stage = Stage(load, ready=False)
    report = stage.show(picture())
    assert report.verdict is Verdict.COVERED
    assert "porcelain" in report.status
    assert is_mosaic(stage.frame)
    gate.set()
    stage.loader.wait(PersonaKey("porcelain"))
    assert stage.show(picture()).verdict is Verdict.SWAPPED


def test_a_persona_change_leaves_no_frame_unswapped() -> None:
    gate = threading.Event()

    def load(key: PersonaKey) -> FaceEngine:
        if key.persona == "bronze":
            gate.wait(20)
        return mask_engine(key.persona)

    stage = Stage(load)
    stage.show(picture())
    porcelain = compositor.read(stage.frame, FACE)
    stage.lane.settings = stage.lane.settings.replace(persona="bronze")
    for _ in range(3):
        report = stage.show(picture())
        assert report.verdict is Verdict.SWAPPED
        assert "bronze" in report.status
    assert np.abs(compositor.read(stage.frame, FACE).astype(int) - porcelain).mean() < 4
    gate.set()
    stage.loader.wait(PersonaKey("bronze"))
    report = stage.show(picture())
    assert (report.verdict, report.status) == (Verdict.SWAPPED, "")
    assert [event.kind for event in report.events] == [EventKind.PERSONA]
    assert np.abs(compositor.read(stage.frame, FACE).astype(int) - porcelain).mean() > 8


def test_a_persona_that_cannot_be_used_covers_and_says_why_once() -> None:
    def load(key: PersonaKey) -> FaceEngine:
        raise PersonaError("no consent record")

    stage = Stage(load, ready=False)
    with pytest.raises(PersonaError):
        stage.loader.wait(PersonaKey("porcelain"))
    first, second = stage.show(picture()), stage.show(picture())
    assert first.verdict is second.verdict is Verdict.COVERED
    assert "no consent record" in first.status
    assert second.status == first.status
    assert len(first.events) == 1
    assert second.events == ()


def test_a_broken_persona_leaves_the_previous_one_in_use() -> None:
    def load(key: PersonaKey) -> FaceEngine:
        if key.persona == "broken":
            raise PersonaError("its photo is missing")
        return mask_engine(key.persona)

    stage = Stage(load)
    stage.show(picture())
    stage.lane.settings = stage.lane.settings.replace(persona="broken")
    with pytest.raises(PersonaError):
        stage.loader.wait(PersonaKey("broken"))
    report = stage.show(picture())
    assert report.verdict is Verdict.SWAPPED
    assert "its photo is missing" in report.status
    assert "porcelain stays" in report.status


def test_no_persona_means_cover() -> None:
    stage = Stage(persona="")
    report = stage.show(picture())
    assert report.verdict is Verdict.COVERED
    assert report.status


def test_nothing_is_remembered_of_faces_that_are_gone() -> None:
    stage = Stage(lost_face_ms=100)
    for _ in range(3):
        stage.show(picture())
        assert len(stage.lane.personas.known_faces) == 1
        for _ in range(6):
            stage.show(room(*SIZE))
        stage.show(picture(dx=150))
        assert len(stage.lane.personas.known_faces) == 1


# --- errors ------------------------------------------------------------------------------------------


class Faulty:
    """The mask's engine, which fails when told to."""

    name = "faulty"
    notes = ("it was made to fail",)

    def __init__(self) -> None:
        self.real = mask_engine("porcelain")
        self.fails = False

    def new_state(self) -> object:
        return self.real.new_state()

    def crop_for(self, face: Face, width: int, height: int) -> CropRequest | None:
        return self.real.crop_for(face, width, height)

    def swap(self, *arguments: object) -> SwapResult:
        if self.fails:
            raise RuntimeError("out of order")
        return self.real.swap(*arguments)


def test_a_frame_on_which_the_engine_fails_is_covered_and_the_next_one_is_swapped() -> None:
    engine = Faulty()
    stage = Stage(lambda _key: engine)
    assert stage.show(picture()).verdict is Verdict.SWAPPED
    engine.fails = True
    first, second = stage.show(picture()), stage.show(picture())
    assert first.verdict is second.verdict is Verdict.COVERED
    assert is_mosaic(stage.frame)
    assert "out of order" in first.status
    assert [event.kind for event in first.events] == [EventKind.ERROR]
    assert second.events == ()
    engine.fails = False
    healed = stage.show(picture())
    assert healed.verdict is Verdict.SWAPPED
    assert [event.kind for event in healed.events] == [EventKind.RECOVERED]


def test_a_frame_whose_colours_cannot_be_computed_is_covered() -> None:
    nothing = np.zeros(3, np.float32)
    stage = Stage()
    report = stage.show(picture(), ColorInfo(np.zeros((3, 4), np.float32), nothing, nothing))
    assert report.verdict is Verdict.COVERED
    assert "colour matrix" in report.status
    assert is_mosaic(stage.frame)


# --- engines with a crop of their own ----------------------------------------------------------------


class Painter:
    """Asks for a turned and reduced crop and paints a patch around the nose red."""

    name = "painter"
    notes = ()

    def new_state(self) -> None:
        return None

    def crop_for(self, face: Face, width: int, height: int) -> CropRequest | None:
        angle = np.deg2rad(30)
        turn = 0.6 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        shift = (64, 64) - turn @ face.landmarks[4, :2]
        return CropRequest(np.concatenate([turn, shift[:, None]], axis=1).astype(np.float32), (128, 128))

    def swap(self, crop: ByteArray, points: np.ndarray, *_: object) -> SwapResult:
        mask = np.zeros((128, 128), np.uint8)
        cv2.circle(mask, (round(float(points[4, 0])), round(float(points[4, 1]))), 12, 255, -1)
        return SwapResult(np.full((128, 128, 3), (255, 0, 0), np.uint8), mask, 0.0)


def test_a_resampled_crop_goes_back_where_it_came_from() -> None:
    stage = Stage(lambda _key: Painter())
    stage.show(picture())
    changed = stage.changed_rect()
    # A disc of radius 12 in a crop of scale 0.6: 20 pixels.
    assert abs(changed.width - 40) <= 6
    assert abs(changed.height - 40) <= 6
    middle = compositor.read(stage.frame, changed)[changed.height // 2, changed.width // 2]
    assert np.abs(middle.astype(int) - (255, 0, 0)).max() <= 4
    nose = stage.lane.tracker.update(stage.before, compositor, stage.lane.settings).faces[0].landmarks[4]
    assert abs((changed.x0 + changed.x1) / 2 - nose[0]) < 2
    assert abs((changed.y0 + changed.y1) / 2 - nose[1]) < 2
