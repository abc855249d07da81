import os
import re
import subprocess
import sys

import pytest

from installer.suite_parts import failed_lines, one_closing_line, suite_parts
from installer.suite_results import read_junit

SETTINGS = """
[pytest]
addopts = --strict-markers
markers =
    obs: needs OBS
    alone: measures time
    long: takes minutes
"""
TESTS = """
import os
import pytest

def test_plain():
    assert "PYTEST_XDIST_WORKER" in os.environ

@pytest.mark.parametrize("number", [1, 2, 3])
def test_numbers(number):
    assert number != 2, "it is two"

@pytest.mark.obs
def test_with_obs():
    assert "PYTEST_XDIST_WORKER" not in os.environ

@pytest.mark.alone
def test_alone():
    assert "PYTEST_XDIST_WORKER" not in os.environ

@pytest.mark.obs
@pytest.mark.alone
def test_both():
    pass

@pytest.mark.long
def test_long():
    pass

@pytest.mark.long
@pytest.mark.obs
def test_long_with_obs():
    pass
"""
QUICK = {"test_plain", "test_with_obs", "test_alone", "test_both", *(f"test_numbers[{n}]" for n in (1, 2, 3))}
LONG = {"test_long", "test_long_with_obs"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pytest.ini").write_text(SETTINGS)
    (tmp_path / "test_things.py").write_text(TESTS)
    return tmp_path


def run(folder, parts):
    """Runs the parts by a real pytest: exit codes, closing lines and results, one of each for a part."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    codes, closings, cases = [], {}, []
    for part in parts:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "xdist", *part.arguments]
        done = subprocess.run(
            command, cwd=folder, env=environ, capture_output=True, text=True, timeout=250, check=False
        )
        codes.append(done.returncode)
        closings[part.name] = done.stdout.strip().splitlines()[-1]
        cases.append(read_junit(part.junit))
    return codes, closings, cases


def short(cases):
    return {name.partition("::")[2] for name in cases}


@pytest.mark.parametrize("everything", [False, True])
def test_every_test_runs_once_those_with_obs_by_themselves(folder, everything):
    parts = suite_parts((), folder, everything=everything, chosen=False, processors=2)
    codes, closings, (at_once, one_by_one) = run(folder, parts)
    assert codes == [1, 0]
    assert short(at_once) | short(one_by_one) == QUICK | (LONG if everything else set())
    assert not short(at_once) & short(one_by_one)
    failed = [name for cases in (at_once, one_by_one) for name in failed_lines(cases)]
    assert len(failed) == 1
    assert failed[0].startswith("FAILED test_things.py::test_numbers[2] - AssertionError: it is two")
    passed = len(QUICK) - 1 + (len(LONG) if everything else 0)
    assert f" 1 failed, {passed} passed in 61.00s (0:01:01) " in one_closing_line(closings, 61.0)


def test_a_single_processor_gets_one_process_and_chosen_tests_too(folder):
    for part in suite_parts((), folder, everything=False, chosen=False, processors=1):
        assert "-n" not in part.arguments
    (part,) = suite_parts(
        ("test_things.py::test_alone",), folder, everything=False, chosen=True, processors=4
    )
    codes, closings, (cases,) = run(folder, [part])
    assert codes == [0]
    assert short(cases) == {"test_alone"}
    assert "1 passed" in closings[part.name]


def test_a_part_that_ended_without_counts_is_an_error():
    line = one_closing_line({"a": "== 3 passed, 1 skipped in 1.0s ==", "b": "Segmentation fault"}, 3700.0)
    assert line.strip("=") == " 3 passed, 1 skipped, 1 errors in 3700.00s (1:01:40) "
    assert re.fullmatch(r"=+ .* =+", line)
    line = one_closing_line({"a": "== 2 errors, 1 warning in 1.0s ==", "b": "== 1 passed, 1 error =="}, 0.5)
    assert line.strip("=") == " 1 passed, 1 warnings, 3 errors in 0.50s (0:00:00) "


def test_a_long_closing_line_is_still_one_of_pytests_form():
    words = "1 failed, 3700 passed, 40 skipped, 3 xfailed, 2 xpassed, 12 warnings, 5 errors"
    line = one_closing_line({"a": f"== {words} in 1.0s =="}, 12345.0)
    assert re.fullmatch(rf"=+ {words} in 12345\.00s \(3:25:45\) =+", line)
