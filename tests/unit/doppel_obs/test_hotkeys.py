from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doppel_ipc import gate_abi
from doppel_ipc.settings import FilterSettings, Value
from doppel_obs.hotkeys import CATCH_UP_NS, HotkeyKeeper, neighbour
from hypothesis import given
from hypothesis import strategies as st

MS = 1_000_000
FACES = ("ann", "bob", "cy")


class Gate:
    """The gate's count of presses."""

    def __init__(self) -> None:
        self.pressed: dict[str, int] = {}
        self.gone = False

    def doppel_gate_follow_hotkeys(self, _filter_id: int, wishes: Any) -> int:
        for name, *_ in wishes._obj._fields_:
            setattr(wishes._obj, name, self.pressed.get(name, 0))
        self.pressed = {"original": self.pressed.get("original", 0)}
        return gate_abi.GONE if self.gone else 0


class Keys:
    """One filter, its settings as OBS has them, and the keeper."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.settings = FilterSettings(persona="ann")
        """As the filter has read them, which takes a moment."""
        self.set: dict[str, Value] = {}
        self.now_ns = 0
        gate: Any = self.gate
        self.keeper = HotkeyKeeper(gate, self._change)
        self.look()

    def _change(self, filter_id: int, values: Mapping[str, Value]) -> None:
        assert filter_id == 7
        self.set.update(values)

    def look(self, **pressed: int) -> bool:
        self.now_ns += 50 * MS
        self.gate.pressed.update(pressed)
        return self.keeper.look(self.now_ns, 7, self.settings, FACES)


def test_each_press_switches_the_swap() -> None:
    keys = Keys()
    keys.look(swap=1)
    assert keys.set == {"swap": False}
    keys.look(swap=1)  # before the filter has read the first
    assert keys.set == {"swap": True}
    keys.look(swap=2)
    assert keys.set == {"swap": True}
    keys.look(swap=3)
    assert keys.set == {"swap": False}


def test_presses_in_quick_succession_add_up() -> None:
    keys = Keys()
    keys.look(next=1)
    keys.look(next=1)
    assert keys.set == {"persona": "cy"}
    keys.look(next=1, previous=3)
    assert keys.set == {"persona": "ann"}


def test_what_the_user_chose_since_counts() -> None:
    keys = Keys()
    keys.look(next=1)
    keys.settings = keys.settings.replace(persona="bob")
    keys.look()
    keys.settings = keys.settings.replace(persona="cy")  # on the page
    keys.look(next=1)
    assert keys.set == {"persona": "ann"}


def test_a_change_that_was_overruled_is_forgotten() -> None:
    keys = Keys()
    keys.look(next=1)
    keys.now_ns += CATCH_UP_NS
    keys.look(previous=1)
    assert keys.set == {"persona": "cy"}


def test_presses_from_before_the_script_was_there_are_not_obeyed() -> None:
    keys = Keys()
    keys.keeper.gone(7)
    keys.look(swap=1, next=1)
    assert keys.set == {}
    keys.look(swap=1)
    assert keys.set == {"swap": False}


def test_the_held_key_is_told() -> None:
    keys = Keys()
    assert keys.look(original=1)
    assert not keys.look(original=0)
    keys.gate.gone = True
    assert not keys.look(original=1)
    assert keys.set == {}


def test_without_faces_nothing_is_chosen() -> None:
    keys = Keys()
    keys.gate.pressed["next"] = 1
    keys.keeper.look(keys.now_ns, 7, keys.settings, ())
    assert keys.set == {}


@given(items=st.lists(st.text(), min_size=1, unique=True), index=st.integers(0), step=st.integers(-20, 20))
def test_as_many_steps_back_lead_to_where_it_began(items: list[str], index: int, step: int) -> None:
    start = items[index % len(items)]
    assert neighbour(items, neighbour(items, start, step), -step) == start


def test_from_a_face_that_is_no_more_it_goes_to_an_end_of_the_list() -> None:
    assert neighbour(FACES, "gone", 1) == "ann"
    assert neighbour(FACES, "gone", -1) == "cy"
