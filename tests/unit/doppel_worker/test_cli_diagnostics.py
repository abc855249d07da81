from __future__ import annotations

import io
import json
import platform
import time
import zipfile
from pathlib import Path

import pytest
from doppel_ipc import status_file
from doppel_ipc.log_file import LOG_NAME
from doppel_ipc.paths import CONFIG_ENV, InstallConfig
from doppel_worker.cli.app import app
from doppel_worker.cli.diagnostics import bundle
from typer.testing import CliRunner

PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"GIF8", b"BM")


@pytest.fixture
def config(tmp_path: Path) -> InstallConfig:
    """The installation of somebody called Josephine, who has a face of Aunt Mary's."""
    home = tmp_path / "home" / "josephine"
    made = InstallConfig(
        home / "doppel",
        home / "doppel" / "python",
        home / "gate.so",
        home / "logs",
        home / "data" / "personas",
    )
    face = made.persona_dir / "aunt-mary"
    face.mkdir(parents=True)
    (face / "persona.json").write_text('{"name": "Aunt Mary"}', encoding="utf-8")
    (face / "photo.jpg").write_bytes(b"\xff\xd8\xff the face")
    lane = {
        "source": "Josephine's Webcam", "filter": "Filter of hers", "persona": "aunt-mary",
        "state": "Swapping: Aunt Mary.", "settings": {"persona": "aunt-mary", "strength": 0.5},
        "frames": {"in": 77},
    }  # fmt: skip
    removed = {"persona": "uncle-bob", "state": "Swapping: uncle-bob."}
    status = {
        "version": 1, "updated_ns": time.monotonic_ns(), "lanes": [lane, removed],
        "messages": [
            f"{home}/Pictures/Mary at the sea.jpg has no face", "Anna Miller.jpg is dark",
            "Josephine's Webcam: covered",
        ],
    }  # fmt: skip
    status_file.write(status_file.own_path(made.log_dir, 1), status)
    (face / "consent.txt").write_text("nothing of this is read", encoding="utf-8")
    log = (
        f"persona {face}/persona.json cannot be read\nAUNT MARY failed for josephine\n"
        f"File '{home}/My films/of Mary/x.py'; {home}/My films/of Mary/y is gone\n"
        "josephines-pc: 192.168.7.9 rtmp://live.example.org/app/live_7_key ann@example.org\nend"
    )
    (made.log_dir / LOG_NAME).write_text(log, encoding="utf-8")
    return made


def parts(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_the_bundle_holds_no_face_no_name_and_no_path_of_the_user(
    config: InstallConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "node", lambda: "josephines-pc")
    home = config.project.parent
    data = bundle(config, home, "josephine")
    found = parts(data)

    assert set(found) == {"README.txt", "about.txt", "status.json", LOG_NAME}
    for name, text in found.items():
        for private in (
            "josephine",
            "mary",
            "bob",
            "anna",
            "miller",
            "webcam",
            "filter of hers",
            "sea.jpg",
            "films",
            "-pc",
            "192.168",
            "live_7_key",
            "example.org",
            "/home/",
            str(home.parent.parent),
        ):
            assert private not in text.lower(), f"{name} tells {private!r}"
        assert not any(picture in text.encode() for picture in PICTURES)
    assert not any(name.endswith((".jpg", ".png")) for name in found)


def test_the_bundle_holds_what_a_helper_needs(config: InstallConfig) -> None:
    found = parts(bundle(config, config.project.parent, "josephine"))
    (status,) = json.loads(found["status.json"])
    assert status["lanes"][0]["settings"]["strength"] == 0.5
    assert status["lanes"][0]["frames"] == {"in": 77}
    assert 0 <= status["age_s"] < 60
    assert "package: numpy==" in found["about.txt"]
    assert "device: {'id': 'cpu'" in found["about.txt"]
    assert "MISSING" in found["about.txt"]
    assert found[LOG_NAME].endswith("end\n")


def test_it_is_written_where_nothing_ever_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = InstallConfig(*(tmp_path / name for name in ("project", "python", "gate", "logs", "personas")))
    (tmp_path / "config.json").write_text(config.to_json(), encoding="utf-8")
    monkeypatch.setenv(CONFIG_ENV, str(tmp_path / "config.json"))
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["diagnostics"])
    (path,) = tmp_path.glob("doppel-diagnostics-*.zip")
    assert result.exit_code == 0
    assert path.name in result.output
    assert parts(path.read_bytes())[LOG_NAME] == "\n"
