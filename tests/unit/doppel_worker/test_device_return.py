"""A device that had no memory comes back: its tries, and how lanes move there with all their faces."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import cv2
import pytest
from doppel_ipc.settings import FilterSettings
from doppel_models.engines.base import FaceEngine
from doppel_models.engines.mesh.engine import MeshEngine
from doppel_models.errors import SessionError
from doppel_models.masks_builtin import load as load_mask
from doppel_worker.assets import PersonaKey, PersonaLoader
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.device_health import DeviceHealth
from doppel_worker.device_return import DeviceReturn
from doppel_worker.errors import PersonaError
from doppel_worker.face_memory import FaceMemory
from doppel_worker.pipeline import FacePipeline
from doppel_worker.report import PipelineEvent
from doppel_worker.seat import Seat, Seats
from doppel_worker.swap_backend import SwapLane
from doppel_worker.turns import Turns

from tests.support.frames import i420_frame
from tests.support.networks import detector, landmarker
from tests.support.stage import picture

SETTINGS = FilterSettings(
    label=False, faces="all", persona="porcelain",
    person1_who="leftmost", person1_becomes="persona", person1_persona="bronze",
    person2_who="rightmost", person2_becomes="persona", person2_persona="clay",
)  # fmt: skip


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), "MemoryError"),
        (RuntimeError("a driver that is broken"), "a driver that is broken"),
        (cv2.error("Insufficient memory"), "Insufficient memory"),
        (SessionError("no session"), "no session"),
    ],
)
def test_a_try_that_fails_says_why_and_is_followed_by_another(
    error: Exception, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    tries, done = [], threading.Event()

    def attempt() -> bool:
        tries.append(error)
        if len(tries) == 1:
            raise error
        done.set()
        return True

    DeviceReturn("cuda:0", attempt, 0.01)
    assert done.wait(60)
    assert len(tries) == 2
    assert f"cuda:0 could not be tried: {told}" in caplog.messages


class ModelEngine(MeshEngine):
    """A built-in mask that the loader takes for an engine of large networks."""

    name = "dfm"


class Device:
    """A device with a loader of its own; some personas cannot be had there."""

    def __init__(self, *broken: str) -> None:
        self.broken, self.made = set(broken), list[str]()
        self.late: dict[str, threading.Event] = {}
        self.may_load = threading.Event()
        self.may_load.set()
        self.loader = PersonaLoader(self._load)
        self.compositor = CpuCompositor()
        self.pipeline = FacePipeline(self.compositor, detector(), landmarker(), self.loader)
        self.turns, self.health = Turns(), DeviceHealth("cuda:0")
        self.seats = Seats(Seat(self.turns, self.pipeline), lambda: None)

    def _load(self, key: PersonaKey) -> FaceEngine:
        assert self.may_load.wait(60)
        self.made.append(key.persona)
        if key.persona in self.late:
            self.late[key.persona].wait(60)
        if key.persona in self.broken:
            raise PersonaError(f"{key.persona} is broken")
        return ModelEngine(load_mask("bronze"))


class House:
    """One lane, and the device that it works on."""

    def __init__(self, first: Device, settings: FilterSettings = SETTINGS) -> None:
        self.device = first
        self.told: list[PipelineEvent] = []
        faces = FaceMemory()
        self.lane = SwapLane(first, lambda _settings: self.device, settings, self.told.append, faces)
        self.number = 0

    def frame(self) -> None:
        self.number += 1
        self.lane.process(i420_frame(picture(), self.number))

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline
            self.frame()

    def is_on(self, device: Device) -> bool:
        return self.lane.seat is device.seats.first


def in_use(house: House, device: Device) -> bool:
    return house.is_on(device) and house.lane._lane.is_settled()


def test_a_lane_with_more_models_than_are_kept_moves_and_does_not_load_them_again_and_again() -> None:
    cpu, gpu = Device(), Device()
    house = House(cpu)
    house.until(lambda: in_use(house, cpu))
    house.device = gpu
    house.until(lambda: house.is_on(gpu))
    assert house.lane._lane.personas.engine is not None
    assert house.lane._lane.cast.is_settled, "all have their faces from the first frame on"
    for _ in range(5):
        house.frame()
    assert set(gpu.made) == {"bronze", "clay", "porcelain"}
    # Three that are ready at the same moment are one too many for the loader: one may be made twice.
    assert len(gpu.made) <= 4


def test_settings_that_change_while_a_device_is_back_uncover_and_cover_nobody() -> None:
    cpu, gpu = Device(), Device()
    house = House(cpu)
    house.until(lambda: in_use(house, cpu))
    gpu.may_load.clear()
    house.device = gpu
    for strength in (0.9, 0.8, 0.7):
        house.lane.configure(SETTINGS.replace(strength=strength))
        house.frame()
        assert in_use(house, cpu)
    gpu.may_load.set()
    house.until(lambda: house.is_on(gpu))
    assert house.lane._lane.personas.engine is not None
    assert house.lane._lane.cast.is_settled


def test_what_a_lane_wears_is_told_when_it_has_moved_and_of_nothing_else() -> None:
    cpu, gpu = Device(), Device()
    house = House(cpu)
    house.until(lambda: in_use(house, cpu))
    house.told.clear()
    gpu.late["clay"] = threading.Event()
    house.device = gpu
    house.until(lambda: house.lane._next is not None and house.lane._next.lane.personas.engine is not None)
    house.frame()
    assert house.told == [], "porcelain is ready there, and the lane is not there yet"
    house.lane.configure(SETTINGS.replace(persona="bronze"))
    gpu.late["clay"].set()
    house.until(lambda: house.is_on(gpu))
    # Bronze may be told twice: until clay is loaded the lane wears it on the device that it leaves.
    assert {event.message for event in house.told} == {
        "now using bronze",
        "person 1: now using bronze",
        "person 2: now using clay",
    }


def test_a_persona_that_can_be_had_nowhere_does_not_keep_a_lane_from_its_device() -> None:
    cpu, gpu = Device("clay"), Device("clay")
    house = House(cpu)
    house.until(lambda: in_use(house, cpu))
    house.device = gpu
    house.until(lambda: house.is_on(gpu))


def test_a_lane_whose_only_persona_can_be_had_nowhere_moves_to_its_device() -> None:
    cpu, gpu = Device("porcelain"), Device("porcelain")
    house = House(cpu, FilterSettings(label=False, persona="porcelain"))
    house.until(lambda: "porcelain is broken" in "".join(event.message for event in house.told))
    house.device = gpu
    house.until(lambda: house.is_on(gpu))


def test_a_face_that_is_worn_and_cannot_be_had_on_the_other_device_keeps_the_lane() -> None:
    cpu, gpu = Device(), Device("bronze")
    house = House(cpu)
    house.until(lambda: in_use(house, cpu))
    house.device = gpu
    house.until(lambda: {"bronze", "clay", "porcelain"} <= set(gpu.made))
    for _ in range(10):
        house.frame()
    assert house.is_on(cpu)


def test_a_lane_that_wears_the_persona_before_a_broken_one_goes_on_with_it_on_its_device() -> None:
    cpu, gpu = Device("clay"), Device("clay")
    alone = FilterSettings(label=False, persona="porcelain")
    house = House(cpu, alone)
    house.until(lambda: in_use(house, cpu))
    house.lane.configure(alone.replace(persona="clay"))
    house.until(lambda: "clay" in cpu.made and "stays" in house.told[-1].message)
    house.device = gpu
    house.until(lambda: house.is_on(gpu))
    assert house.lane.persona == "porcelain"
    house.frame()
    assert house.lane.persona == "porcelain"


def test_lanes_that_change_places_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has the turn of the device that the other one goes to, as a lane that took a waiting frame has."""
    devices = Device(), Device()
    houses = House(devices[0]), House(devices[1])
    for house, device in zip(houses, devices, strict=True):
        house.until(lambda house=house, device=device: in_use(house, device))
    arriving = threading.Barrier(2)
    goal = threading.local()

    def turn_of(seat: Seat) -> Callable[[], AbstractContextManager[None]]:
        at_once = seat.turn

        def turn() -> AbstractContextManager[None]:
            if getattr(goal, "seat", None) is seat:
                goal.seat = None
                arriving.wait(60)  # neither is there before the other one has left
            return at_once()

        return turn

    for device in devices:
        monkeypatch.setattr(device.seats.first, "turn", turn_of(device.seats.first))

    def move(house: House, to: Device) -> None:
        house.device, goal.seat = to, to.seats.first
        while not house.is_on(to):
            with house.lane.turn():
                house.frame()

    threads = [
        threading.Thread(target=move, args=(house, to), daemon=True)
        for house, to in zip(houses, reversed(devices), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "they wait for each other"
