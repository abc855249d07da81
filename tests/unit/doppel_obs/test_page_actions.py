from __future__ import annotations

import ctypes
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from doppel_ipc.messages import Choices
from doppel_ipc.paths import InstallConfig
from doppel_ipc.settings import FilterSettings
from doppel_obs.diagnostics import FILE_NAME, Facts
from doppel_obs.page_actions import PageActions
from doppel_obs.phrases import phrase
from doppel_obs.properties import PersonaChoice

from tests.unit.doppel_obs.english import ENGLISH
from tests.unit.doppel_obs.fake_obs import FakeHolder

NOTHING = Choices((), ())
PROJECT = Path(__file__).resolve().parents[3]


def worn(persona: str, name: str) -> SimpleNamespace:
    """A filter that swaps to a face."""
    line = SimpleNamespace(lines=lambda: (phrase("status.swapping", face=name),))
    return SimpleNamespace(line=line, settings=FilterSettings(persona=persona), stats=None)


def test_diagnostics_do_not_name_a_face_that_is_worn_though_it_was_removed(
    ring_library: ctypes.CDLL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no clipboard
    filters = [worn("jo-miller", "Josephine Miller"), worn("bronze", "Bronze mask")]
    answers: list[object] = []
    control: Any = SimpleNamespace(
        personas=(PersonaChoice("jo-miller", "Josephine Miller"), PersonaChoice("bronze", "Bronze mask")),
        choices=NOTHING,
        filters=lambda: filters,
        instance=lambda filter_id: filters[filter_id - 1],
        facts=lambda: Facts(None, 1, 0, NOTHING),
        answer=lambda *said: answers.append(said),
    )
    holder: Any = FakeHolder(ring_library)
    holder.guarded = lambda _default, work: work
    config = InstallConfig(tmp_path, tmp_path, tmp_path, tmp_path / "logs", tmp_path / "personas")
    callbacks: Any = None
    PageActions(holder, control, config, ENGLISH, callbacks).clicked("diagnostics", 1)
    deadline = time.monotonic() + 60
    while not answers:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    text = (tmp_path / "logs" / FILE_NAME).read_text(encoding="utf-8")
    assert "filter 1: Swapping: (name 1)." in text
    assert "filter 2: Swapping: Bronze mask." in text
    assert "Josephine" not in text
    assert "Miller" not in text


def test_the_page_tells_nothing_untrue_of_a_face_before_the_worker_has_listed_any(
    ring_library: ctypes.CDLL,
) -> None:
    control: Any = SimpleNamespace(personas=())
    callbacks: Any = None
    config = InstallConfig(PROJECT, PROJECT, PROJECT, PROJECT, PROJECT / "personas")
    actions = PageActions(FakeHolder(ring_library), control, config, ENGLISH, callbacks)
    assert "masks/porcelain.jpg" in actions.preview("porcelain")
    assert actions.preview("me") == "The picture comes when the worker is ready."
