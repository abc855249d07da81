from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np
import pytest
from doppel_worker import assets
from doppel_worker.assets import PersonaKey, PersonaLoader, PersonaSlot
from doppel_worker.errors import PersonaError
from doppel_worker.report import EventKind


class Engine:
    """An engine by name; its states are numbered."""

    def __init__(self, key: PersonaKey) -> None:
        self.name = key.persona
        self.notes: tuple[str, ...] = ()
        self.states = 0

    def new_state(self) -> tuple[str, int]:
        self.states += 1
        return self.name, self.states


def loader(load: Callable[[PersonaKey], object] = Engine) -> PersonaLoader:
    return PersonaLoader(load)


def test_loading_happens_beside_the_frames() -> None:
    gate = threading.Event()

    def slow(key: PersonaKey) -> Engine:
        gate.wait(20)
        return Engine(key)

    one = loader(slow)
    # One that waited for the loading would return the engine.
    assert one.get(PersonaKey("a")) is None
    assert one.get(PersonaKey("a")) is None
    gate.set()
    assert one.wait(PersonaKey("a"), 20) is one.get(PersonaKey("a"))


def test_an_engine_is_made_once_and_kept_for_a_while() -> None:
    made: list[str] = []

    def load(key: PersonaKey) -> Engine:
        made.append(key.persona)
        return Engine(key)

    one = loader(load)
    for name in "aabab":
        one.wait(PersonaKey(name))
    assert made == ["a", "b"]
    for name in "cdef":
        one.wait(PersonaKey(name))
    one.wait(PersonaKey("a"))
    assert made == ["a", "b", "c", "d", "e", "f", "a"]


def test_what_cannot_be_loaded_says_why_and_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0

    def load(key: PersonaKey) -> Engine:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ValueError("the file is cut off")
        return Engine(key)

    one = loader(load)
    for _ in range(2):
        with pytest.raises(PersonaError, match="'a' cannot be used: the file is cut off"):
            one.wait(PersonaKey("a"))
    assert tries == 1
    monkeypatch.setattr(assets, "pause_s", lambda _failures: -1.0)
    assert one.wait(PersonaKey("a")) is not None


def test_what_fails_again_is_tried_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    now, tries = 0.0, []

    def load(key: PersonaKey) -> Engine:
        tries.append(now)
        raise ValueError("the file is cut off")

    monkeypatch.setattr(assets.time, "monotonic", lambda: now)
    one = loader(load)
    while now < 300:
        with pytest.raises(PersonaError):
            one.wait(PersonaKey("a"))
        with pytest.raises(PersonaError):
            one.get(PersonaKey("a"))
        now += 1
    pauses = np.diff(tries)
    assert pauses[0] <= 4
    assert (np.diff(pauses) >= 0).all()
    assert 60 < pauses[-1] < 70


def test_of_engines_with_large_networks_only_two_are_kept() -> None:
    made: list[str] = []

    def load(key: PersonaKey) -> Engine:
        made.append(key.persona)
        engine = Engine(key)
        engine.name = "mesh" if key.persona.startswith("m") else "dfm"
        return engine

    one = loader(load)
    for name in ("m1", "a", "b", "c", "m1", "c", "b", "a"):
        one.wait(PersonaKey(name))
    assert made == ["m1", "a", "b", "c", "a"]


def test_personas_that_many_lanes_load_at_once_all_get_there() -> None:
    begun = threading.Event()
    asked = threading.Event()

    def load(key: PersonaKey) -> Engine:
        begun.set()
        assert asked.wait(60)
        return Engine(key)

    one = loader(load)
    keys = [PersonaKey(name) for name in "abcdef"]
    assert one.get(keys[0]) is None
    assert begun.wait(60)
    for key in keys * 3:  # a frame of each lane, again and again, while the first is loading
        assert one.get(key) is None
    asked.set()
    missing = list(keys)
    deadline = time.monotonic() + 60
    while missing and time.monotonic() < deadline:
        missing = [key for key in missing if one.get(key) is None]
        time.sleep(0.001)
    assert not missing


def test_waiting_has_an_end() -> None:
    gate = threading.Event()
    one = loader(lambda key: gate.wait(20) and Engine(key))
    with pytest.raises(TimeoutError):
        one.wait(PersonaKey("a"), 0.05)
    gate.set()


def test_a_slot_keeps_a_state_for_every_face_and_drops_them_with_the_engine() -> None:
    one, slot = loader(), PersonaSlot()
    one.wait(PersonaKey("a"))
    slot.follow(PersonaKey("a"), one)
    assert slot.state(1) == ("a", 1)
    assert slot.state(2) == ("a", 2)
    assert slot.state(1) == ("a", 1)
    slot.keep_states([2])
    assert slot.state(2) == ("a", 2)
    assert slot.state(1) == ("a", 3)
    one.wait(PersonaKey("b"))
    slot.follow(PersonaKey("b"), one)
    assert slot.state(2) == ("b", 1)


