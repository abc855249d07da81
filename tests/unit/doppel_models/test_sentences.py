from __future__ import annotations

import copy
import string
from pathlib import Path

import pytest
from doppel_models.errors import EngineError, PersonaError
from doppel_models.personas import PersonaStore
from doppel_models.photo_file import read_photo
from doppel_models.sentences import Sentence, both, listed, sentence, told_by, unreadable

from tests.support.sentences import written


def test_a_sentence_is_its_english_text_and_remembers_its_parts() -> None:
    made = sentence("photo.faces", "{name} shows {faces} faces", name="a.png", faces=3)
    assert made == "a.png shows 3 faces"
    assert (made.key, made.values) == ("photo.faces", (("name", "a.png"), ("faces", "3")))
    assert copy.deepcopy(made) == made


def test_an_error_tells_its_sentence_also_within_another() -> None:
    inner = EngineError(sentence("engine.black", "its picture is black"))
    outer = PersonaError(sentence("persona.unusable", "persona '{name}': {why}", name="Jo", why=inner))
    assert str(outer) == "persona 'Jo': its picture is black"
    told = told_by(outer)
    assert isinstance(told, Sentence)
    why = dict(told.values)["why"]
    assert isinstance(why, Sentence)
    assert why.key == "engine.black"


@pytest.mark.parametrize("error", [OSError(2, "No such file"), KeyError("a"), ValueError(), EngineError("x")])
def test_an_error_without_a_sentence_tells_its_text(error: Exception) -> None:
    assert told_by(error) == str(error)
    assert not isinstance(told_by(error), Sentence)


@pytest.mark.parametrize("name", ["{0.__class__}", "{name}", "{", "%s", "{why.args[0]}"])
def test_what_stands_in_a_gap_is_never_a_format(name: str) -> None:
    assert sentence("x", "no face is found in {name}", name=name) == f"no face is found in {name}"


def test_a_files_name_cannot_steer_a_terminal() -> None:
    made = sentence("x", "{name} is too blurred", name="a\x1b[2J\nb.png\ud800")
    assert made == "a [2J b.png  is too blurred"


def test_several_are_one_and_empty_ones_are_left_out() -> None:
    assert both("", "") == ""
    one = sentence("x", "one")
    assert both("", one) is one
    assert both("a", "b", "", "c", "d") == "a; b; c; d"
    assert listed(["an eye", "the nose", "the mouth"]) == "an eye and the nose and the mouth"
    assert listed([]) == ""


def test_the_system_says_why_a_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PersonaError) as caught:
        read_photo(tmp_path / "none.png")
    told = told_by(caught.value)
    assert isinstance(told, Sentence)
    assert told.key == "unreadable"
    assert dict(told.values)["path"] == str(tmp_path / "none.png")
    assert unreadable("x", OSError("odd")) == "x cannot be read: odd"


def test_refusals_of_personas_are_sentences(tmp_path: Path) -> None:
    for name in ("nobody", "../x"):
        with pytest.raises(PersonaError) as caught:
            PersonaStore(tmp_path).get(name)
        assert isinstance(told_by(caught.value), Sentence)


def test_every_sentence_in_the_code_has_a_value_for_each_gap_and_no_other() -> None:
    found = list(written())
    assert len(found) > 150
    wrong = []
    for one in found:
        parts = [(field, spec, how) for _, field, spec, how in string.Formatter().parse(one.template)]
        gaps = {field for field, _, _ in parts if field is not None}
        plain = all(not spec and not how for _, spec, how in parts)
        if gaps != one.names or not plain:
            wrong.append(one.where)
    assert wrong == []


def test_one_key_has_one_text() -> None:
    texts: dict[str, str] = {}
    for one in written():
        assert texts.setdefault(one.key, one.template) == one.template, one.where
