import json

import pytest

from installer.obs_config import ObsVersion
from installer.obs_result import ObsResult
from installer.report import ReportParts, build_report, read_statistics

GOOD = {
    "in": 600,
    "swapped": 590,
    "held": 4,
    "covered": 6,
    "blurred": 0,
    "no_face": 0,
    "original": 0,
    "dropped": 0,
}
SINCE = {
    "in": 590,
    "swapped": 588,
    "held": 2,
    "covered": 0,
    "blurred": 0,
    "no_face": 0,
    "original": 0,
    "dropped": 0,
}
CLEAN = ObsResult(0, "", 0, 600, 0, 0)
RECORDING = {"frames": 601, "seconds": 20.0}


def statistics(frames=GOOD, since=SINCE, swapped_ns=3_500_000_000, restarts=0):
    lane = {"frames": frames, "frames_since_swap": since, "first_frame_ns": 2_000_000_000}
    lane.update(first_swapped_ns=swapped_ns, delay_frames=2)
    return {
        "version": 1,
        "worker": {"restarts": restarts, "provider": "CPUExecutionProvider"},
        "lanes": [lane],
    }


def report(stats=None, result=CLEAN, recording=RECORDING, problems=(), *, recording_ended=False):
    parts = ReportParts(
        result,
        ObsVersion(29, 0, 2),
        {"persona": "astronaut"},
        stats or statistics(),
        recording,
        recording_ended=recording_ended,
    )
    return build_report(parts, problems)


def test_a_good_run_is_ok_and_carries_its_figures():
    made = report()
    assert made["ok"]
    assert made["problems"] == made["warnings"] == []
    assert made["first_swapped_s"] == 1.5
    assert made["swapped_ratio"] == round(588 / 590, 4)
    assert made["output_fps"] == 30.05
    assert (made["obs_version"], made["persona"]) == ("29.0.2", "astronaut")
    json.dumps(made)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"result": ObsResult(-11, "", None, None, None, None)}, "ended with code -11"),
        ({"result": ObsResult(-9, "", None, None, None, None)}, "did not end when asked"),
        ({"recording": None}, "recorded nothing"),
        ({"problems": ["no contact sheet"]}, "no contact sheet"),
        ({"stats": statistics(frames={**GOOD, "dropped": 3})}, "do not add up: 603 counted != 600"),
        ({"stats": statistics(swapped_ns=None)}, "no frame was swapped"),
        ({"stats": statistics(frames=dict.fromkeys(GOOD, 0))}, "got no frame"),
        ({"stats": {"version": 1, "lanes": []}}, "left no figures"),
    ],
)
def test_each_failure_is_a_problem_with_its_own_words(changes, problem):
    made = report(**changes)
    assert not made["ok"]
    assert any(problem in text for text in made["problems"]), made["problems"]


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"stats": statistics(swapped_ns=7_000_000_000)}, "after 5.0 s"),
        ({"stats": statistics(since={**SINCE, "swapped": 500, "held": 90})}, "84.8 % of the frames"),
        ({"stats": statistics(restarts=2)}, "restarts of the worker: 2"),
        ({"result": ObsResult(0, "", 0, 600, 41, 0)}, "late with 41:"),
    ],
)
def test_a_weak_run_is_ok_with_a_warning(changes, warning):
    made = report(**changes)
    assert made["ok"]
    assert any(warning in text for text in made["warnings"]), made["warnings"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}'])
def test_a_statistics_file_that_is_not_whole_is_no_statistics(tmp_path, text):
    path = tmp_path / "s.json"
    path.write_text(text)
    assert read_statistics(path) is None
    assert read_statistics(tmp_path / "missing.json") is None


@pytest.mark.parametrize(("code", "ok"), [(-11, True), (-6, True), (-9, False), (1, False)])
def test_a_crash_of_obs_after_the_recordings_end_is_a_warning(code, ok):
    made = report(result=ObsResult(code, "", None, None, None, None), recording_ended=True)
    assert made["ok"] is ok
    assert made["obs_exit_code"] == code
    assert bool(made["warnings"]) is ok


def test_a_crash_without_a_recording_is_a_problem():
    made = report(result=ObsResult(-11, "", None, None, None, None), recording=None, recording_ended=True)
    assert not made["ok"]
