from __future__ import annotations

from doppel_ipc.settings import FIELDS, PERSONS, FilterSettings, Value
from doppel_obs.page_layout import GROUPS, LOOK_KEYS, ROWS, SHOW_ADVANCED, SWITCHING, is_seen


def value_of(settings: FilterSettings, key: str) -> str:
    value = getattr(settings, key)
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def seen(settings: FilterSettings, *, advanced: bool) -> set[str]:
    return {
        key for key, row in ROWS.items() if is_seen(row, lambda k: value_of(settings, k), advanced=advanced)
    }


def test_every_setting_stands_on_the_page_once() -> None:
    keys = [row.key for group in GROUPS for row in group.rows]
    assert sorted(keys) == sorted(FIELDS)


def test_what_a_row_needs_is_a_setting_that_redraws_the_page() -> None:
    for row in ROWS.values():
        for needs in (row.needs, row.needs_too):
            for wanted in needs[1:]:
                field = FIELDS[needs[0]]
                allowed = ("on", "off") if isinstance(field.default, bool) else field.metadata["choices"]
                assert wanted.lstrip("!") in allowed
                assert needs[0] in SWITCHING
    assert SHOW_ADVANCED in SWITCHING


def test_a_beginner_sees_little_and_everything_can_be_shown() -> None:
    plain = seen(FilterSettings(), advanced=False)
    assert {"persona", "swap", "strength", "label", "device"} <= plain
    assert not plain & {"redetect_ms", "slate_image", "max_faces", "enhancer_strength"}
    every = FilterSettings(cover="slate", faces="named", enhancer="x").replace(
        **{f"person{number}_who": "picture" for number in PERSONS}
    )
    assert seen(every, advanced=True) == set(FIELDS)
    assert "label_text" not in seen(every.replace(label=False), advanced=True)


def test_one_row_for_a_further_person_is_offered_at_a_time() -> None:
    def people(**settings: Value) -> set[str]:
        found = seen(FilterSettings().replace(**settings), advanced=False)
        return {key for key in found if key.startswith("person") and key != "persona"}

    assert people() == {"person1_who"}
    first = {"person1_who", "person1_becomes", "person1_persona", "person2_who"}
    assert people(person1_who="leftmost") == first
    assert people(person1_who="picture") == first | {"person1_picture"}
    assert people(person1_who="leftmost", person1_becomes="blur") == first - {"person1_persona"}
    # Whoever is set is seen, also where a row before it was taken back.
    assert people(person2_who="leftmost") >= {"person1_who", "person2_who", "person2_persona", "person3_who"}


def test_a_look_holds_nothing_that_covers_or_discloses() -> None:
    assert not any(
        key.startswith(("label", "slate", "late", "lost", "cover", "no_face", "side")) for key in LOOK_KEYS
    )
    assert not LOOK_KEYS & {"swap", "persona", "faces", "device", "sound_sync"}
