"""What the guard decides about faces that are not followed, by scripted tracks."""

from __future__ import annotations

import dataclasses

import pytest
from doppel_worker.guard import Decision
from hypothesis import given
from hypothesis import strategies as st

from tests.support.guard_script import BOX, Box, Script, face, hidden, lost, part, result


def test_a_followed_face_needs_no_hiding() -> None:
    assert Script().show(result((face(1),)), 5) == Decision()


def test_the_profile_of_a_face_that_is_turned_away_is_hidden_too() -> None:
    profile = (dataclasses.replace(face(1), yaw=-55.0),)
    around = (190.0, 100.0, 310.0, 220.0)
    opacity = hidden(Script().show(result(profile)))
    assert part(opacity, around).min() > 200
    assert Script(side_face_policy="original").show(result(profile)).regions == ()
    assert Script(yaw_fade_end=60.0).show(result(profile)).regions == ()


def test_a_lost_face_is_hidden_whole_and_the_region_grows() -> None:
    script = Script()
    script.show(result((face(1),)))
    first = hidden(script.show(result(lost=(lost(1, 33),))))
    later = hidden(script.show(result(lost=(lost(1, 1500),))))
    assert part(first, BOX).min() == 255
    assert part(later, BOX).min() == 255
    assert (later > 0).sum() > 1.5 * (first > 0).sum()


@pytest.mark.parametrize(
    "box",
    [(-60.0, 100.0, 40.0, 220.0), (590.0, -50.0, 690.0, 60.0), (-400.0, -300.0, 900.0, 800.0)],
    ids=["left edge", "corner", "larger than the frame"],
)
def test_a_lost_face_at_the_frames_edge_is_hidden_up_to_the_edge(box: Box) -> None:
    script = Script()
    script.show(result((face(1, box),)))
    opacity = hidden(script.show(result(lost=(lost(1, box=box),))))
    assert part(opacity, box).min() == 255


def test_a_face_lost_outside_the_frame_leaves_nothing_to_hide() -> None:
    away = (5000.0, 100.0, 5100.0, 220.0)
    assert Script().show(result(lost=(lost(1, box=away),))).regions == ()


def test_a_lost_face_covers_or_shows_the_frame_if_the_user_wants_it() -> None:
    covering = Script(lost_face_policy="cover").show(result(lost=(lost(1),)))
    assert covering.cover
    assert covering.reason
    showing = Script(lost_face_policy="original").show(result(lost=(lost(1),)))
    assert (showing.cover, showing.shows_lost, showing.regions) == (False, True, ())


def test_a_frame_without_faces_is_shown_or_covered_as_the_user_wants() -> None:
    assert Script().show(result()) == Decision(reason="no face")
    assert Script(no_face_policy="cover").show(result()).cover
    # A lost face is not "no face": its own policy holds.
    assert not Script(no_face_policy="cover").show(result(lost=(lost(1),))).cover


def test_a_face_that_was_left_for_a_larger_one_stays_hidden_while_it_is_seen() -> None:
    script = Script(lost_face_ms=1000)
    script.show(result((face(1),)))
    other = face(2, (400.0, 50.0, 600.0, 300.0))
    moved = (220.0, 110.0, 310.0, 230.0)
    opacity = hidden(script.show(result((other,), beside=(moved,)), 100))
    assert part(opacity, moved).min() == 255
    # It follows the face that moves.
    further = (260.0, 110.0, 350.0, 230.0)
    assert part(hidden(script.show(result((other,), beside=(further,)))), further).min() == 255
    # Gone for lost_face_ms: nothing is hidden any more.
    assert script.show(result((other,)), 20).regions != ()
    assert script.show(result((other,)), 20).regions == ()


def test_a_face_that_was_left_and_is_followed_again_is_not_hidden() -> None:
    script = Script()
    script.show(result((face(1),)))
    far = (540.0, 50.0, 620.0, 150.0)
    script.show(result((face(2, far),), beside=(BOX,)))
    # Now the second one is the one that was left.
    opacity = hidden(script.show(result((face(3),), beside=(far,))))
    assert part(opacity, BOX).max() == 0
    assert part(opacity, far).min() == 255


def test_faces_beside_the_chosen_one_are_shown_unless_it_is_lost() -> None:
    beside = (420.0, 80.0, 500.0, 180.0)
    script = Script()
    assert script.show(result((face(1),), beside=(beside,))).regions == ()
    opacity = hidden(script.show(result(lost=(lost(1),), beside=(beside,))))
    assert part(opacity, beside).min() == 255


