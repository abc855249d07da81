"""A device that fails in mid-stream: faces stay covered, the CPU goes on, and the user learns why."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_models.errors import SessionError
from doppel_models.session import SessionConfig
from doppel_worker import device_parts, open_device
from doppel_worker.backend import BackendConfig
from doppel_worker.device_health import DeviceHealth
from doppel_worker.devices import CPU
from doppel_worker.errors import DeviceError, DeviceLostError, FrameError
from doppel_worker.frame import FrameView
from doppel_worker.swap_backend import SwapBackend, load

from tests.support.frames import i420_frame
from tests.support.gpu_backend import frame, until_swapped
from tests.support.kernel_device import KernelDevice
from tests.support.stage import half_hidden, picture


def is_covered(shown: FrameView, original: FrameView) -> bool:
    """Nothing of the face is left: a mosaic has 16 rows of blocks."""
    luma = shown.planes[0].astype(int)
    return bool(
        (luma != original.planes[0]).any() and (np.abs(np.diff(luma, axis=0)).max(axis=1) == 0).mean() > 0.9
    )


def test_a_lost_device_is_given_up_at_once_and_every_lane_goes_on_with_the_cpu(
    gpu_backend: tuple[SwapBackend, list[tuple[str, str]]], gpu: KernelDevice
) -> None:
    real, told = gpu_backend
    one, other = real.open_lane(FilterSettings()), real.open_lane(FilterSettings(device="cuda:0"))
    until_swapped(one)
    until_swapped(other)
    assert real.device == "cuda:0"
    assert "fallback" not in [code for code, _ in told]

    gpu.lost = True
    failed = frame(500)
    with pytest.raises(DeviceLostError, match="illegal memory access"):
        one.process(failed)
    assert is_covered(failed, frame(500))
    (why,) = [text for code, text in told if code == "fallback"]
    assert why == (
        "the CPU does the work from now on: cuda:0 failed (the GPU failed: an illegal memory access was"
        ' encountered; run doctor); to use it again, press "Restart the worker" in the filter\'s properties'
    )
    with pytest.raises(DeviceLostError):
        other.process(frame(501))
    assert sum(code == "fallback" for code, _ in told) == 1, "told once"
    for lane in (one, other):
        lane.close()  # as a lane does it with a processor that failed

    again = real.open_lane(FilterSettings()), real.open_lane(FilterSettings(device="cuda:0"))
    for lane in again:
        until_swapped(lane)
    assert again[0].seat is again[1].seat, "they share what there is of the CPU"
    assert real.device == "cuda:0 (lost; the CPU does the work)"


def test_a_worker_that_is_started_anew_uses_the_device_again(
    gpu_backend: tuple[SwapBackend, list[tuple[str, str]]], gpu: KernelDevice, tmp_path: Path
) -> None:
    lost, _ = gpu_backend
    lane = lost.open_lane(FilterSettings())
    until_swapped(lane)
    gpu.lost = True
    with pytest.raises(DeviceLostError):
        lane.process(frame(500))
    lane.close()
    gpu.lost = False
    # What the button does: another process, which knows nothing of this one's device.
    told: list[tuple[str, str]] = []
    real = load(BackendConfig(tmp_path, lambda code, text: told.append((code, text))))
    until_swapped(real.open_lane(FilterSettings()))
    assert real.device == "cuda:0"
    assert "fallback" not in [code for code, _ in told]


def test_a_face_that_no_detector_finds_stays_hidden_on_another_device(
    gpu_backend: tuple[SwapBackend, list[tuple[str, str]]],
) -> None:
    real, _ = gpu_backend
    until_swapped(real.open_lane(FilterSettings(device=CPU)))  # its persona is loaded there
    lane, number = real.open_lane(FilterSettings()), 0
    while lane.process(i420_frame(picture(), number := number + 1)).verdict is not Verdict.SWAPPED:
        assert number < 10_000
    first = lane.seat
    lane.configure(FilterSettings(device=CPU))
    while lane.seat is first:
        number += 1
        assert lane.process(i420_frame(half_hidden(), number)).verdict in (Verdict.SWAPPED, Verdict.BLURRED)
        assert number < 20_000
    verdicts = [lane.process(i420_frame(half_hidden(), number + 1 + n)).verdict for n in range(5)]
    assert set(verdicts) == {Verdict.BLURRED}


def test_another_device_is_opened_beside_the_frames_which_stay_swapped(
    gpu_backend: tuple[SwapBackend, list[tuple[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, told = gpu_backend
    lane = real.open_lane(FilterSettings())
    until_swapped(lane)
    first, opening, may_open = lane.seat, threading.Event(), threading.Event()
    at_once = device_parts.open_networks

    def slowly(wanted: str, fallback: Callable[[str], None]) -> object:
        opening.set()
        assert may_open.wait(60)
        return at_once(wanted, fallback)

    monkeypatch.setattr(device_parts, "open_networks", slowly)
    lane.configure(FilterSettings(device=CPU, strength=0.9))
    for number in range(300, 305):
        assert lane.process(frame(number)).verdict is Verdict.SWAPPED
    assert opening.wait(60)
    assert lane.seat is first
    may_open.set()
    deadline = time.monotonic() + 60
    while lane.seat is first:
        number += 1
        assert lane.process(frame(number)).verdict is Verdict.SWAPPED
        assert time.monotonic() < deadline
    assert lane.process(frame(number + 1)).verdict is Verdict.SWAPPED
    assert "fallback" not in [code for code, _ in told]


def test_a_device_that_cannot_be_opened_is_told_and_the_one_in_use_goes_on(
    gpu_backend: tuple[SwapBackend, list[tuple[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, told = gpu_backend
    lane = real.open_lane(FilterSettings())
    until_swapped(lane)
    first, tries = lane.seat, list[str]()

    def fails(wanted: str, _fallback: Callable[[str], None]) -> object:
        tries.append(wanted)
        raise SessionError("landmarks: the file is gone")

    monkeypatch.setattr(device_parts, "open_networks", fails)
    lane.configure(FilterSettings(device=CPU))
    deadline, number = time.monotonic() + 60, 300
    while ("fallback", "landmarks: the file is gone") not in told:
        number += 1
        assert lane.process(frame(number)).verdict is Verdict.SWAPPED
        assert time.monotonic() < deadline
    assert lane.process(frame(number + 1)).verdict is Verdict.SWAPPED
    assert lane.seat is first
    assert tries == [CPU], "not with every frame"


def test_a_device_without_memory_for_a_moment_is_not_given_up(
    gpu_backend: tuple[SwapBackend, list[tuple[str, str]]], gpu: KernelDevice
) -> None:
    real, told = gpu_backend
    lane = real.open_lane(FilterSettings())
    until_swapped(lane)
    for number in (600, 700):
        gpu.broken = True
        covered = frame(number)
        assert lane.process(covered).verdict is Verdict.COVERED
        assert lane.process(frame(number + 1)).verdict is Verdict.COVERED
        assert is_covered(covered, frame(number))
        gpu.broken = False
        until_swapped(lane)
    assert real.device == "cuda:0"
    gpu.broken = True
    for number in (800, 801):
        lane.process(frame(number))
    with pytest.raises(DeviceLostError, match="no memory on the GPU"):
        lane.process(frame(802))
    assert [code for code, _ in told].count("fallback") == 1


def test_a_device_that_has_memory_again_is_used_again_by_itself(gpu: KernelDevice, tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    config = BackendConfig(tmp_path, lambda code, text: told.append((code, text)))
    real = SwapBackend(config, return_seconds=0.05)
    lane = real.open_lane(FilterSettings())
    until_swapped(lane)
    gpu.broken = True
    for number in (600, 601):
        lane.process(frame(number))
    with pytest.raises(DeviceLostError, match="it is tried again from time to time"):
        lane.process(frame(602))
    lane.close()
    lane = real.open_lane(FilterSettings())
    until_swapped(lane)
    on_cpu = lane.seat
    assert real.device == "cuda:0 (lost; the CPU does the work)"
    gpu.broken = False
    deadline, number = time.monotonic() + 60, 700
    while lane.seat is on_cpu:
        # Faces stay swapped while the device is opened and their engine is loaded there.
        number += 1
        assert lane.process(frame(number)).verdict is Verdict.SWAPPED
        assert time.monotonic() < deadline
    until_swapped(lane)
    assert real.device == "cuda:0"
    assert [text for code, text in told if code == "fallback"][-1] == "cuda:0 is used again"


def test_networks_that_do_not_fit_on_the_device_are_loaded_on_the_cpu(
    gpu: KernelDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = open_device.FaceLandmarker, []

    def fails_once(config: SessionConfig) -> object:
        calls.append(config)
        if len(calls) == 1:
            raise SessionError("landmarks: ONNX Runtime cannot load the network: CUDA out of memory")
        return real(config)

    monkeypatch.setattr(open_device, "FaceLandmarker", fails_once)
    told: list[str] = []
    opened, _, _ = open_device.open_networks("auto", told.append)
    assert opened.info.id == CPU
    (why,) = told
    assert why.startswith("the CPU does the work instead of cuda:0: landmarks: ")
    assert why.endswith("CUDA out of memory")


def test_what_is_not_the_devices_fault_is_not_counted() -> None:
    health = DeviceHealth("cuda:0")
    for error in [DeviceError("a"), FrameError("b"), DeviceError("c"), None] * 4:
        assert not health.fails(error, "seat")
    assert not DeviceHealth("cpu").fails(DeviceLostError("never"), "seat")
    for error in (SessionError("x"), DeviceError("y")):
        assert not health.fails(error, "seat")
        assert not health.fails(None, "another seat")
    assert health.fails(SessionError("z"), "seat")
    assert health.give_up(SessionError("z"))
    assert not health.give_up(DeviceLostError("told already"))
