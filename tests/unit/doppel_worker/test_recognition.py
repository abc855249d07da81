"""People told by their picture: with a recogniser, and without one."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from doppel_ipc.verdict import Verdict
from doppel_models.files.store import ModelStore
from doppel_models.types import ByteArray
from doppel_worker.assets import PersonaKey
from doppel_worker.pipeline import FacePipeline
from doppel_worker.recognition import FaceRecognition, LaneRecognition
from doppel_worker.report import Report

from tests.support.networks import detector, landmarker
from tests.support.recogniser import keep, recogniser_of, write_portrait
from tests.support.stage import Stage, compositor
from tests.support.tracked_lane import ANNA, BEA, scene
from tests.support.two_people import LEFT, RIGHT, looks_like, two, untouched


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return recogniser_of(ANNA, BEA, tmp_path_factory.mktemp("recogniser"))


@pytest.fixture(scope="module")
def bea(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_portrait(BEA, tmp_path_factory.mktemp("people") / "bea.png")


def stage_with(models: ModelStore, bea: str, **settings: object) -> Stage:
    """Answers are waited for, as for a file: so each frame is one look."""
    chosen = {"faces": "all", "person1_who": "picture", "person1_picture": bea, "person1_persona": "bronze"}
    stage = Stage(**{**chosen, **settings})
    stage.loader.wait(PersonaKey("bronze"))
    pipeline = FacePipeline(
        compositor, detector(), landmarker(), stage.loader, recognition=FaceRecognition(models, waits=True)
    )
    stage.pipeline, stage.lane = pipeline, pipeline.new_lane(stage.lane.settings)
    return stage


def png(picture: ByteArray) -> bytes:
    done, data = cv2.imencode(".png", picture[:, :, ::-1])
    assert done
    return data.tobytes()


def show(stage: Stage, frames: int = 12) -> Report:
    for _ in range(frames):
        report = stage.show(two())
    return report


def test_the_person_on_the_picture_gets_their_persona_wherever_they_are(
    recogniser: bytes, bea: str, tmp_path: Path
) -> None:
    models = ModelStore(tmp_path / "models")
    keep(recogniser, models, tmp_path)
    stage = stage_with(models, bea)
    assert stage.show(two()).swapped == 0
    report = show(stage)
    assert (report.verdict, report.status) == (Verdict.SWAPPED, "")
    assert (looks_like(stage, LEFT), looks_like(stage, RIGHT)) == ("porcelain", "bronze")
    other = stage_with(models, bea)
    for _ in range(12):
        other.show(two(RIGHT, LEFT))
    assert (looks_like(other, LEFT), looks_like(other, RIGHT)) == ("bronze", "porcelain")


def test_only_the_person_on_the_picture_is_swapped_where_the_user_wants_that(
    recogniser: bytes, bea: str, tmp_path: Path
) -> None:
    models = ModelStore(tmp_path / "models")
    keep(recogniser, models, tmp_path)
    stage = stage_with(models, bea, faces="named", others="original")
    show(stage)
    assert untouched(stage, LEFT)
    assert looks_like(stage, RIGHT) == "bronze"


def test_without_a_recogniser_it_is_said_what_to_add_and_it_works_when_that_is_there(
    recogniser: bytes, bea: str, tmp_path: Path
) -> None:
    models = ModelStore(tmp_path / "models")
    stage = stage_with(models, bea, faces="named", others="original")
    report = show(stage)
    assert report.verdict is Verdict.BLURRED, "the person who is to be swapped may be one of the two"
    assert (report.swapped, report.blurred) == (0, 2)
    assert "ArcFace" in report.status
    assert "doppel models add" in report.status
    # Where everybody is swapped, nobody waits for it.
    everybody, later = stage_with(models, bea), [0.0]
    recognition = FaceRecognition(models, waits=True)
    everybody.lane.recognition = LaneRecognition(recognition, clock=lambda: later[-1])
    assert show(everybody).verdict is Verdict.SWAPPED
    assert "ArcFace" in everybody.show(two()).status

    keep(recogniser, models, tmp_path)
    later.append(3.0)
    assert show(everybody).status == ""
    assert looks_like(everybody, RIGHT) == "bronze"


@pytest.mark.parametrize("problem", ["no picture", "missing", "no face", "two faces"])
def test_a_picture_that_cannot_be_used_is_told(
    problem: str, recogniser: bytes, bea: str, tmp_path: Path
) -> None:
    models = ModelStore(tmp_path / "models")
    keep(recogniser, models, tmp_path)
    path = tmp_path / "picture.png"
    if problem == "no face":
        path.write_bytes(png(scene()))
    elif problem == "two faces":
        path.write_bytes(png(two()))
    stage = stage_with(models, bea, person1_picture="" if problem == "no picture" else str(path))
    report = show(stage, 3)
    words = {"no picture": "no picture is chosen", "missing": "cannot be read", "no face": "no face is found",
             "two faces": "2 faces"}  # fmt: skip
    assert "person 1: " in report.status
    assert words[problem] in report.status
