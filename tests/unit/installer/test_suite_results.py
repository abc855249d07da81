import json
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

from installer import testing
from installer.errors import CommandError
from installer.obs_config import ObsVersion
from installer.progress import Progress
from installer.suite_results import COMMIT_ENV, commit, read_junit, results_path, summary, write_results

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
    counts = summary(read_junit(junit))
    assert counts.keys() == {"total", "test_things.py"}
    for entry in counts.values():
        assert (entry["passed"], entry["failed"], entry["skipped"]) == (2, 3, 1)


def test_what_failed_and_why_something_was_skipped_is_named(junit):
    cases = read_junit(junit)
    failed = [name for name, case in cases.items() if case["outcome"] == "failed"]
    assert failed == [f"test_things.py::{name}" for name in ("test_numbers[2]", "test_fixture", "test_end")]
    assert "no display" in cases["test_things.py::test_fixture"]["why"]
    assert cases["test_things.py::test_skipped"]["why"] == "no kernel module"


def test_the_file_names_the_versions_that_were_tested(junit, tmp_path):
    path = results_path(tmp_path / "new", 30)
    write_results(path, [junit], ObsVersion(30, 2, 3), "3.13.5", everything=True, whole=True)
    assert path.name == "obs-30.json"
    written = json.loads(path.read_text(encoding="utf-8"))
    assert (written["obs"], written["python"], written["long_tests"]) == ("30.2.3", "3.13.5", True)
    assert written["summary"]["total"]["failed"] == 3


def test_some_tests_alone_take_their_place_among_the_earlier_results(junit, tmp_path, monkeypatch):
    path = tmp_path / "obs-30.json"
    version = ObsVersion(30, 2, 3)
    kept = {"outcome": "passed", "seconds": 1.0}
    mended = {"outcome": "failed", "seconds": 1.0, "why": "leaks"}
    cases = {"test_other.py::test_it": kept, "test_things.py::test_good": mended}
    path.write_text(json.dumps({"obs": "30.2.3", "commits": ["old"], "cases": cases}))
    monkeypatch.setenv("DOPPEL_TEST_COMMIT", "new")
    results = write_results(path, [junit], version, "3.13.5", everything=False, whole=False)
    assert results["cases"]["test_other.py::test_it"] == kept
    assert results["cases"]["test_things.py::test_good"]["outcome"] == "passed"
    assert results["commits"] == ["old", "new"]
    results = write_results(path, [junit], version, "3.13.5", everything=False, whole=True)
    assert "test_other.py::test_it" not in results["cases"]
    assert results["commits"] == ["new"]
    results = write_results(path, [junit], ObsVersion(31, 0), "3.13.5", everything=False, whole=False)
    assert results["obs"] == "31.0.0"


def test_a_results_file_that_cannot_be_written_is_a_warning_and_fails_no_tests(tmp_path, monkeypatch, junit):
    made = tmp_path / "made"
    (made / "results" / "obs-29.json").mkdir(parents=True)  # nobody can write a file there, not even root

    def stream(command, *_):
        shutil.copy(junit, command[command.index("--junit-xml") + 1])
        return 0, "7 passed"

    environment = types.SimpleNamespace(python=Path(sys.executable), python_version=lambda: "3.11.2")
    version = ObsVersion(29, 0, 2)
    monkeypatch.setattr(testing, "MADE", made)
    monkeypatch.setattr(testing, "RESULTS", made / "results")
    monkeypatch.setattr(testing, "_prepare", lambda *_: (environment, version))
    monkeypatch.setattr(testing, "_stream", stream)
    report = testing.run_integration(Progress(), 29, everything=False, json_output=True)
    assert report["ok"]
    assert "results" not in report
    assert "obs-29.json" in report["warnings"][0]


def test_a_commit_is_marked_where_what_is_tested_differs_from_it(tmp_path, monkeypatch):
    monkeypatch.delenv(COMMIT_ENV, raising=False)
    written = tmp_path / "docs" / "native-stress.md"
    written.parent.mkdir()
    code = tmp_path / "code.py"
    for path in (written, code):
        path.write_text("before", encoding="utf-8")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=Jo", "-c", "user.email=jo@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    head = commit(tmp_path)
    written.write_text("what the tests wrote", encoding="utf-8")
    assert commit(tmp_path) == head
    code.write_text("after", encoding="utf-8")
    assert commit(tmp_path) == f"{head}+"


def test_programs_that_only_some_long_tests_use_may_be_missing(monkeypatch):
    class NoApt:
        def install(self, packages, progress):
            raise CommandError(f"apt cannot install {' '.join(packages)}", "no network", "look at it")

    said = []
    progress = types.SimpleNamespace(say=said.append)
    monkeypatch.setattr(testing.shutil, "which", lambda _name: None)
    monkeypatch.setattr(testing.PackageManager, "find", NoApt)
    testing._prepare_long(progress)
    assert "clang" in said[0]
    assert "skipped" in said[0]
