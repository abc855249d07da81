import json
import subprocess
import sys

import pytest

from installer.obs_config import ObsVersion
from installer.suite_results import read_junit, results_path, write_results

TESTS = """
import pytest

@pytest.fixture
def broken():
    raise OSError("no display")

@pytest.fixture
def breaks_at_its_end():
    yield
    raise OSError("leaks")

def test_good():
    pass

@pytest.mark.parametrize("number", [1, 2])
def test_numbers(number):
    assert number == 1

def test_fixture(broken):
    pass

def test_end(breaks_at_its_end):
    assert False

def test_skipped():
    pytest.skip("no kernel module")
"""


@pytest.fixture(scope="module")
def junit(tmp_path_factory):
    """What a real pytest writes."""
    folder = tmp_path_factory.mktemp("suite")
    (folder / "test_things.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-o", "junit_family=xunit1", "--junit-xml", "junit.xml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    assert done.returncode == 1
    return folder / "junit.xml"


def test_each_outcome_is_counted_by_file_and_as_a_whole(junit):
    results = read_junit(junit)
    counts = {"passed": 2, "failed": 3, "skipped": 1}
    assert {key: results["tests"][key] for key in counts} == counts
    assert results["files"].keys() == {"test_things.py"}
    assert {key: results["files"]["test_things.py"][key] for key in counts} == counts


def test_what_failed_and_why_something_was_skipped_is_named(junit):
    results = read_junit(junit)
    names = ["test_numbers[2]", "test_fixture", "test_end"]
    assert results["failed"] == [f"test_things.py::{name}" for name in names]
    assert results["skipped"] == {"test_things.py::test_skipped": "no kernel module"}


def test_the_file_names_the_versions_that_were_tested(junit, tmp_path):
    path = results_path(tmp_path / "new", 30)
    write_results(path, junit, ObsVersion(30, 2, 3), "3.13.5", everything=True)
    assert path.name == "obs-30.json"
    written = json.loads(path.read_text(encoding="utf-8"))
    assert (written["obs"], written["python"], written["long_tests"]) == ("30.2.3", "3.13.5", True)
    assert written["tests"]["failed"] == 3
