"""``doppel swap`` with model files given by their paths."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from doppel_models.errors import ModelsError
from doppel_models.personas import PersonaStore
from doppel_worker.cli.app import app
from typer.testing import CliRunner

from tests.support.faces import room
from tests.support.portrait import FIXTURES, astronaut, paste_head
from tests.support.probes import build
from tests.support.video import read_video, write_video

LOOK = ("label=off", "color_match=none", "keep_mouth=off", "keep_eyes=off")
FACE = (slice(100, 140), slice(140, 180))
RED = np.array([0.9, 0.15, 0.1])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOPPEL_HOME", str(tmp_path / "home"))


def clip(folder: Path) -> Path:
    canvas = room(320, 240)
    paste_head(canvas, astronaut(), center=(160.0, 120.0), height=110.0)
    path = folder / "in.mp4"
    write_video(path, [canvas] * 4)
    return path


def red(size: int) -> build.Picture:
    """Red, a little brighter to the right."""
    ramp = np.linspace(0.95, 1.05, size)[None, :, None]
    return np.clip(np.ones((size, size, 1)) * ramp * RED, 0, 1)


def swapped(folder: Path, *arguments: str) -> tuple[dict[str, object], np.ndarray]:
    """The figures, and the mean colour of the face."""
    options = [part for setting in LOOK for part in ("--set", setting)]
    target = folder / "out.mp4"
    command = ["swap", str(clip(folder)), str(target), *arguments, *options, "--json"]
    outcome = CliRunner().invoke(app, command, catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    frames = [frame for _, frame in read_video(target)]
    return json.loads(outcome.stdout), np.mean([frame[FACE] for frame in frames], axis=(0, 1, 2))


def test_a_trained_model_is_the_persona(tmp_path: Path) -> None:
    model = tmp_path / "somebody.dfm"
    model.write_bytes(build.dfm(build.paint(red(224))))
    figures, color = swapped(tmp_path, "--persona", str(model), "--consent", "synthetic")
    assert figures["swapped"] == 4
    assert np.abs(color - 255 * RED).max() < 14
    assert PersonaStore().find("somebody").consent.ground == "synthetic"
    # With its consent on record it is found again by its file.
    again, _ = swapped(tmp_path, "--persona", str(model))
    assert again["persona"] == figures["persona"]


def test_a_photo_wears_a_model_file(tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "a.onnx").write_bytes(build.swapper("inswapper", build.paint(red(128))))
    (models / "b.onnx").write_bytes(build.arcface())
    figures, color = swapped(
        tmp_path,
        *("--persona", str(FIXTURES / "astronaut.png"), "--consent", "public-domain"),
        *("--set", f"engine={models / 'a.onnx'}"),
    )
    assert figures["swapped"] == 4
    assert np.abs(color - 255 * RED).max() < 14


def test_a_trained_model_is_added_like_a_photo(tmp_path: Path) -> None:
    model = tmp_path / "somebody.dfm"
    model.write_bytes(build.dfm(build.paint(red(224))))
    command = ["persona", "add", str(model), "--name", "Some Body", "--consent", "own", "--json"]
    outcome = CliRunner().invoke(app, command, catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    added = json.loads(outcome.stdout)
    assert (added["id"], added["kind"], added["engine"]) == ("some-body", "model", "dfm")
    assert "terms of whoever trained it" in " ".join(outcome.stderr.split())
    figures, color = swapped(tmp_path, "--persona", "Some Body")
    assert figures["persona"] == "some-body"
    assert np.abs(color - 255 * RED).max() < 14


@pytest.mark.parametrize("name", ["recogniser.onnx", "photo.dfm"])
def test_what_is_no_trained_model_is_no_persona(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(build.arcface() if name.startswith("recogniser") else b"no model at all" * 9)
    with pytest.raises(ModelsError, match=r"trained for one face|cannot be used"):
        CliRunner().invoke(app, ["persona", "add", str(file), "--consent", "own"], catch_exceptions=False)