@pytest.mark.parametrize("faces", ["largest", "all"])
def test_a_face_that_only_the_detector_sees_is_hidden_while_none_is_followed(faces: str) -> None:
    opacity = hidden(Script(faces=faces).show(result(beside=(BOX,))))
    assert part(opacity, BOX).min() == 255


def test_with_all_faces_those_beyond_the_limit_are_hidden() -> None:
    beside = (420.0, 80.0, 500.0, 180.0)
    opacity = hidden(Script(faces="all").show(result((face(1),), beside=(beside,))))
    assert part(opacity, beside).min() == 255


def test_a_face_beyond_the_limit_that_one_search_misses_stays_hidden() -> None:
    beside = (420.0, 80.0, 500.0, 180.0)
    script = Script(faces="all")
    script.show(result((face(1),), beside=(beside,)))
    assert part(hidden(script.show(result((face(1),)), 15)), beside).min() == 255
    assert script.show(result((face(1),)), 30).regions == ()


def test_a_rewound_source_does_not_end_the_hiding() -> None:
    script = Script(lost_face_ms=1000)
    script.now = 10_000_000_000
    script.show(result((face(1),)))
    other = result((face(2, (400.0, 50.0, 600.0, 300.0)),))
    script.show(other)
    script.now = 0
    assert script.show(other).regions != ()


boxes = st.tuples(st.integers(-100, 600), st.integers(-100, 330), st.integers(20, 300)).map(
    lambda v: (float(v[0]), float(v[1]), float(v[0] + v[2]), float(v[1] + 1.2 * v[2]))
)


@given(st.lists(st.tuples(st.sampled_from(["follow", "lose", "leave"]), boxes), min_size=1, max_size=12))
def test_no_face_that_was_followed_is_shown_while_it_may_be_there(steps: list[tuple[str, Box]]) -> None:
    """In any order of being followed, lost and left for another face."""
    script, track_id, where = Script(), 0, None
    for step, box in steps:
        if step == "follow" or where is None:
            track_id, where = track_id + 1, box
            script.show(result((face(track_id, box),)))
            continue
        if step == "lose":
            decision = script.show(result(lost=(lost(track_id, 33, where),)))
        else:
            # Another face elsewhere is followed; this one is still detected.
            other = (where[0] + 2000, where[1], where[2] + 2000, where[3])
            decision = script.show(result((face(1000, other),), beside=(where,)))
        inside = part(hidden(decision), where)
        assert inside.size == 0 or inside.min() == 255


# --- several people ----------------------------------------------------------------------------------

OTHER_BOX = (420.0, 100.0, 520.0, 220.0)


def test_a_face_that_is_not_to_be_seen_is_hidden_followed_or_lost_whatever_the_policies_say() -> None:
    script = Script(faces="all", lost_face_policy="original", side_face_policy="original")
    two = result((face(1), face(2, OTHER_BOX)))
    picture = hidden(script.show(two, blurred=(2,)))
    assert part(picture, OTHER_BOX).min() == 255
    assert part(picture, BOX).max() == 0
    picture = hidden(script.show(result((face(1),), (lost(2, box=OTHER_BOX),)), blurred=(2,)))
    assert part(picture, OTHER_BOX).min() == 255


def test_nothing_is_hidden_of_a_face_that_the_user_shows_also_when_it_was_swapped_before() -> None:
    script = Script(faces="all", no_face_policy="cover")
    two = result((face(1), face(2, OTHER_BOX)))
    script.show(two, 5)
    assert script.show(two, shown=(2,)) == Decision()
    gone = result((face(1),), (lost(2, box=OTHER_BOX),), beside=(OTHER_BOX,))
    picture = hidden(script.show(gone, shown=(2,)))
    assert part(picture, BOX).max() == 0
    # Alone in the picture it is somebody: the frame is not one without a face.
    assert script.show(result((face(2, OTHER_BOX),)), 200, shown=(2,)) == Decision(reason="no face")


def test_who_was_shown_and_is_swapped_now_is_hidden_when_lost() -> None:
    script = Script(faces="all")
    script.show(result((face(2, OTHER_BOX),)), 5, shown=(2,))
    script.show(result((face(2, OTHER_BOX),)))
    assert part(hidden(script.show(result((), (lost(2, box=OTHER_BOX),)))), OTHER_BOX).min() == 255
