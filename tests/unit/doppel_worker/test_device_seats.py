"""Lanes' seats on a device."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_models.errors import SessionError
from doppel_models.session import SessionConfig
from doppel_worker import open_device
from doppel_worker.devices import CPU
from doppel_worker.errors import DeviceError
from doppel_worker.swap_backend import SwapBackend

from tests.support.gpu_backend import frame, until_swapped


def test_two_lanes_of_a_device_have_a_seat_each_and_the_processors_share_one(
    gpu_backend: tuple[SwapBackend, list[tuple[str, str]]],
) -> None:
    real, told = gpu_backend
    one, other, third = (real.open_lane(FilterSettings()) for _ in range(3))
    assert one.seat is not other.seat
    assert third.seat in (one.seat, other.seat)
    for lane in (one, other, third):
        until_swapped(lane)
    other.close()
    assert real.open_lane(FilterSettings()).seat is other.seat, "given back"
    assert real.open_lane(FilterSettings(device=CPU)).seat is real.open_lane(FilterSettings(device=CPU)).seat
    assert "fallback" not in [code for code, _ in told]


def test_a_second_seat_that_cannot_be_had_is_told_and_lanes_come_one_after_another(
    gpu_backend: tuple[SwapBackend, list[tuple[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, told = gpu_backend
    one = real.open_lane(FilterSettings())

    def fails(_config: SessionConfig) -> object:
        raise SessionError("no memory for it")

    monkeypatch.setattr(open_device, "FaceLandmarker", fails)
    other, third = real.open_lane(FilterSettings()), real.open_lane(FilterSettings())
    assert one.seat is other.seat is third.seat
    until_swapped(other)
    assert [text for code, text in told if code == "fallback"] == [
        "cuda:0: frames of several cameras come one after another, which is slower (no memory for it)"
    ]


def test_a_seat_on_which_frames_fail_is_done_without_and_its_lane_goes_on_with_the_first(
    gpu_backend: tuple[SwapBackend, list[tuple[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, told = gpu_backend
    one, other = real.open_lane(FilterSettings()), real.open_lane(FilterSettings())
    until_swapped(one)
    until_swapped(other)

    def fails(*_arguments: object) -> None:
        raise DeviceError("no memory on the GPU")

    monkeypatch.setattr(other.seat.compositor, "finish", fails)
    verdicts = []
    for number in range(900, 902):
        verdicts += [lane.process(frame(number)).verdict for lane in (one, other)]
    assert verdicts == [Verdict.SWAPPED, Verdict.COVERED] * 2
    one.process(frame(902))
    with pytest.raises(DeviceError, match="one after another"):
        other.process(frame(902))
    with pytest.raises(DeviceError, match="one after another"):
        other.process(frame(903))
    other.close()  # as a lane does it with a processor that failed
    again = real.open_lane(FilterSettings())
    assert again.seat is one.seat
    until_swapped(again)
    assert [text for code, text in told if code == "fallback"] == [
        "cuda:0: frames of several cameras come one after another, which is slower (no memory on the GPU)"
    ]
    assert real.device == "cuda:0", "the device is not given up"


def test_lanes_of_the_product_overlap_with_networks_and_compositors_of_their_own(
    gpu_backend: tuple[SwapBackend, list[tuple[str, str]]],
) -> None:
    """While one lane waits within its frame, the other one's frame is judged from beginning to end."""
    real, _ = gpu_backend
    one, other = real.open_lane(FilterSettings()), real.open_lane(FilterSettings())
    until_swapped(one)
    until_swapped(other)
    first, second = one.seat.pipeline, other.seat.pipeline
    assert first.compositor is not second.compositor
    waits, judged = threading.Event(), threading.Event()
    landmarker = first._landmarker  # what a seat's frames wait in: the network that finds the face
    assert landmarker is not second._landmarker
    assert landmarker.network is not second._landmarker.network
    session = landmarker.network._session

    class Slow:
        def run(self, *arguments: Any) -> Any:
            waits.set()
            assert judged.wait(60), "the other lane has no turn"
            return session.run(*arguments)

    landmarker.network._session = Slow()
    thread = threading.Thread(target=lambda: one.process(frame(950)))
    thread.start()
    assert waits.wait(60)
    assert other.process(frame(950)).verdict is Verdict.SWAPPED
    judged.set()
    thread.join(60)
    assert not thread.is_alive()
