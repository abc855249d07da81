from __future__ import annotations

import itertools

from doppel_worker.second_look import UNSETTLED_POLL_S, UNSETTLED_S, SecondLook


def test_before_any_frame_there_is_nothing_to_look_at_again() -> None:
    assert not SecondLook().is_due(0.0, 1, "engine")


def test_a_frame_is_asked_for_once_for_each_change() -> None:
    look = SecondLook()
    look.note(0.0, 1, "engine", settled=True)
    assert not look.is_due(1.0, 1, "engine")
    assert look.is_due(1.0, 2, "engine")
    assert not look.is_due(1.2, 2, "engine")
    assert look.is_due(1.4, 2, None)
    look.note(1.5, 2, "another", settled=True)
    assert not look.is_due(2.0, 2, "another")


def test_what_is_being_loaded_is_looked_for_often_at_first_and_then_seldom() -> None:
    look = SecondLook()
    asked = []
    for tick in range(100):
        now = tick / 5
        look.note(now, 1, "engine", settled=False)
        if look.is_due(now, 1, "engine"):
            asked.append(now)
    steps = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert max(step for now, step in zip(asked, steps, strict=False) if now < UNSETTLED_S) < 0.3
    assert (
        min(step for now, step in zip(asked, steps, strict=False) if now > UNSETTLED_S)
        >= UNSETTLED_POLL_S - 0.01
    )
    look.note(50.0, 1, "engine", settled=True)
    assert not look.is_due(60.0, 1, "engine")


def test_other_settings_make_it_patient_anew() -> None:
    look = SecondLook()
    look.note(0.0, 1, "engine", settled=False)
    assert look.is_due(10.0, 1, "engine")
    assert not look.is_due(10.2, 1, "engine")
    assert look.is_due(10.3, 2, "engine")
    look.note(20.0, 2, "engine", settled=False)
    assert look.is_due(20.2, 2, "engine")
    assert look.is_due(20.4, 2, "engine")
