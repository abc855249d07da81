"""Remote control by obs-websocket with a real client: settings, and the live status by the vendor request."""

from __future__ import annotations

import threading
from typing import Any

import obsws_python
import pytest
from doppel_ipc import gate_abi
from doppel_ipc.settings import FIELDS, FilterSettings

from installer.scene import FILTER_NAME
from tests.integration.rig import SCRIPT, Rig, wait_for
from tests.integration.stage import Stage

OTHER = {
    "strength": 0.4, "proportions": 0.5, "keep_mouth": False, "keep_eyes": False, "edge_softness": 0.2,
    "color_match": "none", "faces": "all", "max_faces": 2, "smoothing": 0.8, "min_face_px": 64,
    "hold_ms": 800, "label_text": "swapped", "label_corner": "top-left", "label_size": 0.05,
}  # fmt: skip


def status(rig: Rig) -> dict[str, Any]:
    """The answer to the vendor request, as any obs-websocket client gets it."""
    answer = rig.request("CallVendorRequest", vendorName="doppel", requestType="GetStatus")
    found: dict[str, Any] = answer["responseData"]
    return found


def filter_of(stage: Stage, name: str = FILTER_NAME) -> dict[str, Any]:
    """The filter's part of it; empty while there is none."""
    filters = status(stage.rig)["filters"]
    mine = [item for item in filters if (item["source"], item["filter"]) == (stage.camera, name)]
    return mine[0] if mine else {}


def test_the_status_tells_what_a_filter_does(stage: Stage) -> None:
    stage.show()

    def told() -> dict[str, Any]:
        """Where a busy OBS has just left out frames, they seem to be further apart."""
        now = filter_of(stage)
        steady = now.get("delay_ms") == pytest.approx(now.get("delay_frames", 0) * 1000 / 30, rel=0.1)
        return now if now.get("fps", 0) > 1 and steady else {}

    found = wait_for(told, 30, "no filter that swaps, or not so late as it says")
    assert found["state"] in ("swapping", "late")  # of a machine that is busy
    assert found["persona"] == found["persona_shown"] == FilterSettings().persona
    assert found["provider"]
    assert (found["width"], found["height"]) == (640, 360)
    assert 1 <= found["delay_frames"] <= 5
    frames = found["frames"]
    assert set(frames) == {"in", *gate_abi.OUTCOMES}
    assert frames["in"] >= frames["swapped"] > 0

    whole = status(stage.rig)
    assert whole["version"] == 1
    assert whole["running"] is True
    assert whole["panic"] is False
    assert whole["worker"]["ready"] is True
    assert FilterSettings().persona in [item["id"] for item in whole["personas"]]
    wait_for(lambda: status(stage.rig)["age_ms"] < 5000, 20, "the figures are old")


def test_the_status_follows_and_never_writes_the_filters_settings(stage: Stage) -> None:
    stage.show()
    stage.rig.set_filter(stage.camera, swap=False)
    wait_for(lambda: filter_of(stage).get("state") == "paused", 20, "not paused")
    stage.enable_filter(on=False)
    wait_for(lambda: filter_of(stage).get("state") == "off", 20, "not off")
    stage.enable_filter(on=True)
    stage.rig.request("TriggerHotkeyByName", hotkeyName="doppel_panic")
    wait_for(lambda: status(stage.rig)["panic"], 20, "no panic")
    wait_for(lambda: filter_of(stage).get("state") == "panic", 20, "no panic of the filter's")
    stage.rig.request("TriggerHotkeyByName", hotkeyName="doppel_panic")
    stage.rig.set_filter(stage.camera, swap=True)
    stage.wait_swapping()

    answer = stage.rig.request("GetSourceFilter", sourceName=stage.camera, filterName=FILTER_NAME)
    assert answer["filterSettings"] == {"swap": True}


def test_a_worker_that_is_too_slow_is_told_and_so_is_that_it_keeps_up_again(stage: Stage) -> None:
    stage.rig.set_filter(stage.camera, hold_ms=0)
    stage.show()
    for persona, state, words in (
        ("slow-500", "late", "Covered again and again"),
        (FilterSettings().persona, "swapping", "Swapping"),
    ):
        stage.rig.set_filter(stage.camera, persona=persona)
        wait_for(lambda s=state: filter_of(stage).get("state") == s, 60, f"it is not {state}")
        page = stage.rig.remote("page", stage.camera, FILTER_NAME)
        assert page["status"]["text"].startswith(words)


def test_every_setting_can_be_set_and_is_used(stage: Stage) -> None:
    stage.show()
    stage.rig.set_filter(stage.camera, **OTHER)
    stage.rig.set_filter(stage.camera, persona="bronze")
    wait_for(lambda: filter_of(stage).get("persona_shown") == "bronze", 20, "the persona is not used")
    answer = stage.rig.request("GetSourceFilter", sourceName=stage.camera, filterName=FILTER_NAME)
    assert answer["filterSettings"] == {**OTHER, "persona": "bronze"}
    defaults = stage.rig.request("GetSourceFilterDefaultSettings", filterKind=answer["filterKind"])
    assert set(defaults["defaultFilterSettings"]) == set(FIELDS)


def test_requests_while_the_script_is_reloaded_and_removed_harm_nobody(stage: Stage) -> None:
    stage.show()
    ended = threading.Event()
    counts = {"answers": 0, "running": 0, "stopped": 0}
    failures: list[BaseException] = []

    def ask(client: obsws_python.ReqClient) -> None:
        request = {"vendorName": "doppel", "requestType": "GetStatus"}
        try:
            while not ended.is_set():
                found = client.send("CallVendorRequest", request, raw=True)["responseData"]
                counts["answers"] += 1
                counts["running" if found["running"] else "stopped"] += 1
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            failures.append(error)

    port = stage.rig.session.options.websocket_port
    clients = [obsws_python.ReqClient(host="127.0.0.1", port=port, password="") for _ in range(2)]
    threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    try:
        for _ in range(8):
            assert stage.rig.remote("reload", SCRIPT)
        stage.rig.remote("remove", SCRIPT)
        stopped = counts["stopped"]
        wait_for(lambda: counts["stopped"] > stopped + 5, 20, "no answer without the script")
        stage.rig.remote("load", SCRIPT)
        wait_for(lambda: filter_of(stage), 20, "the filter is not in the answer any more")
        wait_for(lambda: counts["answers"] > 50 or failures, 30, "there are few answers")
    finally:
        ended.set()
        for thread in threads:
            thread.join(20)
        for client in clients:
            client.disconnect()
    assert not failures
    assert counts["answers"] > 50
    stage.wait_swapping()
