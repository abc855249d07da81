"""Lanes' seats on a device."""

from __future__ import annotations

import pytest
from doppel_ipc.settings import FilterSettings
from doppel_models.errors import SessionError
from doppel_models.session import SessionConfig
from doppel_worker import open_device
from doppel_worker.devices import CPU
from doppel_worker.swap_backend import SwapBackend

from tests.support.gpu_backend import until_swapped


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
