import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from doppel_models.errors import PersonaError
from doppel_worker.cli.persona import app
from typer.testing import CliRunner

from tests.support.portrait import FIXTURES

PHOTO = str(FIXTURES / "astronaut.png")


def _run(*words: str, text: str | None = None):
    return CliRunner().invoke(app, list(words), input=text)


def _json(*words: str):
    result = _run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.strip().splitlines()[-1])


def test_a_persona_is_added_listed_shown_and_removed(tmp_path):
    where = ("--dir", str(tmp_path))
    added = _json("add", PHOTO, "--consent", "public-domain", "--who", "Jo", *where)
    assert added["id"] == "astronaut"
    assert added["warnings"]
    assert added["consent"]["who"] == "Jo"

    listed = _json("list", *where)
    assert [p["id"] for p in listed["personas"]][-1] == "astronaut"
    assert "porcelain" in [p["id"] for p in listed["personas"]]
    assert _json("show", "astronaut", *where)["files"] == added["files"]
    text = _run("show", "astronaut", *where).output
    assert "public-domain" in text
    assert "Jo" in text

    assert _json("remove", "astronaut", *where) == {"removed": "astronaut"}
    assert len(_json("list", *where)["personas"]) == 3


def test_adding_the_same_photo_again_is_the_same_persona(tmp_path):
    words = ("add", PHOTO, "--consent", "own", "--dir", str(tmp_path))
    assert _json(*words)["id"] == _json(*words)["id"]


def test_the_table_and_the_notes_are_for_people(tmp_path):
    output = _run("add", PHOTO, "--consent", "own", "--name", "Me", "--dir", str(tmp_path)).output
    assert "note:" in output
    assert "added Me (me)" in output
    assert "porcelain" in _run("list", "--dir", str(tmp_path)).output


@pytest.mark.parametrize("words", [("--json",), ()])
def test_where_nobody_can_be_asked_the_missing_consent_is_told(tmp_path, words):
    result = _run("add", PHOTO, "--dir", str(tmp_path / "p"), *words)
    assert isinstance(result.exception, PersonaError)
    assert "--consent with one of: own, permission, public-domain, synthetic" in str(result.exception)
    assert "On what ground" not in result.output
    assert not (tmp_path / "p").exists()


def test_without_consent_nothing_is_added(tmp_path, monkeypatch):
    terminal = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("doppel_worker.cli.persona.sys", terminal)
    result = _run("add", PHOTO, "--dir", str(tmp_path / "p"), text="no idea\n")
    assert isinstance(result.exception, PersonaError)
    assert "ground" in str(result.exception)
    assert not (tmp_path / "p").exists()


def test_removing_asks_first(tmp_path):
    where = ("--dir", str(tmp_path))
    _json("add", PHOTO, "--consent", "own", *where)
    assert _run("remove", "astronaut", *where, text="n\n").exit_code == 1
    assert (tmp_path / "astronaut").exists()
    assert _run("remove", "astronaut", "--yes", *where).exit_code == 0
    assert not (tmp_path / "astronaut").exists()


def test_a_damaged_persona_is_told_and_can_be_removed(tmp_path):
    where = ("--dir", str(tmp_path))
    _json("add", PHOTO, "--consent", "own", *where)
    (tmp_path / "astronaut" / "persona.json").write_text("{")
    assert "astronaut" in _json("list", *where)["problems"]
    assert _json("remove", "astronaut", *where)["removed"] == "astronaut"


@pytest.mark.parametrize("word", ["nobody", "../x"])
def test_an_unknown_persona_is_a_clear_error(tmp_path, word):
    assert isinstance(_run("show", word, "--dir", str(tmp_path)).exception, PersonaError)


def test_a_name_that_is_taken_is_refused_until_replace_is_said(tmp_path):
    other = tmp_path / "other.png"
    other.write_bytes(Path(PHOTO).read_bytes() + b"\0")  # other bytes, the same picture
    where = ("--consent", "own", "--name", "Me", "--dir", str(tmp_path / "p"))
    assert _run("add", PHOTO, *where).exit_code == 0
    refused = _run("add", str(other), *where)
    assert isinstance(refused.exception, PersonaError)
    assert "--replace" in str(refused.exception)
    assert "replaced Me (me)" in _run("add", str(other), *where, "--replace").output
    assert [path.name for path in (tmp_path / "p").iterdir()] == ["me"]


def test_a_built_in_face_is_not_asked_about_before_its_removal_is_refused(tmp_path):
    result = _run("remove", "porcelain", "--dir", str(tmp_path), text="y\n")
    assert isinstance(result.exception, PersonaError)
    assert "built in" in str(result.exception)
    assert "Delete" not in result.output


def test_names_are_shown_as_they_are_written(tmp_path):
    where = ("--dir", str(tmp_path))
    assert (
        "added [/x] [red]me[/]"
        in _run("add", PHOTO, "--consent", "own", "--name", "[/x] [red]me[/]", *where).output
    )
    assert "[/x]" in _run("list", *where).output
    assert "[/x] [red]me[/]" in _run("show", "x-red-me", *where).output


def test_it_says_where_faces_are_kept(tmp_path):
    assert f"kept in {tmp_path}" in _run("list", "--dir", str(tmp_path)).output
