from __future__ import annotations

import json

from doppel_ipc.messages import TO_OBS, Event, from_object, to_object
from doppel_ipc.said import DEEPEST, Said
from doppel_models.errors import ModelsError
from doppel_models.sentences import Sentence, both, sentence
from doppel_worker.saying import unnamed, wire


def test_a_sentence_goes_out_with_its_parts() -> None:
    inner = sentence("part.nose", "the nose")
    made = wire(sentence("photo.covered", "something covers {parts} in {name}", parts=inner, name="a.png"))
    assert made == "something covers the nose in a.png"
    assert made.to_json() == {
        "text": "something covers the nose in a.png",
        "key": "photo.covered",
        "values": {"parts": {"text": "the nose", "key": "part.nose", "values": {}}, "name": "a.png"},
    }
    assert wire("plain").to_json() == "plain"


def test_whatever_is_said_may_be_sent() -> None:
    long: str = "x" * 100_000
    for _ in range(2 * DEEPEST):
        long = sentence("a", "{why} {name}", why=long, name="\ud800" * 9000)
    message = from_object(json.loads(json.dumps(to_object(Event(0, "persona", wire(long))))), TO_OBS)
    assert isinstance(message, Event)
    assert isinstance(message.text, Said)
    assert message.text.key == "a"
    assert len(message.text) == 2000


def test_what_is_nested_too_deeply_stays_english_from_there_on() -> None:
    made: str = sentence("bottom", "bottom")
    for number in range(DEEPEST + 2):
        made = sentence(f"k{number}", "{why}", why=made)
    said: str = wire(made)
    keys = []
    while isinstance(said, Said) and said.key:
        keys.append(said.key)
        said = dict(said.values)["why"]
    assert said == "bottom"
    assert len(keys) == DEEPEST - 1


def test_many_remarks_at_once_keep_their_keys() -> None:
    many = both(*(sentence("x", "{n}", n=number) for number in range(16)))
    leaves: list[str] = []

    def walk(one: str) -> None:
        assert isinstance(one, Said)
        if one.key == "x":
            leaves.append(str(one))
        else:
            for _, value in one.values:
                walk(value)

    walk(wire(many))
    assert isinstance(many, Sentence)
    assert leaves == [str(number) for number in range(16)]


def test_the_log_names_neither_photos_nor_faces() -> None:
    why = sentence("photo.faces", "{name} shows {faces} faces", name="Anna Miller.jpg", faces=2)
    outer = sentence("persona.refused", "{name}: {why}", name="Anna", why=why)
    assert unnamed(ModelsError(outer)) == "persona.refused (photo.faces)"
    assert unnamed(OSError(2, "No such file", "Anna Miller.jpg")) == "FileNotFoundError"
    assert "Anna" not in unnamed("Anna Miller.jpg is dark")
