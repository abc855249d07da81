from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from doppel_models.files.store import ModelStore
from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import PersonaStore
from doppel_models.session import SessionConfig
from doppel_worker import device_parts, open_device
from doppel_worker.device_health import DeviceHealth
from doppel_worker.device_parts import DeviceParts, DevicePool
from doppel_worker.devices import DeviceInfo
from doppel_worker.model_engines import ModelEngines


def test_lanes_of_an_open_device_do_not_wait_for_one_that_is_being_opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opening, opened = threading.Event(), threading.Event()

    class Parts:
        """Takes long for any device but the processor."""

        def __init__(self, wanted: str, *_: object) -> None:
            self.info = DeviceInfo(wanted, wanted, None, "")
            self.health = DeviceHealth(wanted)
            if wanted != "cpu":
                opening.set()
                assert opened.wait(60)

    monkeypatch.setattr(device_parts, "DeviceParts", Parts)
    pool = DevicePool(PersonaStore(tmp_path), print)
    cpu = pool.get("cpu")
    with ThreadPoolExecutor() as threads:
        gpu = threads.submit(pool.get, "cuda:0")
        try:
            assert opening.wait(60)
            assert threads.submit(pool.get, "cpu").result(20) is cpu
        finally:
            opened.set()
        assert gpu.result(20) is pool.get("cuda:0")


def test_a_device_with_two_names_is_opened_once_when_both_are_tried_again_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gpu = DeviceInfo("cuda:0", "cuda:0", None, "")
    made: list[str] = []
    second = threading.Event()

    class Parts:
        """Those that come back are made until another thread makes them, too, or a second has passed."""

        def __init__(self, wanted: str, *_: object) -> None:
            self.info = DeviceInfo("cpu", "cpu", None, "") if wanted == "cpu" else gpu
            self.health = DeviceHealth(self.info.id)
            made.append(wanted)
            if len(made) == 4:
                second.wait(1)
            elif len(made) > 4:
                second.set()

    monkeypatch.setattr(device_parts, "DeviceParts", Parts)
    monkeypatch.setattr(open_device, "open_device", lambda *_: SimpleNamespace(info=gpu))
    told: list[str] = []
    pool = DevicePool(PersonaStore(tmp_path), told.append, return_seconds=0.05)
    lost = pool.get("auto")
    assert pool.get("cuda:0") is lost
    lost.health.lost, lost.health.may_return = "no memory", True
    pool.get("auto"), pool.get("cuda:0")
    deadline = time.monotonic() + 30
    while told.count("cuda:0 is used again") < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert pool.get("auto") is pool.get("cuda:0")
    assert pool.get("auto").info is gpu


@pytest.mark.parametrize("value", ["1", "", "0"])
def test_networks_of_model_files_are_recorded_only_where_the_environment_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str
) -> None:
    seen: list[SessionConfig] = []

    class Models(ModelEngines):
        def __init__(
            self, importer: PersonaImporter, store: ModelStore, config: SessionConfig, *_: Any
        ) -> None:
            seen.append(config)
            super().__init__(importer, store, config)

    monkeypatch.setattr(device_parts, "ModelEngines", Models)
    monkeypatch.setenv("DOPPEL_CUDA_GRAPHS", value)
    DeviceParts("cpu", PersonaStore(tmp_path), print)
    assert [config.cuda_graph for config in seen] == [value == "1"]
