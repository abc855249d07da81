"""Who is told apart, by the settings."""

from __future__ import annotations

from doppel_ipc.settings import FilterSettings
from doppel_worker.assets import PersonaKey
from doppel_worker.people import People, Person


def people(**settings: object) -> People:
    return People.of(FilterSettings().replace(**settings))


def test_settings_of_before_tell_nobody_apart() -> None:
    for faces in ("largest", "leftmost", "rightmost", "all"):
        assert not people(faces=faces).is_cast
        assert people(faces=faces).persons == ()


def test_whoever_is_set_is_told_apart_also_after_a_gap() -> None:
    found = people(person3_who="rightmost", person3_persona="bronze", person3_picture="/left over.png")
    assert found.persons == (Person(3, "rightmost", "", "persona", "bronze"),)
    assert found.is_cast
    assert people(faces="named").is_cast


def test_each_wears_their_persona_with_the_engine_of_all_or_the_main_one() -> None:
    main = PersonaKey("porcelain", "inswapper", pixel_boost=2)
    found = people(
        person1_who="leftmost", person1_persona="bronze", person2_who="rightmost",
        person3_who="largest", person3_becomes="blur", person3_persona="bronze",
    )  # fmt: skip
    assert found.keys(main) == {1: PersonaKey("bronze", "inswapper", pixel_boost=2), 2: main}
    assert found.keys(PersonaKey("")) == {1: PersonaKey("bronze")}


def test_only_who_and_where_decide_about_looking_for_people_anew() -> None:
    first = people(person1_who="picture", person1_picture="/a.png")
    assert (
        first.places
        == people(person1_who="picture", person1_picture="/a.png", person1_persona="bronze").places
    )
    assert first.places != people(person1_who="picture", person1_picture="/b.png").places
    assert first.places != people(person1_who="picture", person1_picture="/a.png", faces="all").places


def test_showing_a_filmed_face_is_a_choice_that_is_known() -> None:
    assert people(faces="largest", person1_who="leftmost").shows_filmed
    assert not people(faces="all", person1_who="leftmost").shows_filmed
    assert people(faces="all", person1_who="leftmost", person1_becomes="original").shows_filmed
    assert not people(faces="named", person1_who="leftmost").shows_filmed
    assert people(faces="named", others="original").shows_filmed
    assert not people(faces="all", others="original").shows_filmed
