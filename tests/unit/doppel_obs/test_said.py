"""The worker's sentences in the user's language."""

from __future__ import annotations

import json
import string

import pytest
from doppel_ipc.messages import TO_OBS, PersonaAdded, from_object, to_object
from doppel_ipc.said import Said
from doppel_models.errors import PersonaError
from doppel_models.photo_file import decode_photo
from doppel_models.sentences import told_by
from doppel_obs.language import FOLDER, load_language, placeholders
from doppel_obs.phrases import SAID_PREFIX, phrase, said
from doppel_worker.saying import wire

from tests.support.sentences import written

TABLES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")}
TEMPLATES = {SAID_PREFIX + one.key: one.template for one in written()}
EVERY = pytest.mark.parametrize("code", sorted(TABLES))
HOSTILE = "{0.__class__} {why} {} %s {"


def rows(code: str) -> dict[str, str]:
    return {key: text for key, text in TABLES[code].items() if key.startswith(SAID_PREFIX)}


def test_the_english_table_says_what_the_code_says() -> None:
    assert sorted(set(TEMPLATES) - set(rows("en"))) == [], "no table has them"
    assert sorted(set(rows("en")) - set(TEMPLATES)) == [], "nobody says them any more"
    assert rows("en") == TEMPLATES


@EVERY
def test_the_rows_are_filled_in_as_plain_texts(code: str) -> None:
    for key, text in rows(code).items():
        assert placeholders(text) == placeholders(TEMPLATES[key]), key
        for _, field, spec, how in string.Formatter().parse(text):
            assert field is None or (field.isidentifier() and not spec and not how), key


@EVERY
def test_every_sentence_can_be_said_whatever_stands_in_its_gaps(code: str) -> None:
    language = load_language(code)
    for key, text in rows(code).items():
        names = placeholders(text)
        values = tuple((name, HOSTILE) for name in names)
        told = language.say(said(Said("fallback", key[len(SAID_PREFIX) :], values)))
        expected = text
        for name in names:
            expected = expected.replace(f"{{{name}}}", "\0")
        assert told == expected.replace("\0", HOSTILE), key


def test_a_sentence_within_a_sentence_is_said_in_the_same_language() -> None:
    why = Said("its picture is black", "engine.black")
    one = Said(
        "persona 'Jo' cannot be used: its picture is black",
        "persona.unusable",
        [("name", "Jo"), ("why", why)],
    )
    german = load_language("de-DE")
    assert german.say(said(one)) == "das Gesicht „Jo“ kann nicht benutzt werden: das Bild ist schwarz"
    assert german.in_english(said(one)) == str(one)
    whole = phrase("photo.refused", why=said(one, closed=True))
    assert german.say(whole).endswith("Das Gesicht „Jo“ kann nicht benutzt werden: das Bild ist schwarz.")


@pytest.mark.parametrize(
    "one",
    [
        Said("English words", "photo.of-a-later-version"),
        Said("English words", "photo.dark"),  # the row's gap has no value
        Said("English words", "photo.dark", [("name", "a"), ("more", "b")]),
        Said("English words", "photo.dark", [("file", "a")]),
        Said("English words"),
        "English words",
    ],
)
def test_what_no_table_has_is_said_in_english(one: str) -> None:
    for code in TABLES:
        assert load_language(code).say(said(one)) == "English words"
        assert load_language(code).say(said(one, closed=True)) == "English words."


def test_the_worker_reaches_no_text_but_its_own() -> None:
    for key in TABLES["en"]:
        if not key.startswith(SAID_PREFIX) and SAID_PREFIX + key not in TABLES["en"]:
            assert load_language("de").say(said(Said("English words", key))) == "English words"


def test_a_sentence_that_would_fill_the_page_is_cut() -> None:
    one = Said("x", "photo.dark", [("name", "x" * 100_000)])
    assert len(load_language("de").say(said(one))) == 4000


def test_a_refused_photo_is_told_in_german_by_way_of_the_wire() -> None:
    with pytest.raises(PersonaError) as caught:
        decode_photo("urlaub.gif", b"GIF89a")
    answer = PersonaAdded(1, False, "", (), wire(told_by(caught.value)))
    again = from_object(json.loads(json.dumps(to_object(answer))), TO_OBS)
    assert isinstance(again, PersonaAdded)
    told = load_language("de").say(phrase("photo.refused", why=said(again.error, closed=True)))
    assert told == (
        "Nicht hinzugefügt: urlaub.gif ist kein Bild, das Doppel lesen kann; nimm ein Bild im Format PNG,"
        " JPEG, WebP oder BMP."
    )
