"""The worker's own backend, with the real networks."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from doppel_ipc.messages import Consent
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_worker.backend import BackendConfig, Judgement, LaneProcessor
from doppel_worker.swap_backend import SwapBackend, load

from tests.support.faces import room
from tests.support.frames import i420_frame
from tests.support.portrait import FIXTURES, astronaut, paste_head
from tests.support.worker_process import wait_until

CONSENT = Consent("public-domain", "a test", "2026-01-01T00:00:00+00:00")


@pytest.fixture
def backend(tmp_path: Path) -> tuple[SwapBackend, list[tuple[str, str]]]:
    told: list[tuple[str, str]] = []
    return load(BackendConfig(tmp_path, lambda code, text: told.append((code, text)))), told


def picture() -> np.ndarray:
    canvas = room(640, 360)
    paste_head(canvas, astronaut(), center=(300.0, 170.0), height=150.0)
    return canvas


def until_swapped(lane: LaneProcessor, seconds: float = 30) -> Judgement:
    deadline, number = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        number += 1
        judgement = lane.process(i420_frame(picture(), number))
        if judgement.verdict is Verdict.SWAPPED:
            return judgement
        assert judgement.verdict is Verdict.COVERED
    raise AssertionError("no frame was swapped")


def test_frames_are_covered_and_then_swapped(
    backend: tuple[SwapBackend, list[tuple[str, str]]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "doppel_worker")
    real, told = backend
    lane = real.open_lane(FilterSettings())
    judgement = until_swapped(lane)
    assert judgement.faces == 1
    assert set(judgement.stages) >= {"track", "swap", "paste"}
    assert (lane.persona, lane.engine, real.provider) == ("porcelain", "mesh", "CPUExecutionProvider")
    assert ("persona", "now using porcelain") in told
    assert not [line for line in caplog.messages if line.startswith("persona: ")], "who is told logs it"
    lane.configure(FilterSettings(swap=False))
    assert lane.process(i420_frame(picture(), 999)).verdict is Verdict.ORIGINAL
    lane.close()


def test_lanes_of_one_device_share_what_there_is_of_it(
    backend: tuple[SwapBackend, list[tuple[str, str]]],
) -> None:
    real, _ = backend
    by_itself, by_name = real.open_lane(FilterSettings()), real.open_lane(FilterSettings(device="cpu"))
    assert (by_itself.seat is by_name.seat) == real.device.startswith("cpu")
    by_itself.configure(FilterSettings(device="cpu"))
    assert by_itself.seat is by_name.seat
    until_swapped(by_itself)
    by_itself.close()


def test_a_device_that_is_not_there_is_told_and_the_cpu_works(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    real = load(BackendConfig(tmp_path, lambda code, text: told.append((code, text)), "cuda:63"))
    assert (real.device, real.provider) == ("cpu", "CPUExecutionProvider")
    assert [code for code, _ in told] == ["fallback"]
    assert "cuda:63" in told[0][1]
    lane = real.open_lane(FilterSettings())
    until_swapped(lane)
    lane.close()


def test_what_is_prepared_is_worn_in_the_first_frame(
    backend: tuple[SwapBackend, list[tuple[str, str]]],
) -> None:
    real, _ = backend
    settings = FilterSettings(persona="bronze")
    until_swapped(real.open_lane(settings))  # as long as this takes, `prepare` would
    first = real.open_lane(settings).process(i420_frame(picture(), 1))
    assert (first.verdict, first.settled) == (Verdict.SWAPPED, True)


def test_while_a_persona_is_being_loaded_a_judgement_is_not_settled(
    backend: tuple[SwapBackend, list[tuple[str, str]]],
) -> None:
    lane = backend[0].open_lane(FilterSettings())
    seen = [lane.process(i420_frame(picture(), number)) for number in range(1, 3)]
    assert all(one.settled is (one.verdict is Verdict.SWAPPED) for one in seen)
    assert until_swapped(lane).settled


def test_a_persona_that_is_added_can_be_listed_and_worn(
    backend: tuple[SwapBackend, list[tuple[str, str]]],
) -> None:
    real, _ = backend
    added = real.add_persona([FIXTURES / "astronaut.png"], "Eileen", CONSENT, licence=False)
    assert added is not None
    assert (added.id, added.name, added.kind) == ("eileen", "Eileen", "photo")
    assert added in real.personas()
    lane = real.open_lane(FilterSettings(persona="eileen"))
    until_swapped(lane)
    assert lane.persona == "eileen"
    shutil.rmtree(Path(added.picture).parent)  # as `doppel persona remove` does
    wait_until(lambda: "no persona 'eileen'" in lane.process(i420_frame(picture(), 1)).detail, "it is told")


def test_a_name_that_is_taken_is_refused_with_what_to_do(
    backend: tuple[SwapBackend, list[tuple[str, str]]], tmp_path: Path
) -> None:
    real, _ = backend
    real.add_persona([FIXTURES / "astronaut.png"], "Twice", CONSENT, licence=False)
    other = tmp_path / "other.png"
    other.write_bytes((FIXTURES / "astronaut.png").read_bytes() + b"\0")  # other bytes, the same picture
    with pytest.raises(real.errors, match=r"already a face called 'Twice'.*take another name"):
        real.add_persona([other], "Twice", CONSENT, licence=False)


def test_a_photo_without_a_face_is_refused_with_a_reason(
    backend: tuple[SwapBackend, list[tuple[str, str]]], tmp_path: Path
) -> None:
    real, _ = backend
    with pytest.raises(real.errors, match="no face"):
        real.add_persona([_empty_photo(tmp_path)], "Nobody", CONSENT, licence=False)


def _empty_photo(folder: Path) -> Path:
    import cv2

    path = folder / "empty.png"
    cv2.imwrite(str(path), room(300, 300))
    return path


def test_lanes_on_threads_of_their_own_share_the_networks(
    backend: tuple[SwapBackend, list[tuple[str, str]]],
) -> None:
    real, _ = backend
    verdicts: dict[int, list[Verdict]] = {0: [], 1: [], 2: []}

    def serve(number: int) -> None:
        lane = real.open_lane(FilterSettings())
        until_swapped(lane)
        for index in range(5):
            shown = picture() if number < 2 else room(640, 360)
            verdicts[number].append(lane.process(i420_frame(shown, 1000 + index)).verdict)

    threads = [threading.Thread(target=serve, args=(number,)) for number in verdicts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(verdicts[0]) == set(verdicts[1]) == {Verdict.SWAPPED}
    # The third lane's face vanished: its own tracker says so.
    assert set(verdicts[2]) == {Verdict.BLURRED}
    assert [len(seen) for seen in verdicts.values()] == [5, 5, 5]