def test_a_slot_without_an_engine_has_no_states() -> None:
    with pytest.raises(PersonaError):
        PersonaSlot().state(1)


@pytest.mark.parametrize(
    ("engine", "told"),
    [
        ("mesh", "the built-in engine works without an enhancer and pixel boost"),
        ("a model's engine", ""),
    ],
)
def test_settings_that_the_engine_does_not_know_are_told_while_they_are_set(engine: str, told: str) -> None:
    one, slot = loader(), PersonaSlot()
    wanted, plain = PersonaKey(engine, enhancer="GPEN-256", pixel_boost=2), PersonaKey(engine)
    one.wait(wanted)
    status, events = slot.follow(wanted, one)
    assert status == told
    assert [event.message for event in events[1:]] == ([told] if told else [])
    assert slot.follow(wanted, one) == (told, ())
    one.wait(plain)
    assert [slot.follow(plain, one)[0] for _ in range(2)] == ["", ""]


def test_a_persona_that_is_replaced_while_it_is_in_use_is_exchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "_LOOK_SECONDS", 0.0)
    versions = {"a": 1}
    one, slot, key = PersonaLoader(Engine, lambda key: versions[key.persona]), PersonaSlot(), PersonaKey("a")
    first = one.wait(key, 20)
    slot.follow(key, one)
    assert slot.follow(key, one) == ("", ())
    versions["a"] = 2
    deadline = time.monotonic() + 60
    while slot.engine is first:
        assert slot.key == key, "the one in use stays until the other is there"
        assert time.monotonic() < deadline
        slot.follow(key, one)
    assert slot.follow(key, one) == ("", ())


def test_a_persona_that_is_removed_in_use_stays_and_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assets, "_LOOK_SECONDS", 0.0)
    there = True

    def load(key: PersonaKey) -> Engine:
        if not there:
            raise PersonaError("there is no persona 'a'")
        return Engine(key)

    one, slot, key = PersonaLoader(load, lambda _: int(there)), PersonaSlot(), PersonaKey("a")
    engine = one.wait(key, 20)
    slot.follow(key, one)
    there = False
    deadline = time.monotonic() + 60
    while not (status := slot.follow(key, one)[0]).startswith("there is no"):
        assert time.monotonic() < deadline, status
    assert slot.engine is engine


def test_what_is_to_say_of_an_engine_is_told_while_it_is_in_use_and_no_longer() -> None:
    def load(key: PersonaKey) -> Engine:
        engine = Engine(key)
        engine.notes = ("it runs in float32", "it is slow") if key.persona == "half" else ()
        return engine

    one, slot = loader(load), PersonaSlot()
    for name in ("half", "whole"):
        one.wait(PersonaKey(name))
    status, events = slot.follow(PersonaKey("half"), one)
    assert status == "it runs in float32; it is slow"
    # Not of the worker as a whole: that would be told at every filter, until the worker ends.
    assert [(event.kind, event.message) for event in events] == [
        (EventKind.PERSONA, "now using half"),
        (EventKind.PERSONA, "it runs in float32"),
        (EventKind.PERSONA, "it is slow"),
    ]
    assert slot.follow(PersonaKey("half"), one) == (status, ())
    assert slot.follow(PersonaKey("whole"), one)[0] == ""
    assert slot.follow(PersonaKey("whole"), one) == ("", ())


def test_what_comes_to_be_said_of_an_engine_in_use_is_told_once() -> None:
    one, slot, key = loader(Engine), PersonaSlot(), PersonaKey("a")
    engine = one.wait(key)
    assert isinstance(engine, Engine)
    slot.follow(key, one)
    engine.notes = ("it cannot be played back",)
    status, events = slot.follow(key, one)
    assert status == "it cannot be played back"
    assert [(event.kind, event.message) for event in events] == [(EventKind.PERSONA, status)]
    assert slot.follow(key, one) == (status, ())


def test_an_engine_in_use_is_not_asked_for_at_its_future_with_every_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assets, "_LOOK_SECONDS", 1000.0)
    one, key = loader(), PersonaKey("a")
    engine = one.wait(key, 20)
    assert one.is_current(key, engine)

    def asked(*_: object) -> object:
        raise AssertionError("a lock is taken")

    for question in ("done", "cancelled", "exception", "result"):
        monkeypatch.setattr(Future, question, asked)
    assert one.is_current(key, engine)
    assert not one.is_current(key, None)
    assert not one.is_current(key, Engine(key))
