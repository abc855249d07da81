import json
import sys

import pytest

from installer.environment import (
    STAMP,
    Environment,
    Interpreter,
    choose_interpreter,
    find_interpreters,
    flavor,
)
from installer.errors import InterpreterError
from installer.layout import PROJECT
from installer.progress import Progress


def python(version, *, venv=True, pip=True):
    return Interpreter(f"/usr/bin/python{version[1]}", version, "/usr", False, venv, pip)


def test_an_interpreter_that_can_make_environments_is_preferred():
    bare, whole = python((3, 11), venv=False), python((3, 12))
    assert choose_interpreter([python((3, 9)), bare, whole]) == whole


def test_a_bare_interpreter_is_better_than_none():
    bare = python((3, 11), venv=False)
    assert choose_interpreter([python((3, 10)), bare]) == bare


def test_without_a_suitable_interpreter_the_error_names_those_that_were_found():
    with pytest.raises(InterpreterError, match=r"no Python 3\.11") as caught:
        choose_interpreter([python((3, 9))])
    assert "/usr/bin/python9 (3.9)" in str(caught.value)
    assert "apt-get install" in str(caught.value)


def test_interpreters_of_virtual_environments_are_left_out():
    found = find_interpreters()
    assert found
    assert not any(item.is_virtual for item in found)
    assert any(item.version == sys.version_info[:2] for item in found)


@pytest.mark.parametrize(
    ("driver", "machine", "kind"),
    [
        (None, "x86_64", "cpu"),
        (535, "x86_64", "cpu"),
        (580, "x86_64", "gpu"),
        (595, "AMD64", "gpu"),
        (595, "aarch64", "cpu"),
    ],
)
def test_the_packages_follow_the_driver_and_the_machine(driver, machine, kind):
    assert flavor(driver, machine) == kind


def test_a_stamp_without_a_working_interpreter_is_not_believed(tmp_path):
    environment = Environment(PROJECT, tmp_path / "venv")
    environment.folder.mkdir()
    (environment.folder / STAMP).write_text(json.dumps({"sections": ["common", "cpu"]}))
    assert not environment.is_complete({"common", "cpu"})


@pytest.mark.long
def test_an_environment_is_made_whole_again_after_an_interruption(tmp_path):
    progress = Progress()
    environment = Environment(PROJECT, tmp_path / "venv")
    environment.ensure("cpu", (), progress)
    assert environment.is_complete({"common", "cpu", "build"})
    (environment.folder / STAMP).unlink()
    next((environment.folder / "lib").glob("python3*/site-packages/numpy/__init__.py")).unlink()
    environment.ensure("cpu", (), progress)
    assert environment.is_complete({"common", "cpu", "build"})
