import subprocess

import pytest

from installer.layout import PROJECT
from installer.own_files import PARTS, asked_to_keep, own_in_project
from installer.progress import Progress

OWN = pytest.mark.parametrize("own", ["personas/me/photo.png", "models/00ff.onnx", "looks/evening.json"])


def put(folder, name):
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_bytes(b"x")


@pytest.mark.parametrize(("answer", "kept"), [("", True), ("n", True), ("y", False), ("Yes ", False)])
@OWN
def test_what_is_the_users_is_deleted_only_when_they_say_so(tmp_path, monkeypatch, own, answer, kept):
    asked = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or answer)
    assert asked_to_keep(tmp_path, Progress()) is False
    assert asked == [], "there is nothing to ask about"
    put(tmp_path, own)
    assert asked_to_keep(tmp_path, Progress()) is kept
    assert len(asked) == 1


@OWN
def test_what_is_the_users_stays_where_nobody_can_be_asked(tmp_path, monkeypatch, capsys, own):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert asked_to_keep(tmp_path, Progress()) is False
    put(tmp_path, own)
    assert asked_to_keep(tmp_path, Progress()) is True
    assert "they stay" in capsys.readouterr().err


def test_no_answer_at_all_is_no_yes(tmp_path, monkeypatch):
    def ended(_):
        raise EOFError

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", ended)
    put(tmp_path, "personas/me/photo.png")
    assert asked_to_keep(tmp_path, Progress()) is True


def test_everything_of_the_projects_is_known_as_such(tmp_path):
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=False
    ).stdout.split("\0")
    names = {name.partition("/")[0] for name in listed if name and not name.startswith(".")}
    if not names:
        pytest.skip("this is no checkout")
    assert names == PARTS
    for name in PARTS:
        put(tmp_path, f"{name}/x")
    assert own_in_project(tmp_path) == []
