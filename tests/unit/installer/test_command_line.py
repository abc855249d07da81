import json
import subprocess
import sys

import pytest

from installer.layout import PROJECT


def installer(*arguments):
    command = [sys.executable, "-m", "installer", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("arguments", "what", "todo"),
    [
        (("--media", "nowhere.mp4"), "nowhere.mp4 is missing", "name a video"),
        (("--persona", "nobody.png"), "nobody.png is missing", "name a photo"),
        (
            ("--persona", str(PROJECT / "tests/fixtures/astronaut.png")),
            "needs consent",
            "--consent with one of",
        ),
    ],
)
def test_bad_input_is_refused_before_anything_is_installed(arguments, what, todo):
    done = installer("run", "--headless", "5", "--json", *arguments)
    assert done.returncode == 1
    assert what in done.stderr
    assert todo in done.stderr
    report = json.loads(done.stdout)
    assert report["ok"] is False
    assert what in report["problems"][0]


def test_seconds_out_of_range_are_refused_by_the_command_line():
    done = installer("run", "--headless", "0")
    assert done.returncode == 2
    assert "between 1 and 86400" in done.stderr


@pytest.mark.obs
def test_the_doctor_prints_one_json_object():
    done = installer("doctor", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == (0 if report["ok"] else 1)
    subjects = {finding["subject"] for finding in report["findings"]}
    assert {"OBS", "OBS's Python", "script", "GPU", "memory"} <= subjects
    for finding in report["findings"]:
        assert finding["todo"] or finding["state"] != "bad", finding
