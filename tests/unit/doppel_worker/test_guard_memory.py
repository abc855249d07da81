"""What the guard hides of faces that were known before it began, by scripted tracks."""

from __future__ import annotations

import pytest
from doppel_worker.face_memory import FaceMemory
from doppel_worker.guard import Decision
from doppel_worker.track_result import TrackResult

from tests.support.guard_script import BOX, FRAME_NS, Script, face, hidden, lost, part, result


def remembered(*shown: TrackResult) -> FaceMemory:
    """What is known after these results, one frame each."""
    memory = FaceMemory()
    before = Script(memory)
    for tracked in shown:
        before.show(tracked)
    return memory


@pytest.mark.parametrize(
    "known",
    [
        remembered(result((face(1),))),
        remembered(result((face(1),)), result(lost=(lost(1),))),
        remembered(result((face(1),)), result((face(2, (450.0, 50.0, 600.0, 230.0)),))),
    ],
    ids=["followed", "lost", "given up"],
)
def test_a_face_known_from_before_is_hidden_until_its_absence_is_sure(known: FaceMemory) -> None:
    script = Script(known)
    script.now = 10**12  # whatever time has passed: nobody looked
    opacity = [hidden(script.show(result())) for _ in range(int(2.9e9 / FRAME_NS))]
    assert all(part(one, BOX).min() == 255 for one in opacity)
    script.show(result(), int(0.2e9 / FRAME_NS))
    assert script.show(result()) == Decision(reason="no face")


def test_a_face_known_from_before_is_hidden_no_more_when_it_is_followed_again() -> None:
    script = Script(remembered(result((face(1),))))
    assert script.show(result((face(1),))) == Decision()


def test_a_face_known_from_before_outlives_successors_that_judge_nothing_or_little() -> None:
    known = remembered(result((face(1),)))
    Script(known)
    Script(known).show(result())
    assert part(hidden(Script(known).show(result())), BOX).min() == 255


def test_while_a_face_may_be_anywhere_the_frame_is_covered_until_its_absence_is_sure() -> None:
    script = Script(FaceMemory(face_lately=True))
    decisions = [script.show(result()) for _ in range(int(2.9e9 / FRAME_NS))]
    assert all(one.cover for one in decisions)
    script.show(result(), int(0.2e9 / FRAME_NS))
    assert script.show(result()) == Decision(reason="no face")


def test_a_face_that_is_found_is_the_one_that_was_anywhere() -> None:
    script = Script(FaceMemory(face_lately=True))
    assert script.show(result(beside=(BOX,))).cover, "what is not followed may be anything"
    assert script.show(result((face(1),))) == Decision()
    assert not script.show(result(lost=(lost(1),))).cover


def test_a_face_that_may_be_anywhere_is_shown_if_the_user_wants_it() -> None:
    decision = Script(FaceMemory(face_lately=True), lost_face_policy="original").show(result())
    assert (decision.cover, decision.shows_lost) == (False, True)


def test_time_in_which_nobody_looked_makes_no_absence_sure() -> None:
    script = Script(FaceMemory(face_lately=True))
    assert script.show(result()).cover
    for now in (10**10, 10**10, 10**12, 5, 10**11):  # pauses, the same frame again, a loop
        script.now = now
        assert script.show(result()).cover
