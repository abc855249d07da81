import contextlib
import json
import subprocess
import sys

import pytest

from installer.__main__ import main
from installer.environment import nvidia_driver
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


def test_a_folder_for_the_results_that_cannot_be_written_is_told_before_the_recording(tmp_path):
    (tmp_path / "out").write_text("a file")
    done = installer("run", "--headless", "5", "--out", str(tmp_path / "out"))
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "--out" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_the_system_refuses_is_told_without_a_stack(tmp_path, monkeypatch, capsys):
    def refuse(*_):
        (tmp_path / "scenes" / "Main.json").write_text("")

    monkeypatch.setattr("installer.install.install", refuse)
    monkeypatch.setattr("installer.__main__.exclusive", contextlib.nullcontext)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert main(["install", "--json"]) == 1
    problem = json.loads(capsys.readouterr().out)["problems"][0]
    assert "Main.json" in problem
    assert "No such file" in problem


@pytest.mark.skipif(nvidia_driver() is not None, reason="this machine has an NVIDIA driver")
def test_a_gpu_that_is_not_there_is_told_before_the_environment_is_touched():
    done = installer("run", "--headless", "5", "--device", "gpu")
    assert done.returncode == 1
    assert "no NVIDIA driver" in done.stderr
    assert "making" not in done.stderr


def test_the_installer_can_be_started_from_another_folder(tmp_path):
    command = [sys.executable, str(PROJECT / "installer"), "doctor", "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_without_a_command_the_commands_are_shown():
    done = installer()
    assert done.returncode == 2
    assert "add Doppel to your own OBS" in done.stderr


def test_the_usage_line_names_the_commands_that_a_wrong_one_is_told():
    done = installer("lok")
    assert done.returncode == 2
    usage, _, error = done.stderr.partition("\n")
    offered = error.partition("choose from ")[2].rstrip(")\n").replace("'", "")
    assert f" {offered.replace(', ', '|')} ..." in usage


@pytest.mark.parametrize(
    ("arguments", "keep"), [((), None), (("--keep-personas",), True), (("--delete-personas",), False)]
)
def test_faces_go_or_stay_as_the_command_line_says(monkeypatch, arguments, keep):
    kept = []

    def uninstall(_, *, keep_personas):
        kept.append(keep_personas)
        return {"ok": True}

    monkeypatch.setattr("installer.install.uninstall", uninstall)
    monkeypatch.setattr("installer.__main__.exclusive", contextlib.nullcontext)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert main(["uninstall", *arguments]) == 0
    assert kept == [keep]


def test_keeping_and_deleting_faces_at_once_is_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["uninstall", "--keep-personas", "--delete-personas"])
    assert ended.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


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


@pytest.mark.parametrize(("arguments", "versions"), [((), []), (("--all",), ["29.0.2"])])
def test_other_versions_of_obs_are_tested_with_all_alone_and_that_is_told_before(
    monkeypatch, capsys, arguments, versions
):
    tested = []

    def run_tests(*_, everything, **__):
        assert ("more than an hour" in capsys.readouterr().err) is everything
        return {"ok": True, "problems": [], "obs": "29.0.2", "warnings": ["no results file"]}

    def run_others(own, *_, **__):
        tested.append(own)
        return {"problems": [], "warnings": ["OBS 30 was not tested"], "versions": {}}

    monkeypatch.setattr("installer.testing.run_tests", run_tests)
    monkeypatch.setattr("installer.other_versions.run_others", run_others)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.delenv("SUDO_UID", raising=False)
    assert main(["test", "--json", *arguments]) == 0
    assert tested == versions
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    assert warnings == ["no results file", *(["OBS 30 was not tested"] if versions else [])]
