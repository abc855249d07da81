"""The filter's property page, as OBS's filter dialog gets it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from doppel_ipc.paths import InstallConfig
from doppel_ipc.settings import FIELDS

from installer.scene import FILTER_NAME, Scene, media_source
from tests.integration.leftovers import bad_lines
from tests.integration.mark_backend import PICTURES
from tests.integration.rig import CAMERA, REMOTE, SCENE, SCRIPT, Rig, Setup, face_swap, wait_for
from tests.integration.stage import Stage


def test_the_page_shows_the_state_and_what_can_be_chosen(stage: Stage) -> None:
    stage.show()
    page = wait_for(
        lambda: (
            (p := stage.rig.remote("page", stage.camera, FILTER_NAME))["status"]["text"].startswith(
                "Swapping: Porcelain."
            )
            and p
        ),
        30,
        "the status line does not say that the face is swapped",
    )

    assert ["bronze", "Bronze"] in page["persona"]["items"]
    assert [value for value, _ in page["add_ground"]["items"]] == [
        "",
        "own",
        "permission",
        "public-domain",
        "synthetic",
    ]
    assert set(FIELDS) - set(page) == {"sound_source"}, "a setting has no control"
    assert not page["slate_image"]["visible"]
    assert not page["redetect_ms"]["visible"], "a rarely needed setting is not hidden"
    assert "sound_source" not in page, "the source has sound of its own"
    assert "own sound" in page["own_sound"]["text"], "why there is nothing to choose is not said"
    assert "add_answer" not in page, "nothing was asked"

    def status() -> str:
        return str(stage.rig.remote("page", stage.camera, FILTER_NAME)["status"]["text"])

    wait_for(lambda: "NoProvider" in status() and "delay" in status(), 30, "the figures are not shown")
    page = stage.rig.remote("page", stage.camera, FILTER_NAME)
    preview = stage.rig.remote("modify", stage.camera, FILTER_NAME, "persona")["preview"]["text"]
    assert f'<img src="{(PICTURES / "porcelain.jpg").as_uri()}"' in preview, "the face has no picture"
    assert page["in_use"]["text"].startswith("In use: cpu, NoProvider")
    assert page["delay"]["text"].startswith("The picture comes later: delay ")


WORDS_ALONE = {"status", "preview", "people", "delay", "own_sound", "in_use"}
"""Rows that say something and offer nothing."""


def test_every_control_and_button_says_more_where_the_mouse_rests(stage: Stage) -> None:
    page = stage.rig.remote("page", stage.camera, FILTER_NAME)
    silent = {key for key, row in page.items() if not row["tip"]}
    assert {key for key in silent if not key.startswith("group_")} <= WORDS_ALONE
    assert len(page) - len(silent) > len(FIELDS)


def test_log_faces_and_diagnostics_reach_the_desktops_programs(
    stage: Stage, mark_folder: Path, tmp_path: Path
) -> None:
    opened, copied = tmp_path / "opened", tmp_path / "copied"
    for name, script in (("xdg-open", f'echo "$1" >> "{opened}"'), ("xclip", f'cat > "{copied}"')):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)

    def has(path: Path, text: str) -> bool:
        return path.is_file() and text in path.read_text(encoding="utf-8")

    stage.show()
    stage.rig.remote("set_environment", "PATH", f"{tmp_path}:{os.environ['PATH']}")
    try:
        for button, path, text in (
            ("open_log", opened, f"{mark_folder / 'logs' / 'doppel.log'}\n"),
            ("open_personas", opened, f"{mark_folder / 'personas'}\n"),
            ("diagnostics", copied, "device: {'id': 'cuda:0'"),
        ):
            stage.rig.remote("press", stage.camera, FILTER_NAME, button)
            wait_for(lambda p=path, t=text: has(p, t), 20, f"{button} does nothing")
    finally:
        stage.rig.remote("set_environment", "PATH", os.environ["PATH"])


def test_a_camera_without_sound_of_its_own_asks_for_the_microphone(stage: Stage) -> None:
    camera = f"{stage.camera} without sound"
    stage.add_input(camera, "v4l2_input", {"device_id": "/dev/no-such-camera"})
    stage.rig.add_filter(camera)

    def page() -> Any:
        return stage.rig.remote("page", camera, FILTER_NAME)

    wait_for(lambda: "pick the microphone" in page()["status"]["text"], 20, "the page does not say it")
    assert "sound_source" in page()
    stage.rig.set_filter(camera, sound_source="No such microphone")
    wait_for(lambda: "“No such microphone”" in page()["status"]["text"], 20, "a wrong name is not said")
    stage.rig.set_filter(camera, sound_source=stage.camera)
    wait_for(lambda: "sound" not in page()["status"]["text"], 20, "the microphone is not found")


def test_the_path_of_the_slate_appears_when_a_slate_is_chosen(stage: Stage) -> None:
    stage.rig.set_filter(stage.camera, cover="slate")

    assert stage.rig.remote("modify", stage.camera, FILTER_NAME, "cover")["slate_image"]["visible"]


def test_further_people_appear_one_after_the_other(stage: Stage) -> None:
    def visible() -> set[str]:
        page = stage.rig.remote("modify", stage.camera, FILTER_NAME, "person1_who")
        rows = (key for key in page if key.startswith("person") and key != "persona")
        return {key for key in rows if page[key]["visible"]}

    assert visible() == {"person1_who"}
    stage.rig.set_filter(stage.camera, person1_who="picture", person1_persona="bronze")
    rows = {"person1_who", "person1_picture", "person1_becomes", "person1_persona", "person2_who"}
    assert visible() == rows
    page = stage.rig.remote("page", stage.camera, FILTER_NAME)
    assert {"", "bronze"} <= {value for value, _ in page["person1_persona"]["items"]}
    assert "ArcFace" in page["people"]["text"], "what recognising needs is not said"
    stage.rig.set_filter(stage.camera, person1_becomes="blur")
    assert visible() == rows - {"person1_persona"}


def test_rarely_needed_settings_appear_when_all_are_asked_for(stage: Stage) -> None:
    stage.rig.set_filter(stage.camera, show_advanced=True)

    page = stage.rig.remote("modify", stage.camera, FILTER_NAME, "show_advanced")
    assert page["redetect_ms"]["visible"]
    assert not page["max_faces"]["visible"], "one face is swapped"


def test_lists_hold_what_the_worker_offers_and_always_the_chosen_value(stage: Stage) -> None:
    stage.rig.set_filter(stage.camera, device="cuda:7", enhancer="my enhancer")
    stage.show()

    def values(key: str) -> list[str]:
        page = stage.rig.remote("page", stage.camera, FILTER_NAME)
        return [value for value, _ in page[key]["items"]]

    wait_for(lambda: "cuda:0" in values("device"), 20, "the worker's devices are not offered")
    assert values("device") == ["auto", "cpu", "cuda:0", "cuda:7"]
    assert values("enhancer") == ["none", "my enhancer"]


def test_a_look_is_saved_applied_and_deleted_and_leaves_the_label_alone(stage: Stage) -> None:
    stage.show()

    def settings() -> dict[str, Any]:
        found = stage.rig.request("GetSourceFilter", sourceName=stage.camera, filterName=FILTER_NAME)
        return dict(found["filterSettings"])

    def press_and_expect(button: str, text: str) -> None:
        stage.rig.remote("press", stage.camera, FILTER_NAME, button)
        wait_for(lambda: text in page().get("looks_answer", {}).get("text", ""), 20, f"{text!r} is not said")

    def page() -> Any:
        return stage.rig.remote("page", stage.camera, FILTER_NAME)

    press_and_expect("look_save", "Give the look a name")
    stage.rig.set_filter(stage.camera, strength=0.4, keep_eyes=False, label=False, look_name="Evening")
    press_and_expect("look_save", "“Evening” was saved")
    assert settings()["look"] == "Evening"
    stage.rig.set_filter(stage.camera, strength=1.0, keep_eyes=True, label=True)
    press_and_expect("look_apply", "“Evening” is applied")
    wait_for(lambda: settings()["strength"] == 0.4, 20, "the look is not applied")
    assert settings()["keep_eyes"] is False
    assert settings()["label"] is True, "a look switched the disclosure label off"
    press_and_expect("look_remove", "“Evening” was deleted")
    assert [value for value, _ in page()["look"]["items"]] == [""]


def test_the_worker_is_restarted_and_diagnostics_are_written(stage: Stage, mark_folder: Path) -> None:
    stage.show()
    before = stage.rig.worker().pid

    def answer() -> str:
        page = stage.rig.remote("page", stage.camera, FILTER_NAME)
        return str(page.get("help_answer", {}).get("text", ""))

    stage.rig.remote("press", stage.camera, FILTER_NAME, "restart_worker")
    wait_for(lambda: "restarted" in answer(), 20, "the button is not answered")
    wait_for(lambda: stage.rig.stats()["worker"]["pid"] not in (0, before), 30, "there is no other worker")
    stage.wait_swapping()

    def status() -> str:
        return str(stage.rig.remote("page", stage.camera, FILTER_NAME)["status"]["text"])

    wait_for(lambda: "Swapping: Porcelain" in status(), 20, "the status does not say so")
    stage.rig.remote("press", stage.camera, FILTER_NAME, "diagnostics")
    wait_for(lambda: "diagnostics.txt" in answer(), 20, "the button is not answered")
    text = (mark_folder / "logs" / "diagnostics.txt").read_text(encoding="utf-8")
    assert "filter 1: Swapping: Porcelain." in text
    assert "device: {'id': 'cuda:0', 'name': 'A card', 'memory_mb': 8192}" in text


def test_a_photo_becomes_a_face_only_with_consent(stage: Stage, tmp_path: Path) -> None:
    photo = tmp_path / "face.png"
    photo.write_bytes(b"any bytes: the test's worker does not look into them")
    stage.show()

    def page() -> Any:
        return stage.rig.remote("page", stage.camera, FILTER_NAME)

    def press_and_expect(text: str) -> None:
        stage.rig.remote("press", stage.camera, FILTER_NAME, "add_photo")
        wait_for(lambda: text in page().get("add_answer", {}).get("text", ""), 20, f"{text!r} is not said")
        names = list(page())
        assert names.index("add_answer") + 1 == names.index("add_photo"), "it does not stand at the button"
        assert text not in page()["status"]["text"]

    # An open page is built anew meanwhile, and OBS then writes what its lists show into the settings.
    stage.rig.request("OpenInputFiltersDialog", inputName=stage.camera)
    press_and_expect("Choose a photo first.")
    stage.rig.set_filter(stage.camera, add_path=str(photo))
    press_and_expect("Say whose face it is.")
    stage.rig.set_filter(stage.camera, add_ground="own")
    press_and_expect("Tick the box")
    stage.rig.set_filter(stage.camera, add_confirmed=True)
    press_and_expect("The face was added.")

    settings = stage.rig.request("GetSourceFilter", sourceName=stage.camera, filterName=FILTER_NAME)
    assert settings["filterSettings"]["persona"] == "added"
    assert settings["filterSettings"]["add_confirmed"] is False
    wait_for(lambda: stage.lane()["persona"] == "added", 20, "the new face is not used")
    preview = stage.rig.remote("modify", stage.camera, FILTER_NAME, "persona")["preview"]["text"]
    assert preview.startswith("No picture"), "the test's worker has none of it"


def test_a_page_that_is_open_outlives_a_reload_of_the_script(stage: Stage) -> None:
    stage.show()
    stage.rig.request("OpenInputFiltersDialog", inputName=stage.camera)
    for _ in range(3):
        stage.rig.remote("reload", SCRIPT)
        stage.rig.set_filter(stage.camera, persona="bronze")
        stage.wait_swapping()
    assert stage.rig.alive()


def test_the_page_and_what_the_worker_says_follow_the_language_of_obs(
    start_obs: Callable[[Setup], Rig], real_config: InstallConfig, clip: Path, tmp_path: Path
) -> None:
    camera = media_source(CAMERA, clip, filters=[face_swap()])
    setup = Setup(
        [camera], [Scene(SCENE, [CAMERA])], scripts=(REMOTE, SCRIPT), config=real_config, language="de-DE"
    )
    rig = start_obs(setup)
    rig.wait_swapping(timeout=120)

    def page_text(key: str) -> str:
        return str(rig.remote("page", CAMERA, FILTER_NAME).get(key, {}).get("text", ""))

    wait_for(lambda: page_text("status").startswith("Tauscht: "), 60, "the status is not German")
    page = rig.remote("page", CAMERA, FILTER_NAME)
    assert page["strength"]["text"] == "Stärke"
    assert ["cover", "Sofort verdecken"] in page["late_policy"]["items"]
    assert "Swapping: " in rig.our_log(), "the log is for helpers, in English"

    empty = tmp_path / "Wand.png"
    assert cv2.imwrite(str(empty), np.full((240, 320, 3), (90, 120, 150), np.uint8))
    rig.set_filter(CAMERA, add_path=str(empty), add_ground="own", add_confirmed=True)
    rig.remote("press", CAMERA, FILTER_NAME, "add_photo")
    refusal = (
        "Nicht hinzugefügt: In Wand.png ist kein Gesicht zu finden; nimm ein Foto, das das ganze Gesicht von"
        " vorn zeigt, ohne etwas davor."
    )
    wait_for(lambda: page_text("add_answer") == refusal, 60, "the worker's refusal is not German")
    assert "No face is found in Wand.png" in rig.our_log(), "the log is for helpers, in English"

    slate = tmp_path / "fehlt.png"
    rig.set_filter(CAMERA, cover="slate", slate_image=str(slate))
    wanted = f"Das Bild zum Verdecken {slate} lässt sich nicht lesen: Es gibt keine solche Datei;"
    wait_for(lambda: wanted in page_text("status"), 60, "the slate's error is not German")

    result = rig.stop()
    assert (result.exit_code, result.memory_leaks) == (0, 0)
    told = ("Wand.png", "fehlt.png")
    assert [line for line in bad_lines(result.log) if not any(name in line for name in told)] == []
