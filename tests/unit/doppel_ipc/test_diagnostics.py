from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from doppel_ipc.diagnostics import BUILT_IN_FACES, Veil, about, changed_settings, faces_in, log_end
from doppel_ipc.log_file import LOG_NAME
from doppel_ipc.paths import InstallConfig
from doppel_ipc.settings import FilterSettings
from doppel_models.personas import BUILT_INS
from hypothesis import given
from hypothesis import strategies as st

HOME = Path("/home/jo")
CONFIG = InstallConfig(
    HOME / "doppel", HOME / "doppel" / "python", HOME / "doppel" / "gate.so", HOME / "logs", HOME / "faces"
)


def veil(*names: str) -> Veil:
    return Veil(CONFIG, HOME, names, "jo", "marys-pc.lan")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("/home/jo/doppel/python is missing", "(project)/python is missing"),
        ("/home/jo/logs cannot be written", "(logs) cannot be written"),
        ("/home/jo/Pictures/Aunt Mary at 3/4.JPG has no face", "(a path) has no face"),
        ("no face in /media/disk/mary, try again", "no face in (a path), try again"),
        ("'/media/mary'", "'(a path)'"),
        ("D:\\Faces\\mary.png is dark", "(a path) is dark"),
        ("C:\\Windows\\System32\\x.dll", "C:\\Windows\\System32\\x.dll"),
        ("ready: Anna Miller.jpg shows 2 faces", "ready: (a file) shows 2 faces"),
        ('"Anna (1).JPG", "me.png"', '"(a file)", "(a file)"'),
        ("(project)/face.onnx and persona.json are there", "(project)/face.onnx and persona.json are there"),
        ("/usr/lib/libobs.so, /proc/12/fd/3", "/usr/lib/libobs.so, /proc/12/fd/3"),
        ("3/4 and/or 2 / 3", "3/4 and/or 2 / 3"),
        ("jo's camera, JO, jo_laptop, join", "(user)'s camera, (user), (user)_laptop, join"),
        ("'/home/jo/My films/by Ann/notes' is there", "'(a path)' is there"),
        ("/home/jo/My films/by Ann/notes is there", "(a path) is there"),
        ("/usr/bin/env a ~/secret/x, '/usr/share/a b'", "/usr/bin/env a (a path), '/usr/share/a b'"),
        ("/home/jo2/secret, /home/jo/doppel-old/x, /libelle/x", "(a path), (a path), (a path)"),
        ("marys-pc has gone, MARYS-PC.LAN, marys-pc_2", "(host) has gone, (host), (host)_2"),
        ("rtmp://live.example.org/app/live_1_key; next", "(an address); next"),
        ("rtsp://jo:secret@cam.lan/s, file:///home/jo/a%20b.png", "(an address), (an address)"),
        ("https://example.org/x.onnx?token=abc.", "(an address)."),
        ("ask ann.miller+tv@example.org", "ask (an address)"),
        ("to 192.168.17.23:4455, 127.0.0.1:4455", "to (an address):4455, 127.0.0.1:4455"),
        ("fe80::1ff:fe23:4567:890a%eth0, 00:1a:2b:3c:4d:5e", "(an address)%eth0, (an address)"),
        ("x==4.10.0.84 at 22:10:05.123, M::Load, 29.0.2", "x==4.10.0.84 at 22:10:05.123, M::Load, 29.0.2"),
    ],
)  # fmt: skip
def test_paths_and_the_user_are_not_read(text: str, seen: str) -> None:
    assert veil().text(text) == seen


def test_names_are_replaced_each_by_its_own_and_the_longest_first() -> None:
    seen = veil("Mary", "Mary Miller", "[Zoë]\n").text("Mary, mary miller and [Zoë], Maryland; Zo\u00eb")
    assert seen == "(name 3), (name 1) and (name 2), Maryland; Zoë"
    assert "Zo" not in veil('Zoë "Z"').text(json.dumps('Zoë "Z"') + repr('Zoë "Z"'))
    assert "Zo" not in veil("Zo\u00eb").text("Zoe\u0308 as macOS writes files' names")


