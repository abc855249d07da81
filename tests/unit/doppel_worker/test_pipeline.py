"""The whole pipeline on pictures, with the real networks and the real mesh engine."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_models.engines.base import CropRequest, FaceEngine, SwapResult
from doppel_models.engines.mesh.engine import MeshEngine
from doppel_models.masks_builtin import load as load_mask
from doppel_models.types import ByteArray, Face
from doppel_worker.assets import PersonaKey, PersonaLoader
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.errors import PersonaError
from doppel_worker.frame import ColorInfo, FrameView
from doppel_worker.pipeline import FacePipeline, look_of
from doppel_worker.report import EventKind, Report

from tests.support.faces import FourFaces, OccludedFace, room
from tests.support.frames import i420_frame
from tests.support.networks import detector, landmarker
from tests.support.portrait import astronaut, paste_head

SIZE = (640, 360)
CENTER = (300.0, 170.0)
FACE_PX = 150.0
FACE = Rect(250, 110, 350, 240)
"""Inside the face of :func:`picture`."""
compositor = CpuCompositor()


@functools.cache
def mask_engine(name: str) -> FaceEngine:
    return MeshEngine(load_mask(name))  # type: ignore[return-value]


def picture(dx: float = 0.0) -> ByteArray:
    canvas = room(*SIZE)
    paste_head(canvas, astronaut(), center=(CENTER[0] + dx, CENTER[1]), height=FACE_PX)
    return canvas


class Stage:
    """A lane that is fed with pictures."""

    def __init__(
        self,
        load: Callable[[PersonaKey], FaceEngine] | None = None,
        *,
        ready: bool = True,
        **settings: object,
    ) -> None:
        self.loader = PersonaLoader(load or (lambda key: mask_engine(key.persona)))
        self.pipeline = FacePipeline(compositor, detector(), landmarker(), self.loader)
        chosen = FilterSettings(label=False, persona="porcelain")
        self.lane = self.pipeline.new_lane(chosen.replace(**settings))  # type: ignore[arg-type]
        if ready:
            self.loader.wait(PersonaKey("porcelain"))
        self.count = 0
        self.before: FrameView
        self.frame: FrameView

    def show(self, rgb: ByteArray, color: ColorInfo | None = None) -> Report:
        self.count += 1
        self.before = i420_frame(rgb, self.count)
        self.frame = i420_frame(rgb, self.count)
        if color is not None:
            self.frame = FrameView(
                self.frame.layout, self.frame.planes, color, False, self.count, self.frame.timestamp_ns
            )
        return self.pipeline.process(self.frame, self.lane)

    def change(self, rect: Rect = FACE) -> float:
        """Mean difference of a rectangle from the original, 0..255."""
        return float(
            np.abs(compositor.read(self.frame, rect).astype(int) - compositor.read(self.before, rect)).mean()
        )

    def untouched(self) -> bool:
        pairs = zip(self.frame.planes, self.before.planes, strict=True)
        return all((after == before).all() for after, before in pairs)

    def changed_rect(self) -> Rect:
        rows, columns = np.nonzero(self.frame.planes[0] != self.before.planes[0])
        return Rect(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def is_mosaic(frame: FrameView) -> bool:
    """A cover has 16 rows of blocks: nearly all neighbouring rows are equal."""
    luma = frame.planes[0].astype(int)
    return float((np.abs(np.diff(luma, axis=0)).max(axis=1) == 0).mean()) > 0.9


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
        return self.real.swap(*arguments)  # type: ignore[arg-type]


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


# --- what hides --------------------------------------------------------------------------------------


def test_a_face_that_is_lost_is_blurred_until_its_absence_is_sure() -> None:
    stage = Stage(lost_face_ms=500)
    stage.show(picture())
    # The head is gone from one frame to the next; what is behind stays blurred for half a second.
    verdicts = [stage.show(room(*SIZE)).verdict for _ in range(30)]
    assert verdicts[0] is Verdict.BLURRED
    assert verdicts[-1] is Verdict.NO_FACE
    ended = verdicts.index(Verdict.NO_FACE)
    assert 12 <= ended <= 18
    assert set(verdicts[:ended]) == {Verdict.BLURRED}
    assert set(verdicts[ended:]) == {Verdict.NO_FACE}


def test_a_lost_face_is_covered_or_shown_if_the_user_wants_it() -> None:
    for policy, verdict in (("cover", Verdict.COVERED), ("original", Verdict.ORIGINAL)):
        stage = Stage(lost_face_policy=policy)
        stage.show(picture())
        assert stage.show(room(*SIZE)).verdict is verdict


def test_a_hand_before_the_face_never_bares_it() -> None:
    clip = OccludedFace("hand", count=40, width=SIZE[0], height=SIZE[1], face_px=FACE_PX)
    stage = Stage()
    for index in range(40):
        shown = clip.frame(index)
        report = stage.show(shown.rgb)
        assert report.verdict in (Verdict.SWAPPED, Verdict.BLURRED)
        xs, ys = clip.landmarks[:, 0], clip.landmarks[:, 1]
        # The cheek that the hand does not reach.
        cheek = Rect(
            int(xs.min() + 0.12 * np.ptp(xs)),
            int(ys.mean()),
            int(xs.mean()),
            int(ys.max() - 0.25 * np.ptp(ys)),
        )
        assert stage.change(cheek) > 4


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [("blur", Verdict.BLURRED), ("cover", Verdict.COVERED), ("original", Verdict.ORIGINAL)],
)
def test_a_head_that_is_turned_too_far_is_hidden_as_the_user_wants(policy: str, verdict: Verdict) -> None:
    # With this band every yaw is too far.
    stage = Stage(side_face_policy=policy, yaw_fade_start=0.0, yaw_fade_end=0.0)
    report = stage.show(picture())
    assert report.verdict is verdict
    assert report.swapped == 0
    if policy == "original":
        assert stage.untouched()
    else:
        assert stage.change() > 8
    if policy == "blur":
        # The mean stays, the features go.
        face = compositor.read(stage.frame, FACE).astype(float)
        detail = face - cv2.GaussianBlur(face, None, 8)
        was = compositor.read(stage.before, FACE).astype(float)
        assert np.std(detail) < 0.4 * np.std(was - cv2.GaussianBlur(was, None, 8))


def test_all_faces_are_swapped_or_hidden() -> None:
    people = FourFaces(*SIZE)
    for limit in (4, 2):
        stage = Stage(faces="all", max_faces=limit, min_face_px=16)
        for index in range(4):
            rgb, truths = people.frame(index)
            report = stage.show(rgb)
        assert report.swapped == limit
        assert report.verdict is (Verdict.SWAPPED if limit == 4 else Verdict.BLURRED)
        for truth in truths:
            x, y = (int(value) for value in truth.center)
            assert stage.change(Rect(x - 8, y - 8, x + 8, y + 8)) > 3


def test_the_slate_covers_where_it_is_chosen_and_the_mosaic_where_it_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "slate.png"
    cv2.imwrite(str(path), np.full((90, 160, 3), (0, 200, 0), np.uint8))
    stage = Stage(persona="", cover="slate", slate_image=str(path))
    stage.show(picture())
    shown = compositor.read(stage.frame, Rect(0, 0, *SIZE))
    assert np.abs(shown.astype(int) - (0, 200, 0)).max() <= 3
    missing = Stage(persona="", cover="slate", slate_image=str(tmp_path / "none.png"))
    first, second = missing.show(picture()), missing.show(picture())
    assert is_mosaic(missing.frame)
    assert [event.kind for event in first.events] == [EventKind.SLATE]
    assert second.events == ()


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
    stage = Stage(lambda _key: Painter())  # type: ignore[arg-type,return-value]
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
