from __future__ import annotations

import ctypes
from types import SimpleNamespace
from typing import Any

import pytest
from doppel_ipc import gate_abi
from doppel_ipc.settings import FilterSettings
from doppel_obs.phrases import Phrase, phrase
from doppel_obs.remote_status import REFRESH_NS, RemoteStatus, register_vendor

from tests.unit.doppel_obs.english import words
from tests.unit.doppel_obs.fake_obs import FakeGate


class Procedures:
    """libobs's procedures as far as vendors go, some of them missing."""

    def __init__(self, *, missing: str = "", silent: str = "") -> None:
        self.missing, self.silent = missing, silent
        self.called: list[str] = []
        self.freed = 0

    def fill(self, _table: ctypes.Structure) -> None:
        pass

    def obs_get_proc_handler(self) -> int:
        return 7

    def proc_handler_call(self, handler: int | None, name: bytes, _data: object) -> bool:
        assert handler == (7 if name == b"obs_websocket_api_get_ph" else 0x99)
        self.called.append(name.decode())
        return name.decode() != self.missing

    def calldata_set_data(self, data: Any, _name: bytes, _value: bytes, _size: int) -> None:
        data._obj.stack = 0x55

    def calldata_get_data(self, _data: object, name: bytes, found: Any, _size: int) -> bool:
        found._obj.value = 0x99
        return name.decode() != self.silent

    def bfree(self, address: int) -> None:
        assert address == 0x55
        self.freed += 1


def gate(*, refuses: bool = False) -> Any:
    answer = ctypes.CFUNCTYPE(None)(lambda: None)
    return SimpleNamespace(
        doppel_gate_install_answer=lambda _table: -1 if refuses else 0, doppel_gate_answer=answer
    )


def test_the_request_is_registered_with_the_vendor_and_nothing_leaks() -> None:
    procedures: Any = Procedures()
    assert register_vendor(procedures, gate())
    assert procedures.called == ["obs_websocket_api_get_ph", "vendor_register", "vendor_request_register"]
    assert procedures.freed == 2


@pytest.mark.parametrize(
    "lacking",
    [
        {"missing": "obs_websocket_api_get_ph"},  # no obs-websocket
        {"silent": "ph"},
        {"silent": "vendor"},  # somebody else has the name
        {"missing": "vendor_request_register"},
    ],
)
def test_without_obs_websocket_there_is_no_status_and_no_error(lacking: dict[str, str]) -> None:
    procedures: Any = Procedures(**lacking)
    assert not register_vendor(procedures, gate())


def test_a_gate_that_refuses_the_table_ends_it() -> None:
    procedures: Any = Procedures()
    assert not register_vendor(procedures, gate(refuses=True))
    assert procedures.called == []


def instance(state: Phrase | None = None, **changes: Any) -> Any:
    """A filter that the worker does not serve yet."""
    known = {
        "line": SimpleNamespace(state=lambda: state),
        "status": gate_abi.Status(frames_in=5, covered=5, delay_frames=2, frame_interval_ns=33_333_333),
        "lane_status": None,
        "stats": SimpleNamespace(source="Camera", name="Mask"),
        "settings": FilterSettings(persona="ann"),
    }
    return SimpleNamespace(**{**known, **changes})


def test_the_answer_is_given_anew_five_times_a_second(ring_library: ctypes.CDLL) -> None:
    fake = FakeGate(ring_library)
    library: Any = fake
    remote = RemoteStatus(library, words)
    for now_ns in range(0, 1_000_000_000, REFRESH_NS // 10):
        remote.look(now_ns, None, {"ann": "Ann"}, [instance(phrase("status.starting"))], panic=False)
    remote.end()

    assert len(fake.answers) == 6
    first, last = fake.answers[0], fake.answers[-1]
    assert first["personas"] == [{"id": "ann", "name": "Ann"}]
    assert first["worker"] == {"ready": False, "device": "", "provider": "", "memory_mb": 0}
    shown = first["filters"][0]
    assert (shown["source"], shown["filter"], shown["persona"]) == ("Camera", "Mask", "ann")
    assert (shown["state"], shown["text"]) == ("starting", "Covered: the worker is starting.")
    assert (shown["delay_frames"], shown["delay_ms"], shown["fps"]) == (2, 66.7, 0.0)
    assert shown["frames"]["in"] == shown["frames"]["covered"] == 5
    assert last["running"] is False
    assert last["filters"] == []


def test_a_filter_that_was_not_looked_at_yet_is_left_out(ring_library: ctypes.CDLL) -> None:
    fake = FakeGate(ring_library)
    library: Any = fake
    unseen = [instance(), instance(phrase("status.off"), stats=None)]
    RemoteStatus(library, words).look(0, None, {}, unseen, panic=True)

    assert fake.answers[0]["filters"] == []
    assert fake.answers[0]["panic"] is True
