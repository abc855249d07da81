"""The language tables: nothing missing, nothing unused, the same placeholders in each."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from doppel_ipc.message_parts import CONSENT_GROUNDS
from doppel_ipc.said import Said
from doppel_ipc.settings import FIELDS
from doppel_obs import language
from doppel_obs.errors import LanguageError
from doppel_obs.language import FOLDER, load_language, placeholders
from doppel_obs.page_layout import GROUPS
from doppel_obs.phrases import SAID_PREFIX, phrase, said, verbatim

TABLES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")}
ENGLISH = TABLES["en"]
CODE = Path(language.__file__).parent
OTHERS = pytest.mark.parametrize("code", sorted(set(TABLES) - {"en"}))
_PHRASES = ("phrase", "words")
"""Functions whose first argument is a key."""


def strings_in(tree: ast.AST) -> set[str]:
    found = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return {value for value in found if isinstance(value, str)}


def strings_in_the_code() -> set[str]:
    """Every string of the OBS side that is a key in one piece, in whatever place it stands."""
    found: set[str] = set()
    for path in CODE.glob("*.py"):
        found |= strings_in(ast.parse(path.read_text(encoding="utf-8")))
    return found


def keys_asked_for() -> set[str]:
    """The keys that the code names when it makes a phrase."""
    found: set[str] = set()
    for path in CODE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in _PHRASES:
                found |= strings_in(node.args[0])
    return {key for key in found if "." in key or "-" in key}


def keys_of_the_tables() -> set[str]:
    """The keys that follow from the settings and from the page."""
    keys = {f"setting.{key}{end}" for key in FIELDS for end in ("", ".tip")}
    keys |= {f"choice.{key}.{one}" for key, field in FIELDS.items() for one in field.metadata["choices"]}
    keys |= {f"ground.{ground}" for ground in CONSENT_GROUNDS}
    return keys | {f"group.{group.key}" for group in GROUPS}


def test_there_are_the_languages_that_the_readme_names() -> None:
    assert {"en", "de", "es"} <= set(TABLES)


def test_english_has_every_text_that_the_code_asks_for() -> None:
    wanted = keys_asked_for() | keys_of_the_tables()
    assert len(wanted) > 150
    prefixes = {key for key in wanted if key.endswith(".")}  # f"group.{key}": the names follow elsewhere
    assert sorted(wanted - set(ENGLISH) - prefixes) == []


def test_no_text_is_left_that_nobody_uses() -> None:
    code = strings_in_the_code()
    named = {
        key.partition(".")[2]
        for key in ENGLISH
        if key.startswith(("page.", "group.")) and not key.endswith(".tip")
    }
    used = keys_of_the_tables() | (set(ENGLISH) & code)
    used |= {f"{kind}.{name}" for kind in ("page", "group") for name in named if name in code}
    used |= {f"{key}.tip" for key in used}
    own = {key for key in ENGLISH if not key.startswith(SAID_PREFIX)}  # the worker's: test_said.py
    assert sorted(own - used - {"language.name"}) == []


@OTHERS
def test_every_language_has_every_text_and_no_other(code: str) -> None:
    assert sorted(set(ENGLISH) - set(TABLES[code])) == [], "missing"
    assert sorted(set(TABLES[code]) - set(ENGLISH)) == [], "unknown"


@OTHERS
def test_the_placeholders_are_those_of_the_english_text(code: str) -> None:
    wrong = [key for key, text in ENGLISH.items() if placeholders(text) != placeholders(TABLES[code][key])]
    assert wrong == []


@OTHERS
def test_a_language_is_translated(code: str) -> None:
    same = {key for key, text in ENGLISH.items() if text == TABLES[code][key] and len(text.split()) > 2}
    allowed = {"verbatim", "device.row", "device.row-plain"}
    assert same - allowed == set()
    order = list(TABLES[code])
    assert order == list(ENGLISH), "keep the order of en.json, so that tables can be compared"


@pytest.mark.parametrize("locale", ["de-DE", "de-AT", "de"])
def test_the_first_part_of_the_locale_decides_where_there_is_no_table_of_its_own(locale: str) -> None:
    assert load_language(locale).say(phrase("status.paused")) == TABLES["de"]["status.paused"]


@pytest.mark.parametrize("locale", ["", "xx-YY", "../en", "zh-TW"])
def test_a_locale_without_a_table_reads_english(locale: str) -> None:
    assert load_language(locale).say(phrase("status.paused")) == ENGLISH["status.paused"]


def test_a_phrase_within_a_phrase_is_said_in_the_same_language() -> None:
    german = load_language("de-DE")
    said = phrase("page.delay", delay=phrase("status.delay", frames=2, ms=67))
    assert german.say(said) == "Das Bild kommt später: Verzögerung 2 Bilder (67 ms)"
    assert german.in_english(said) == "The picture comes later: delay 2 frames (67 ms)"


def test_braces_of_the_users_are_no_placeholders() -> None:
    name = "{clip} {0.__class__}"
    assert load_language("de").say(phrase("sound.no-source", name=name)).count(name) == 1
    assert load_language("de").say(verbatim(name)) == name


def test_a_table_with_mistakes_costs_those_sentences_only(tmp_path: Path) -> None:
    (tmp_path / "en.json").write_text(
        json.dumps({"a": "{n} frames", "b": "yes", "c": "no {n}", "d": "{n}"}), encoding="utf-8"
    )
    (tmp_path / "xx.json").write_text(
        json.dumps({"a": "{m} x", "b": "ja", "c": "{n", "d": "{n:q}"}), encoding="utf-8"
    )
    made = load_language("xx-YY", tmp_path)
    said = [made.say(phrase(key, n=3) if key != "b" else phrase(key)) for key in "abcd"]
    assert said == ["3 frames", "ja", "no 3", "3"]


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}'])
def test_a_table_that_cannot_be_read_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "en.json").write_text("{}", encoding="utf-8")
    (tmp_path / "xx.json").write_text(content, encoding="utf-8")
    with pytest.raises(LanguageError, match=r"xx\.json"):
        load_language("xx", tmp_path)


def test_what_others_may_read_is_said_without_names() -> None:
    english = load_language("en")
    assert english.unnamed(phrase("status.swapping", face="Aunt Mary")) == "Swapping: (...)."
    assert english.unnamed(phrase("worker.ended", code=3)) == "it ended with code 3"
    assert english.unnamed(phrase("status.worker-failed", why=verbatim("Mary.jpg"))).count("(...)") == 1
    why = Said("Mary.jpg shows 2 faces", "photo.faces", (("name", "Mary.jpg"), ("faces", "2")))
    assert english.unnamed(said(why)).startswith("(...) shows 2 faces")
    assert english.unnamed(said(Said("Mary is new", "of.a.newer-worker"))) == "said.of.a.newer-worker"
