from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from doppel_ipc.errors import ProtocolError
from doppel_ipc.messages import CloseLane, LaneStatus, OpenLane, Ready, Segment, Status
from doppel_ipc.paths import InstallConfig
from doppel_ipc.settings import FilterSettings
from doppel_obs import spare_worker, worker_child, worker_process
from doppel_obs.log import Log
from doppel_obs.worker_child import worker_environment
from doppel_obs.worker_log import WorkerLog
from doppel_obs.worker_process import WorkerProcess

from tests.unit.doppel_obs.english import words
from tests.unit.doppel_obs.worker_bench import PROJECT, Bench, refuse_files, refuse_threads


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[[str], Bench]]:
    made: list[Bench] = []

    def make(behaviour: str) -> Bench:
        made.append(Bench(tmp_path, behaviour))
        return made[-1]

    yield make
    for one in made:
        one.process.stop()
        one.log.close()
        assert not one.children()


def test_a_worker_starts_when_it_is_wanted_and_is_gone_when_it_is_not(bench: Callable[[str], Bench]) -> None:
    one = bench("good")
    one.tick(wanted=False)
    assert not one.process.running

    one.until(lambda: any(isinstance(message, Status) for message in one.messages))
    assert isinstance(one.messages[0], Ready)
    assert one.process.ready
    assert len(one.children()) == 1

    one.tick(wanted=False)
    assert not one.process.running
    assert one.children() == []


def test_a_worker_that_crashes_is_started_again_and_the_reason_is_said(bench: Callable[[str], Bench]) -> None:
    one = bench("crash")
    one.until(lambda: one.process.starts >= 3, step_ns=20_000_000)

    assert one.process.restarts >= 2
    assert any("ended with code 4" in text for text in one.said)


@pytest.mark.parametrize("behaviour", ["ends-by-its-version", "says-another-version"])
def test_a_worker_of_another_version_is_told_with_what_to_do(
    bench: Callable[[str], Bench], behaviour: str
) -> None:
    one = bench(behaviour)
    one.until(lambda: any("of another version of Doppel; restart OBS" in text for text in one.said))


@pytest.mark.parametrize(
    ("behaviour", "reason"), [("silent", "silent for too long"), ("mute", "did not get ready")]
)
def test_a_worker_that_hangs_is_killed_and_started_again(
    bench: Callable[[str], Bench], behaviour: str, reason: str
) -> None:
    one = bench(behaviour)
    one.until(lambda: one.process.ready or behaviour == "mute")
    one.until(lambda: bool(one.children()))
    first = one.children()
    one.until(lambda: one.process.starts == 2, step_ns=100_000_000)

    assert any(reason in text for text in one.said)
    assert not any(child.is_running() for child in first)


def test_a_worker_that_never_stops_speaking_is_replaced(bench: Callable[[str], Bench]) -> None:
    one = bench("floods")
    begun = time.monotonic()
    one.until(lambda: one.process.restarts >= 1)
    seconds = time.monotonic() - begun

    assert any("nothing but speak" in text for text in one.said)
    # A machine that is busy lets it say less than the limit in the first seconds.
    assert len(one.messages) < (2 + seconds) * worker_child.MOST_A_SECOND


def test_a_worker_that_speaks_and_does_not_listen_is_replaced(bench: Callable[[str], Bench]) -> None:
    one = bench("deaf")
    one.until(lambda: one.process.ready)
    one.process.send(OpenLane(1, "Cam", Segment("memfd", "/proc/1/fd/1", 4096), 1, FilterSettings(), False))
    one.until(lambda: one.process.restarts >= 1, step_ns=100_000_000)

    assert any("does not listen" in text for text in one.said)


@pytest.mark.parametrize("behaviour", ["good", "deaf"], ids=["answered for", "closed"])
def test_a_lane_that_is_answered_for_or_closed_is_not_waited_for(
    bench: Callable[[str], Bench], behaviour: str
) -> None:
    one = bench(behaviour)
    one.until(lambda: one.process.ready)
    one.process.send(OpenLane(1, "Cam", Segment("memfd", "/proc/1/fd/1", 4096), 1, FilterSettings(), False))
    if behaviour == "good":
        one.until(lambda: any(isinstance(message, LaneStatus) for message in one.messages))
    else:
        one.process.send(CloseLane(1))
    until_ns = one.skipped_ns + worker_child.ANSWER_NS + 5 * worker_process.LOOP_GAP_NS
    while one.skipped_ns < until_ns:
        heard = len(one.messages)
        one.until(lambda n=heard: len(one.messages) > n)  # it is not silent
        one.skipped_ns += worker_process.LOOP_GAP_NS // 2
        one.tick()

    assert one.process.restarts == 0


def test_a_frame_that_is_never_finished_counts_as_a_hang(bench: Callable[[str], Bench]) -> None:
    one = bench("good")
    one.until(lambda: one.process.ready)
    one.oldest_busy_ns = worker_process.BUSY_NS + 1
    one.until(lambda: one.process.starts == 2 or one.process.restarts == 1)

    assert any("unfinished" in text for text in one.said)


def test_a_worker_hears_nothing_of_its_predecessors_lanes(bench: Callable[[str], Bench]) -> None:
    one = bench("good")
    one.until(lambda: one.process.ready)
    one.oldest_busy_ns = worker_process.BUSY_NS + 1
    one.until(lambda: one.process.restarts == 1)
    one.oldest_busy_ns = 0
    one.until(lambda: one.process.ready)

    one.process.send(CloseLane(1), 1)
    with pytest.raises(ProtocolError, match="lane 1 is not open"):
        one.process.send(CloseLane(1), 2)


