"""People told by their picture beside a live lane: no frame waits for the recogniser, whatever it does."""

from __future__ import annotations

import dataclasses
from concurrent.futures import Future

import numpy as np
import pytest
from doppel_models.errors import ModelsError
from doppel_models.types import ByteArray, Face, FloatArray
from doppel_worker.likeness import Likeness
from doppel_worker.people import BY_PICTURE, People, Person
from doppel_worker.recognition import LaneRecognition

from tests.support.frames import i420_frame
from tests.support.stage import compositor
from tests.support.tracked_lane import ALL, Lane
from tests.support.two_people import two

PICTURE = "bea.png"
ONE = People((Person(1, BY_PICTURE, PICTURE, "persona", "bronze"),), "named")
NOBODY = People()
NOT_YET, NOT_NOW = Likeness(None), Likeness(0, is_sure=False, lasts=False)
SOMEBODY = np.eye(512, dtype=np.float32)[0]


class Recogniser:
    """One whose answers the test gives, when it likes to."""

    def __init__(self) -> None:
        self.waits = False
        self.examples: list[Future[FloatArray]] = []
        self.looks: list[Future[FloatArray]] = []

    def example(self, _path: str) -> Future[FloatArray]:
        self.examples.append(Future())
        return self.examples[-1]

    def look(self, _crop: ByteArray, _landmarks: FloatArray) -> Future[FloatArray]:
        self.looks.append(Future())
        return self.looks[-1]


@pytest.fixture(scope="module")
def faces() -> tuple[Face, ...]:
    lane = Lane(ALL)
    for _ in range(4):
        seen = lane.show(two()).faces
    assert len(seen) == 2
    return tuple(dataclasses.replace(face, yaw=0.0) for face in seen)


class Live:
    """A lane that asks for its faces, at a time that the test sets."""

    def __init__(self, faces: tuple[Face, ...]) -> None:
        self.faces = faces
        self.now = 0.0
        self.recogniser = Recogniser()
        self.lane = LaneRecognition(self.recogniser, clock=lambda: self.now)
        self.frame = i420_frame(two(), 1, 30)

    def ask(self, face: int = 0, people: People = ONE) -> Likeness:
        return self.lane.likeness(self.faces[face], self.frame, compositor, people)

    def with_example(self) -> Live:
        assert self.ask() == NOT_YET
        self.recogniser.examples[0].set_result(SOMEBODY)
        return self


def test_nobody_is_known_before_the_answers_are_there_and_each_is_asked_for_once(
    faces: tuple[Face, ...],
) -> None:
    live = Live(faces)
    assert [live.ask() for _ in range(3)] == [NOT_YET] * 3
    assert (len(live.recogniser.examples), len(live.recogniser.looks)) == (1, 0)
    live.recogniser.examples[0].set_result(SOMEBODY)
    assert [live.ask() for _ in range(3)] == [NOT_YET] * 3
    assert (len(live.recogniser.examples), len(live.recogniser.looks)) == (1, 1)
    live.recogniser.looks[0].set_result(SOMEBODY)
    assert live.ask() == Likeness(1)
    assert live.lane.problem == ""


def test_a_picture_that_fails_once_is_used_when_it_is_tried_again(faces: tuple[Face, ...]) -> None:
    live = Live(faces)
    live.ask()
    live.recogniser.examples[0].set_exception(ModelsError("it is being written"))
    assert live.ask() == NOT_NOW
    assert live.lane.problem == "person 1: it is being written"
    live.now = 2.5
    assert live.ask() == NOT_NOW, "what was wrong stays wrong until it is known better"
    assert live.lane.problem == "person 1: it is being written"
    live.recogniser.examples[1].set_result(SOMEBODY)
    live.ask()
    live.recogniser.looks[0].set_result(SOMEBODY)
    assert live.ask() == Likeness(1)
    assert live.lane.problem == ""


def test_a_slow_retry_is_waited_for_and_not_asked_for_again(faces: tuple[Face, ...]) -> None:
    live = Live(faces)
    live.ask()
    live.recogniser.examples[0].set_exception(ModelsError("it is on a slow disk"))
    for now in range(200):
        live.now = float(now)
        assert live.ask() == NOT_NOW
    assert len(live.recogniser.examples) == 2
    assert live.lane.problem == "person 1: it is on a slow disk"


def test_a_picture_that_fails_again_and_again_is_tried_ever_more_seldom(faces: tuple[Face, ...]) -> None:
    live, tries = Live(faces), []
    while live.now < 300:
        live.ask()
        for one in live.recogniser.examples[len(tries) :]:
            one.set_exception(ModelsError("no"))
            tries.append(live.now)
        live.now += 1
    pauses = np.diff(tries)
    assert 2 <= pauses[0] <= 4
    assert (np.diff(pauses) >= 0).all()
    assert 60 < pauses[-1] < 70


