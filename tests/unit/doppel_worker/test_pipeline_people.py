"""Two people in one picture, each with a part of their own, with the real networks and engine."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from doppel_ipc.verdict import Verdict
from doppel_models.engines.base import FaceEngine
from doppel_models.types import ByteArray
from doppel_worker.assets import PersonaKey
from doppel_worker.errors import PersonaError

from tests.support.stage import Stage, compositor, mask_engine
from tests.support.tracked_lane import ANNA, BEA, scene
from tests.support.two_people import FACE_PX, LEFT, RIGHT, around, looks_like, read, two, untouched

SETTLING = 12


def stage_of(*, wait: tuple[str, ...] = ("bronze",), **settings: object) -> Stage:
    stage = Stage(**{"faces": "all", **settings})
    for name in wait:
        stage.loader.wait(PersonaKey(name))
    return stage


def show(stage: Stage, picture: ByteArray, frames: int = 1) -> list[Verdict]:
    return [stage.show(picture).verdict for _ in range(frames)]


BRONZE_LEFT = {"person1_who": "leftmost", "person1_persona": "bronze"}


def test_each_of_two_people_wears_their_own_persona() -> None:
    stage = stage_of(**BRONZE_LEFT)
    verdicts = show(stage, two(), SETTLING)
    assert verdicts[0] is Verdict.BLURRED
    assert verdicts[-1] is Verdict.SWAPPED
    assert (looks_like(stage, LEFT), looks_like(stage, RIGHT)) == ("bronze", "porcelain")


def test_people_who_change_places_keep_their_personas() -> None:
    stage = stage_of(**BRONZE_LEFT)
    show(stage, two(), SETTLING)
    for step in np.linspace(0, 1, 40)[1:]:
        dx = 300 * step
        # One passes above the other.
        dy = 75 * np.sin(np.pi * step)
        stage.show(two((LEFT[0] + dx, LEFT[1] - dy), (RIGHT[0] - dx, RIGHT[1] + dy)))
    assert (looks_like(stage, LEFT), looks_like(stage, RIGHT)) == ("porcelain", "bronze")


def test_who_comes_back_within_the_memory_is_who_they_were() -> None:
    stage = stage_of(**BRONZE_LEFT)
    show(stage, two(), SETTLING)
    show(stage, scene((BEA, RIGHT, FACE_PX)), 60)
    # Anna comes back at the other side of Bea.
    bea, anna = (300.0, 180.0), (500.0, 180.0)
    for x in np.linspace(RIGHT[0], bea[0], 12):
        stage.show(scene((BEA, (float(x), 180.0), FACE_PX)))
    show(stage, scene((BEA, bea, FACE_PX), (ANNA, anna, FACE_PX)), 8)
    assert (looks_like(stage, anna), looks_like(stage, bea)) == ("bronze", "porcelain")


def test_a_persona_that_is_not_ready_leaves_its_face_blurred_and_the_other_swapped() -> None:
    ready = threading.Event()

    def load(key: PersonaKey) -> FaceEngine:
        if key.persona == "bronze":
            ready.wait(30)
        return mask_engine(key.persona)

    stage = Stage(load, faces="all", **BRONZE_LEFT)
    for _ in range(SETTLING):
        report = stage.show(two())
        assert report.verdict is Verdict.BLURRED
    assert report.swapped == 1
    assert "person 1: preparing bronze" in report.status
    detail, filmed = np.ptp(read(stage, LEFT), axis=0).mean(), compositor.read(stage.before, around(LEFT))
    assert detail < 0.6 * np.ptp(filmed, axis=0).mean()
    assert looks_like(stage, RIGHT) == "porcelain"
    assert not stage.lane.is_settled()
    ready.set()
    stage.loader.wait(PersonaKey("bronze"))
    assert stage.show(two()).verdict is Verdict.SWAPPED
    assert looks_like(stage, LEFT) == "bronze"
    assert stage.lane.is_settled()


def test_a_persona_that_cannot_be_had_keeps_its_face_blurred_and_says_why() -> None:
    def load(key: PersonaKey) -> FaceEngine:
        if key.persona == "nobody at all":
            raise PersonaError("there is no such persona")
        return mask_engine(key.persona)

    stage = Stage(load, faces="all", person1_who="leftmost", person1_persona="nobody at all")
    with pytest.raises(PersonaError):
        stage.loader.wait(PersonaKey("nobody at all"))
    for _ in range(SETTLING):
        report = stage.show(two())
    assert (report.verdict, report.swapped, report.blurred) == (Verdict.BLURRED, 1, 1)
    assert "person 1: there is no such persona" in report.status
    # Where none is chosen it is the main one.
    stage.lane.settings = stage.lane.settings.replace(person1_persona="")
    report = stage.show(two())
    assert (report.verdict, report.status) == (Verdict.SWAPPED, "")
    assert looks_like(stage, LEFT) == "porcelain"


def change(settings: dict[str, object]) -> Callable[[Stage], None]:
    def apply(stage: Stage) -> None:
        stage.lane.settings = stage.lane.settings.replace(**settings)

    return apply


def test_new_parts_are_prepared_beside_the_old_ones_and_no_frame_is_unswapped() -> None:
    ready = threading.Event()

    def load(key: PersonaKey) -> FaceEngine:
        if key.persona == "bronze":
            ready.wait(30)
        return mask_engine(key.persona)

    stage = Stage(load, faces="all")
    show(stage, two(), 3)
    change(BRONZE_LEFT)(stage)
    assert show(stage, two(), 5) == [Verdict.SWAPPED] * 5
    assert looks_like(stage, LEFT) == "porcelain"
    ready.set()
    stage.loader.wait(PersonaKey("bronze"))
    assert show(stage, two(), 2) == [Verdict.SWAPPED] * 2
    assert (looks_like(stage, LEFT), looks_like(stage, RIGHT)) == ("bronze", "porcelain")
    # Who has a place changes hands in one frame.
    change({"person1_who": "rightmost"})(stage)
    assert show(stage, two()) == [Verdict.SWAPPED]
    assert (looks_like(stage, LEFT), looks_like(stage, RIGHT)) == ("porcelain", "bronze")


def test_from_one_followed_face_to_two_in_one_frame() -> None:
    stage = stage_of(faces="largest")
    picture = scene((ANNA, LEFT, FACE_PX), (BEA, RIGHT, 0.8 * FACE_PX))
    show(stage, picture, 10)
    change({"person1_who": "rightmost", "person1_persona": "bronze"})(stage)
    assert show(stage, picture, 2)[-1] is Verdict.SWAPPED
    assert (looks_like(stage, LEFT), looks_like(stage, RIGHT)) == ("porcelain", "bronze")


@pytest.mark.parametrize(
    ("faces", "who", "right"),
    [
        ("all", "leftmost", "porcelain"),
        ("named", "leftmost", ""),
        ("all", "rightmost", ""),
        ("largest", "rightmost", ""),
    ],
)
def test_from_one_followed_face_nobody_is_filmed_while_a_persona_is_loaded(
    faces: str, who: str, right: str
) -> None:
    ready = threading.Event()

    def load(key: PersonaKey) -> FaceEngine:
        if key.persona == "bronze":
            ready.wait(30)
        return mask_engine(key.persona)

    stage = Stage(load, faces="largest")
    picture = scene((ANNA, LEFT, FACE_PX), (BEA, RIGHT, 0.8 * FACE_PX))
    show(stage, picture, 10)
    assert untouched(stage, RIGHT)
    change({"faces": faces, "person1_who": who, "person1_persona": "bronze"})(stage)
    for _ in range(SETTLING):
        stage.show(picture)
        assert not untouched(stage, RIGHT)
        # Who was swapped is swapped on, also while their own persona is loaded.
        assert looks_like(stage, LEFT) == "porcelain"
    assert not right or looks_like(stage, RIGHT) == right
    ready.set()
    stage.loader.wait(PersonaKey("bronze"))
    stage.show(picture)
    assert looks_like(stage, LEFT if who == "leftmost" else RIGHT) == "bronze"


def test_a_face_that_the_user_shows_is_not_touched_and_one_that_is_blurred_stays_so() -> None:
    stage = stage_of(person1_who="leftmost", person1_becomes="original", lost_face_policy="original")
    show(stage, two(), SETTLING)
    assert untouched(stage, LEFT)
    assert looks_like(stage, RIGHT) == "porcelain"
    change({"person1_becomes": "blur"})(stage)
    report = stage.show(two())
    assert (report.verdict, report.swapped, report.blurred) == (Verdict.BLURRED, 1, 1)
    assert not untouched(stage, LEFT)
    # Also while it is lost, whatever is to be done with lost faces.
    report = stage.show(scene((BEA, RIGHT, FACE_PX)))
    assert (report.swapped, report.blurred) == (1, 1)
    change({"person1_becomes": "original"})(stage)
    assert [report.blurred for report in (stage.show(two()), stage.show(two()))] == [0, 0]


def test_only_named_people_are_swapped_and_everybody_else_is_blurred_or_shown() -> None:
    stage = stage_of(faces="named", **BRONZE_LEFT)
    assert show(stage, two(), SETTLING)[-1] is Verdict.BLURRED
    assert looks_like(stage, LEFT) == "bronze"
    assert not untouched(stage, RIGHT)
    change({"others": "original"})(stage)
    assert stage.show(two()).verdict is Verdict.SWAPPED
    assert untouched(stage, RIGHT)