def serve(one: Bench, lane: int = 1) -> psutil.Process:
    """Waits until the worker judges frames of a lane; returns it."""
    one.until(lambda: one.process.ready)
    one.process.send(OpenLane(lane, "", Segment("file", "/none", 1), 1, FilterSettings()))
    before = len(one.messages)
    one.until(lambda: any(isinstance(message, LaneStatus) for message in one.messages[before:]))
    return psutil.Process(one.process.pid)


def test_a_second_worker_waits_and_takes_over_at_once(bench: Callable[[str], Bench]) -> None:
    one = bench("good")
    one.in_use = {FilterSettings(persona="bronze")}
    first = serve(one)
    assert len(one.children()) == 1, "a worker that has just begun is not disturbed"
    one.until(lambda: any("prepares bronze" in text for text in one.said), step_ns=20_000_000)
    assert len(one.children()) == 2
    assert not any(f"{first.pid} prepares" in text for text in one.said)
    (second,) = (child for child in one.children() if child != first)

    one.messages.clear()
    first.kill()
    one.until(lambda: one.process.pid == second.pid)
    assert one.process.ready, "it was ready before"
    assert any(isinstance(message, Ready) for message in one.messages), "and that is told anew"
    assert (one.process.starts, one.process.restarts) == (2, 1)

    serve(one, 2)
    one.until(lambda: len(one.children()) == 2, step_ns=20_000_000)  # and there is another in waiting


def test_a_worker_in_waiting_that_dies_is_replaced_a_few_times_and_disturbs_nobody(
    bench: Callable[[str], Bench],
) -> None:
    one = bench("good")
    first = serve(one)
    for _ in range(spare_worker.MOST_FAILURES):
        one.until(lambda: len(one.children()) == 2, step_ns=20_000_000)
        (second,) = (child for child in one.children() if child != first)
        second.kill()
        one.until(lambda w=second: not w.is_running())
    until_ns = one.skipped_ns + 3 * spare_worker.CALM_NS
    one.until(lambda: one.skipped_ns > until_ns, step_ns=20_000_000)
    assert one.children() == [first]
    assert (one.process.pid, one.process.restarts, one.process.problem) == (first.pid, 0, None)


def test_a_worker_waits_as_soon_as_there_is_room_for_it(
    bench: Callable[[str], Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bench("good")
    first = serve(one)
    with monkeypatch.context() as patch:
        refuse_threads(patch, "doppel-reader")
        until_ns = one.skipped_ns + 2 * spare_worker.CALM_NS
        one.until(lambda: one.skipped_ns >= until_ns, step_ns=50_000_000)
        assert one.children() == [first]
    one.until(lambda: len(one.children()) == 2, step_ns=50_000_000)


@pytest.mark.parametrize("behaviour", ["gpu", "large"], ids=["on a graphics card", "large"])
def test_no_worker_waits_where_what_it_loads_should_not_be_there_twice(
    bench: Callable[[str], Bench], behaviour: str
) -> None:
    one = bench(behaviour)
    first = serve(one)
    until_ns = one.skipped_ns + 3 * spare_worker.CALM_NS
    one.until(lambda: one.skipped_ns > until_ns, step_ns=20_000_000)
    assert one.children() == [first]


def test_a_control_loop_that_stood_still_blames_nobody(bench: Callable[[str], Bench]) -> None:
    one = bench("good")
    one.until(lambda: one.process.ready)
    one.skipped_ns += 2 * worker_child.SILENCE_NS
    one.oldest_busy_ns = 2 * worker_process.BUSY_NS
    one.tick()

    assert one.process.restarts == 0


def test_an_interpreter_that_is_missing_is_said_and_does_not_stop_the_loop(tmp_path: Path) -> None:
    said: list[str] = []
    config = InstallConfig(PROJECT, tmp_path / "nowhere", tmp_path / "lib.so", tmp_path / "logs", tmp_path)
    log = Log(config.log_dir, lambda _level, text: said.append(text), {})
    process = WorkerProcess(config, lambda what: said.append(words(what)), WorkerLog(log))

    assert process.tick(time.monotonic_ns(), wanted=True, oldest_busy_ns=0) == []
    assert not process.running
    assert len(said) == 1
    assert "doctor" in said[0]


@pytest.mark.skipif(os.name == "nt", reason="no descriptors to count there")
@pytest.mark.parametrize("refused", ["doppel-stderr", "doppel-reader", "doppel-writer", 1, 2])
def test_a_worker_for_which_there_is_no_room_is_not_left_behind(
    bench: Callable[[str], Bench], refused: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, before = bench("mute"), psutil.Process().num_fds()
    if isinstance(refused, int):
        refuse_files(monkeypatch, refused)
    else:
        refuse_threads(monkeypatch, refused)
    one.tick()
    assert not one.process.running
    assert ["no room for more" in text for text in one.said] == [True]
    assert "Doppel tries again" in one.said[0]
    assert one.children() == []
    deadline = time.monotonic() + 60
    while psutil.Process().num_fds() > before:  # threads that had begun close theirs
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_worker_does_not_inherit_the_surroundings_of_obss_python(bench: Callable[[str], Bench]) -> None:
    one = bench("good")
    environ = {
        "PYTHONHOME": "/elsewhere",
        "PythonPath": "/elsewhere/lib",
        "HOME": "/home/me",
        "DISPLAY": ":1",
    }
    cleaned = worker_environment(one.config, environ)

    assert "PYTHONHOME" not in cleaned
    assert cleaned["HOME"] == "/home/me"
    assert "/elsewhere" not in cleaned["PYTHONPATH"]
    assert cleaned["PYTHONPATH"].split(os.pathsep)[0] == str(PROJECT / "shared")