def test_a_look_that_fails_once_is_told_and_forgotten_with_the_next_that_does_not(
    faces: tuple[Face, ...],
) -> None:
    live = Live(faces).with_example()
    live.ask()
    live.recogniser.looks[0].set_exception(ModelsError("the network fails"))
    told = "people cannot be told by their picture: the network fails"
    assert (live.ask(), live.lane.problem) == (NOT_NOW, told)
    live.now = 1.0
    assert (live.ask(), len(live.recogniser.looks)) == (NOT_NOW, 1)
    live.now = 2.5
    # The retry runs beside the frames: it stays as it is meanwhile, and one face asks for all.
    assert [live.ask(face) for face in (0, 1, 0, 1)] == [NOT_NOW] * 4
    assert (live.lane.problem, len(live.recogniser.looks)) == (told, 2)
    live.recogniser.looks[1].set_result(SOMEBODY)
    assert (live.ask(), live.lane.problem) == (Likeness(1), "")
    assert live.ask(1) == NOT_YET
    assert len(live.recogniser.looks) == 3


def test_a_face_that_is_turned_away_is_not_asked_about(faces: tuple[Face, ...]) -> None:
    live = Live(tuple(dataclasses.replace(face, yaw=-60.0) for face in faces)).with_example()
    assert [live.ask() for _ in range(3)] == [NOT_YET] * 3
    assert live.recogniser.looks == []


def test_a_face_that_cannot_be_told_may_still_be_that_of_a_picture_which_comes_late(
    faces: tuple[Face, ...],
) -> None:
    live = Live(faces)
    people = People((*ONE.persons, Person(2, BY_PICTURE, "late.png", "persona", "jade")), ONE.faces)
    live.ask(people=people)
    live.recogniser.examples[0].set_result(SOMEBODY)
    live.recogniser.examples[1].set_exception(ModelsError("it is being written"))
    somebody_else = np.eye(512, dtype=np.float32)[1]
    for _ in range(20):
        told = live.ask(people=people)
        for look in live.recogniser.looks:
            if not look.done():
                look.set_result(0.25 * SOMEBODY + np.float32(0.97) * somebody_else)
    assert told == NOT_NOW
    live.now = 2.5
    live.ask(people=people)
    live.recogniser.examples[2].set_result(somebody_else)
    assert live.ask(people=people) == Likeness(2)


def test_a_recogniser_that_goes_on_failing_is_tried_ever_more_seldom(faces: tuple[Face, ...]) -> None:
    live, tries = Live(faces).with_example(), []
    while live.now < 300:
        live.ask(0)
        live.ask(1)
        for one in live.recogniser.looks[len(tries) :]:
            one.set_exception(ModelsError("no"))
            tries.append(live.now)
        live.now += 1
    pauses = np.diff(sorted(set(tries)))
    assert pauses[0] <= 4
    assert 60 < pauses[-1] < 70
    assert len(tries) < 12


def test_a_retry_whose_face_has_gone_does_not_keep_the_others_from_theirs(faces: tuple[Face, ...]) -> None:
    live = Live(faces).with_example()
    live.ask()
    live.recogniser.looks[0].set_exception(ModelsError("the network fails"))
    live.ask()
    live.now = 2.5
    live.ask()
    live.lane.forget(frozenset({faces[1].track_id}), ONE)
    live.recogniser.looks[1].set_result(SOMEBODY)
    live.ask(1)
    live.recogniser.looks[2].set_result(SOMEBODY)
    assert live.ask(1) == Likeness(1)


@pytest.mark.parametrize("what", ["example", "look"])
def test_an_error_that_nobody_has_thought_of_fails_one_frame_and_is_told_from_then_on(
    what: str, faces: tuple[Face, ...]
) -> None:
    live = Live(faces)
    live.ask()
    if what == "look":
        live.recogniser.examples[0].set_result(SOMEBODY)
        live.ask()
    asked = live.recogniser.examples if what == "example" else live.recogniser.looks
    asked[0].set_exception(OSError("the disk is gone"))
    with pytest.raises(OSError, match="the disk is gone"):
        live.ask()
    assert live.ask() == NOT_NOW
    assert live.lane.problem.endswith(": the disk is gone")
    live.now = 2.5
    live.ask()
    assert len(asked) == 2
    asked[1].set_result(SOMEBODY)
    live.ask()
    if what == "example":
        live.recogniser.looks[0].set_result(SOMEBODY)
    assert live.ask() == Likeness(1)
    assert live.lane.problem == ""


def test_what_was_wrong_is_forgotten_with_the_people_it_was_wrong_for(faces: tuple[Face, ...]) -> None:
    live = Live(faces).with_example()
    live.ask()
    live.recogniser.looks[0].set_exception(ModelsError("the network fails"))
    live.ask()
    live.lane.forget(frozenset(), NOBODY)
    assert live.lane.problem == ""
    assert live.ask() == NOT_YET
    assert len(live.recogniser.examples) == 2, "the picture is read anew"


def test_what_was_wrong_for_somebody_who_is_named_no_more_is_not_told_while_nobody_is_there(
    faces: tuple[Face, ...],
) -> None:
    live = Live(faces)
    without = People((*ONE.persons, Person(2, BY_PICTURE, "", "blur", "")), ONE.faces)
    live.ask(people=without)
    live.lane.forget(frozenset(), without)
    assert live.lane.problem == "person 2: no picture is chosen"
    live.lane.forget(frozenset(), ONE)
    assert live.lane.problem == ""