def test_names_of_faces_models_and_looks_are_read_from_their_files(tmp_path: Path) -> None:
    config = InstallConfig(tmp_path, tmp_path, tmp_path, tmp_path / "logs", tmp_path / "personas")
    (tmp_path / "personas" / "mary-2").mkdir(parents=True)
    (tmp_path / "personas" / "mary-2" / "persona.json").write_text(
        '{"name": "Aunt Mary", "consent": {"ground": "own", "who": "Cousin Lu"}}', encoding="utf-8"
    )
    (tmp_path / "personas" / "broken").mkdir()
    (tmp_path / "personas" / "broken" / "persona.json").write_text("{", encoding="utf-8")
    for folder, name in (("models", "Uncle Bob"), ("looks", "Evening")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "abc.json").write_text(json.dumps({"name": name}), encoding="utf-8")
    seen = Veil(config, HOME, (), "jo").text(
        "mary-2: Aunt Mary, says Cousin Lu, by Uncle Bob, Evening, broken, mesh"
    )
    assert seen.count("(name ") == 6
    assert not [word for word in ("ary", "Lu", "Bob", "Evening", "broken") if word in seen]
    assert "mesh" in seen


@pytest.mark.timeout(20)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_records_of_strangers_neither_keep_it_waiting_nor_end_it(tmp_path: Path) -> None:
    config = InstallConfig(tmp_path, tmp_path, tmp_path, tmp_path / "logs", tmp_path / "personas")
    for name in ("pipe", "endless", "deep", "ann"):
        (tmp_path / "personas" / name).mkdir(parents=True)
    os.mkfifo(tmp_path / "personas" / "pipe" / "persona.json")
    (tmp_path / "personas" / "endless" / "persona.json").symlink_to("/dev/zero")
    (tmp_path / "personas" / "deep" / "persona.json").write_text("[" * 50_000, encoding="utf-8")
    (tmp_path / "personas" / "ann" / "persona.json").write_text('{"name": "Aunt Mary"}', encoding="utf-8")
    assert Veil(config, HOME, (), "jo").text("Aunt Mary") == "(name 1)"


@given(st.recursive(st.text() | st.integers() | st.none(), st.lists, max_leaves=10), st.text(min_size=2))
def test_no_name_is_left_in_data(value: object, name: str) -> None:
    name = name.strip()
    hidden = json.dumps(
        veil(name).data({"key": [value, f"x {name} y", "/home/jo/x y.png"]}), ensure_ascii=False
    )
    assert "home" not in hidden.replace(name, "")
    if len(name) > 3 and name.isalpha():
        assert name not in hidden.replace("name", "").replace("path", "").replace("user", "")


@pytest.mark.timeout(60)
def test_a_line_full_of_beginnings_of_paths_does_not_take_minutes() -> None:
    assert veil().text("D:\\x " * 60_000) == "(a path) " * 60_000
    for text in ("/a b", "/a b c d ", "'/a ", "a@b.", "a:", "1.", "rtmp://", "~/x x"):
        veil().text(text * 5_000)


def test_settings_are_told_where_they_differ_and_the_users_words_are_not() -> None:
    settings = FilterSettings(
        strength=0.5, label_text="Jo's stream", slate_image="/media/jo.png", sound_source="Mic"
    )
    settings = settings.replace(engine="Uncle Bob", faces="all", device="cuda:0")
    settings = settings.replace(persona="aunt-mary", person1_persona="bronze")
    assert faces_in(settings) == ["aunt-mary"]
    assert changed_settings(settings) == {
        "engine": "(set)", "faces": "all", "device": "cuda:0",
        "persona": "(set)", "person1_persona": "bronze",
        "strength": 0.5, "label_text": "(set)", "slate_image": "(set)", "sound_source": "(set)",
    }  # fmt: skip


def test_faces_that_are_nobodys_are_the_built_in_ones() -> None:
    assert {one.id for one in BUILT_INS} == set(BUILT_IN_FACES)


def test_the_end_of_the_log_runs_over_its_files(tmp_path: Path) -> None:
    for suffix, first in (("", 6), (".1", 3), (".2", 0)):
        lines = "".join(f"line {number}\n" for number in range(first, first + 3))
        (tmp_path / f"{LOG_NAME}{suffix}").write_text(lines, encoding="utf-8")
    assert log_end(tmp_path, 5) == [f"line {number}" for number in range(4, 9)]
    assert log_end(tmp_path / "nowhere", 5) == []


def test_what_is_missing_is_said() -> None:
    assert any("gate.so (MISSING)" in line for line in about(CONFIG))
