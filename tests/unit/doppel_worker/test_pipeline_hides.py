"""What the pipeline hides, on pictures, with the real networks and the real mesh engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest
from doppel_ipc.verdict import Verdict
from doppel_models.engines.base import CropRequest, FaceEngine
from doppel_models.types import ByteArray, Face, FloatArray
from doppel_worker.assets import PersonaKey
from doppel_worker.compositor import Rect
from doppel_worker.report import EventKind

from tests.support.faces import FourFaces, OccludedFace, draw_hand, draw_object, room
from tests.support.networks import detector
from tests.support.portrait import astronaut, paste_head
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

Draw = Callable[[ByteArray, tuple[float, float], float, float], FloatArray]


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


def bared(stage: Stage, clean: ByteArray, thing: FloatArray, landmarks: FloatArray) -> float:
    """Share of the face, beside the thing before it, that is shown as filmed (kept eyes and mouth: 0.1)."""
    inside = np.zeros(clean.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(landmarks[:468, :2].astype(np.int32)), 1)
    inside = np.asarray(cv2.erode(inside, np.ones((9, 9), np.uint8)), np.uint8)
    everything = Rect(0, 0, *SIZE)
    after, before = (compositor.read(one, everything).astype(int) for one in (stage.frame, stage.before))
    same = np.abs(after - before).max(axis=2) <= 6
    return float((same & (inside > 0) & (thing < 0.02)).sum() / inside.sum())


@pytest.mark.parametrize("kind", ["hand", "object"])
def test_what_comes_before_a_face_and_goes_never_bares_it(kind: str) -> None:
    clip = OccludedFace(kind, count=60, width=SIZE[0], height=SIZE[1], face_px=FACE_PX)
    stage = Stage()
    for shown in clip.frames():
        report = stage.show(shown.rgb)
        assert report.verdict in (Verdict.SWAPPED, Verdict.BLURRED)
        assert bared(stage, shown.clean, shown.mask, shown.landmarks) < 0.15
    assert report.verdict is Verdict.SWAPPED


@pytest.mark.parametrize("draw", [draw_hand, draw_object])
def test_what_was_before_a_face_from_the_start_and_goes_does_not_bare_it(draw: Draw) -> None:
    clean = room(*SIZE)
    landmarks = paste_head(clean, astronaut(), center=CENTER, height=FACE_PX)
    stage = Stage()
    for index in range(45):
        shown = clean.copy()
        away = 0.2 * max(0, index - 20) * FACE_PX
        thing = draw(
            shown, (CENTER[0] + 0.15 * FACE_PX + away, CENTER[1] + 0.35 * FACE_PX), 0.9 * FACE_PX, 15
        )
        stage.show(shown)
        assert bared(stage, clean, thing, landmarks) < 0.15


def test_half_a_face_at_the_edge_is_hidden_although_no_detector_is_sure_of_it() -> None:
    canvas = room(*SIZE)
    paste_head(canvas, astronaut(), center=(4, 180), height=180)
    assert detector().detect(canvas) == []
    stage = Stage()
    assert stage.show(canvas).verdict is Verdict.BLURRED
    assert stage.change(Rect(4, 150, 40, 210)) > 4


def test_a_paused_picture_that_comes_again_is_judged_by_the_settings_of_now() -> None:
    """With its old time stamp: the persona or the faces to swap were changed, or the worker is a new one."""
    people, _ = FourFaces(*SIZE).frame(0)
    stage = Stage(min_face_px=16)
    for _ in range(3):
        assert stage.show(people, stamp=7).swapped == 1
    porcelain = stage.changed_rect()
    stage.lane.settings = stage.lane.settings.replace(faces="all")
    assert stage.show(people, stamp=7).swapped == 4
    before = compositor.read(stage.frame, porcelain).astype(int)
    stage.lane.settings = stage.lane.settings.replace(persona="bronze")
    stage.loader.wait(PersonaKey("bronze"))
    assert stage.show(people, stamp=7).swapped == 4
    assert np.abs(compositor.read(stage.frame, porcelain) - before).mean() > 4
    fresh = Stage(faces="all", min_face_px=16)
    assert fresh.show(people, stamp=7).swapped == 4


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


def test_swapped_faces_are_labelled_also_beside_one_that_is_shown_as_filmed() -> None:
    people = FourFaces(*SIZE)
    stage = Stage(
        faces="all", min_face_px=16, lost_face_policy="original", label=True, label_corner="top-left"
    )
    for index in range(4):
        rgb, truths = people.frame(index)
        stage.show(rgb)
    x, y = (int(value) for value in truths[-1].center)
    gone = rgb.copy()
    gone[y - 70 : y + 70, x - 70 : x + 70] = room(*SIZE)[y - 70 : y + 70, x - 70 : x + 70]
    report = stage.show(gone)
    assert (report.verdict, report.swapped) == (Verdict.ORIGINAL, 3)
    assert stage.change(Rect(8, 8, 60, 30)) > 4


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


class Uncropped:
    """A real engine that has no crop for any face."""

    def __init__(self, engine: FaceEngine) -> None:
        self._engine = engine

    def crop_for(self, face: Face, width: int, height: int) -> CropRequest | None:
        return None

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)


def test_a_followed_face_that_the_engine_has_no_crop_for_is_blurred() -> None:
    stage = Stage(lambda key: cast("FaceEngine", Uncropped(mask_engine(key.persona))))
    clean = picture()
    for _ in range(3):
        report = stage.show(clean)
        assert report.verdict is Verdict.BLURRED
        assert (report.swapped, report.blurred) == (0, 1)
        # A face without edges is nobody's: the blur takes most of its detail.
        before, after = (compositor.read(one, FACE) for one in (stage.before, stage.frame))
        assert cv2.Laplacian(after, cv2.CV_32F).var() < 0.1 * cv2.Laplacian(before, cv2.CV_32F).var()
