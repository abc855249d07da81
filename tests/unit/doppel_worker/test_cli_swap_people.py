"""``doppel swap`` with a persona per person, by ``--set``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from doppel_models.types import ByteArray
from doppel_worker.cli.app import app
from typer.testing import CliRunner

from tests.support.crossing_people import CrossingPeople, warmth
from tests.support.faces import room
from tests.support.portrait import astronaut, paste_head
from tests.support.video import read_video, write_video

COUNT = 16
BRONZE, PORCELAIN = 0.45, 0.22
"""Warmth of their cheeks, far from both; the filmed faces lie between."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOPPEL_HOME", str(tmp_path / "home"))


def swapped(tmp_path: Path, people: CrossingPeople, *settings: str) -> ByteArray:
    """The last frame of the first ones of the clip."""
    write_video(tmp_path / "in.mp4", people.frames[:COUNT], crf=10)
    command = ["swap", str(tmp_path / "in.mp4"), str(tmp_path / "out.mp4"), "--persona", "porcelain"]
    for setting in ("label=off", "color_match=none", *settings):
        command += ["--set", setting]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    return [rgb for _, rgb in read_video(tmp_path / "out.mp4")][-1]


def test_each_person_of_a_file_gets_their_own_persona(tmp_path: Path) -> None:
    people = CrossingPeople()
    last = COUNT - 1
    filmed = [warmth(people.frames[last], points[last]) for points in (people.anna, people.bea)]
    rgb = swapped(
        tmp_path, people, "faces=named", "person1_who=rightmost", "person1_persona=bronze",
        "person2_who=leftmost",
    )  # fmt: skip
    anna, bea = (warmth(rgb, points[last]) for points in (people.anna, people.bea))
    assert anna < PORCELAIN < min(filmed)
    assert bea > BRONZE > max(filmed)


@pytest.mark.parametrize(
    ("people", "told"),
    [
        (("leftmost",), ["nobody in this video was person 1 (leftmost)"]),
        (("largest",), ["person 1: now using bronze"]),
        (
            ("largest", "leftmost"),
            ["person 1, 2: now using bronze", "nobody in this video was person 2 (leftmost)"],
        ),
    ],
)
def test_a_face_for_somebody_who_never_came_is_not_said_to_be_used(
    people: tuple[str, ...], told: list[str], tmp_path: Path
) -> None:
    wanted = ["--set", "faces=all"]
    for number, who in enumerate(people, 1):
        wanted += ["--set", f"person{number}_who={who}", "--set", f"person{number}_persona=bronze"]
    canvas = room(320, 240)
    paste_head(canvas, astronaut(), center=(160.0, 120.0), height=110.0)
    write_video(tmp_path / "in.mp4", [canvas] * 15)
    files = [str(tmp_path / "in.mp4"), str(tmp_path / "out.mp4")]
    outcome = CliRunner().invoke(app, ["swap", *files, "--persona", "porcelain", *wanted, "--json"])
    assert outcome.exit_code == 0, outcome.output
    assert json.loads(outcome.stdout)["events"] == ["now using porcelain", *told]
