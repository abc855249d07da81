import json
from pathlib import Path

from installer import demo
from installer.environment import Environment
from installer.progress import Progress


def test_what_is_wrong_with_a_photo_is_told(tmp_path, monkeypatch, capsys):
    made = {"id": "me", "warnings": ["the mouth is open", "the light is dim"]}
    monkeypatch.setattr(demo, "run_command", lambda *_: f"loading\n{json.dumps(made)}\n")
    assert demo.add_persona(Path("me.jpg"), "own", Environment(tmp_path), Progress()) == "me"
    said = capsys.readouterr().err
    for warning in made["warnings"]:
        assert f"note on the photo: {warning}" in said
