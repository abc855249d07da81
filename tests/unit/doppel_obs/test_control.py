from __future__ import annotations

import ctypes
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from doppel_ipc import gate_abi, status_file
from doppel_ipc.log_file import LOG_NAME
from doppel_ipc.paths import InstallConfig
from doppel_obs.control import Control
from doppel_obs.persona_requests import NewPersona

from tests.unit.doppel_obs.english import ENGLISH, words
from tests.unit.doppel_obs.fake_obs import PARENT, WEAK, FakeHolder

PROJECT = Path(__file__).resolve().parents[3]
FAKE_WORKER = Path(__file__).parent / "fake_worker.py"


def until(condition: Callable[[], bool], holder: FakeHolder) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, holder.libobs.lines
        time.sleep(0.01)


@pytest.fixture
def holder(ring_library: ctypes.CDLL) -> FakeHolder:
    return FakeHolder(ring_library)


@pytest.fixture
def make(tmp_path: Path, holder: FakeHolder) -> Iterator[Callable[[str], Control]]:
    started: list[Control] = []

    def one(behaviour: str) -> Control:
        python = tmp_path / "python"
        command = f'FAKE_WORKER={behaviour} exec "{sys.executable}" "{FAKE_WORKER}"'
        python.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
        python.chmod(python.stat().st_mode | stat.S_IXUSR)
        config = InstallConfig(PROJECT, python, tmp_path / "lib.so", tmp_path / "logs", tmp_path / "personas")
        started.append(Control(holder.as_holder(), config, ENGLISH))
        started[-1].start()
        return started[-1]

    yield one
    for control in started:
        control.stop()


def test_a_lane_that_the_worker_could_not_open_is_opened_the_next_time(
    make: Callable[[str], Control], holder: FakeHolder
) -> None:
    holder.gate.filters = [1]
    control = make("refuses-the-first-lane")
    until(lambda: holder.gate.detached == 1, holder)
    until(lambda: len(holder.gate.attached) == 2, holder)

    instance = control.instance(1)
    assert instance is not None
    until(lambda: not instance.refused, holder)
    assert any("no such segment" in line for line in holder.libobs.lines)


def test_a_lane_that_cannot_be_made_is_said_in_both_logs_and_its_end_too(
    make: Callable[[str], Control], holder: FakeHolder, tmp_path: Path
) -> None:
    holder.gate.filters = [1]
    holder.gate.attach_result = gate_abi.ATTACH_CANNOT_MAP
    control = make("good")
    until(lambda: any("cannot be mapped" in line for line in holder.libobs.lines), holder)
    holder.gate.attach_result = 0
    until(lambda: (found := control.instance(1)) is not None and found.lane.problem is None, holder)
    control.stop()
    log = (tmp_path / "logs" / LOG_NAME).read_text(encoding="utf-8")
    assert "filter 1: status." in log
    assert "cannot be mapped" in log


def test_filters_that_go_while_the_worker_is_replaced_trouble_nobody(
    make: Callable[[str], Control], holder: FakeHolder
) -> None:
    holder.gate.filters = [1, 2]
    control = make("crash")
    for number in range(3, 9):
        until(lambda n=number: control.instance(n - 1) is not None, holder)
        holder.gate.filters = [number - 1, number]
    until(lambda: len(holder.gate.attached) > 3, holder)
    control.stop()

    assert not any("Traceback" in line for line in holder.libobs.lines), holder.libobs.lines
    assert holder.libobs.references == {PARENT: 0, WEAK: 0}


def test_a_photo_that_no_worker_can_take_is_refused_at_once(
    make: Callable[[str], Control], holder: FakeHolder
) -> None:
    holder.gate.filters = [1]
    control = make("mute")
    until(lambda: control.instance(1) is not None, holder)
    control.add_persona(1, NewPersona(("/photo.png",), "Ann", "own", licence=False))
    until(lambda: any("not ready" in line for line in holder.libobs.lines), holder)


def test_the_name_of_a_photo_is_told_on_the_page_and_in_no_file(
    make: Callable[[str], Control], holder: FakeHolder, tmp_path: Path
) -> None:
    holder.gate.filters = [1]
    control = make("good")
    until(lambda: len(holder.gate.attached) == 1, holder)
    control.add_persona(1, NewPersona(("/home/jo/Anna Miller.jpg",), "Anna", "own", licence=False))
    until(lambda: any("Anna Miller.jpg shows 2 faces" in line for line in holder.libobs.lines), holder)
    until(lambda: (one := control.instance(1)) is not None and "add" in one.answers, holder)

    def answer() -> str:
        one = control.instance(1)
        return "" if one is None else words(*one.answers["add"])

    until(lambda: "Anna Miller.jpg" in answer() and "2 faces" in answer(), holder)
    status = status_file.own_path(tmp_path / "logs", os.getpid())
    until(lambda: status.is_file() and "2 faces" in status.read_text(encoding="utf-8"), holder)
    for path in (status, tmp_path / "logs" / LOG_NAME):
        text = path.read_text(encoding="utf-8")
        assert "2 faces" in text
        assert "Anna" not in text
        assert "Miller" not in text


def test_the_panic_goes_on_when_the_script_is_reloaded(
    make: Callable[[str], Control], holder: FakeHolder
) -> None:
    holder.gate.filters = [1]
    control = make("good")
    until(lambda: holder.gate.panics == [0], holder)
    control.toggle_panic()
    control.stop()
    again = make("good")
    until(lambda: again.instance(1) is not None and len(holder.gate.panics) > 2, holder)

    assert again.panic
    assert holder.gate.panics[0] == 0
    assert set(holder.gate.panics[1:]) == {1}


def test_what_the_worker_fell_back_to_is_told_at_every_filter_also_one_that_comes_later(
    make: Callable[[str], Control], holder: FakeHolder
) -> None:
    holder.gate.filters = [1, 2]
    control = make("falls-back")
    until(lambda: len(holder.gate.attached) == 2, holder)
    holder.gate.filters = [1, 2, 3]
    until(lambda: len(holder.gate.attached) == 3, holder)

    filters = [control.instance(number) for number in (1, 2, 3)]
    assert [words(item.notice) for item in filters if item is not None] == ["The CPU does the work."] * 3
    assert [item.error for item in filters if item is not None] == [None] * 3, "it is no filter's alone"
    assert any("the folder cannot be read" in line for line in holder.libobs.lines)


def test_a_page_that_is_refreshed_asks_for_faces_that_have_come_since(
    make: Callable[[str], Control], holder: FakeHolder
) -> None:
    def asked() -> int:
        return sum("the list is asked for" in line for line in holder.libobs.lines)

    holder.gate.filters = [1]
    control = make("good")
    until(lambda: asked() == 1, holder)
    control.refresh_page(1)
    until(lambda: asked() == 2, holder)
