"""What the pipeline hides, on pictures, with the real networks and the real mesh engine."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from doppel_ipc.verdict import Verdict
from doppel_worker.compositor import Rect
from doppel_worker.report import EventKind

from tests.support.faces import FourFaces, OccludedFace, room
from tests.support.stage import (
    FACE,
    FACE_PX,
    SIZE,
    Stage,
    compositor,
    is_mosaic,
    picture,
)


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
