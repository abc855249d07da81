"""The filter's property page, as OBS's filter dialog gets it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from installer.scene import FILTER_NAME
from tests.integration.rig import SCRIPT, wait_for
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
        10,
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
    wanted = {"swap", "strength", "keep_mouth", "keep_eyes", "edge_softness", "label", "cover", "late_policy"}
    assert wanted <= set(page)
    assert not page["slate_image"]["visible"]
    assert "sound_source" not in page, "the source has sound of its own"
    assert "own sound" in page["own_sound"]["text"], "why there is nothing to choose is not said"
    assert "add_answer" not in page, "nothing was asked"

    def status() -> str:
        return str(stage.rig.remote("page", stage.camera, FILTER_NAME)["status"]["text"])

    wait_for(lambda: "NoProvider" in status() and "delay" in status(), 30, "the figures are not shown")


def test_a_camera_without_sound_of_its_own_asks_for_the_microphone(stage: Stage) -> None:
    camera = f"{stage.camera} without sound"
    stage.add_input(camera, "v4l2_input", {"device_id": "/dev/no-such-camera"})
    stage.rig.add_filter(camera)

    def page() -> Any:
        return stage.rig.remote("page", camera, FILTER_NAME)

    wait_for(lambda: "pick the microphone" in page()["status"]["text"], 20, "the page does not say it")
    assert "sound_source" in page()
    stage.rig.set_filter(camera, sound_source="No such microphone")
    wait_for(lambda: "'No such microphone'" in page()["status"]["text"], 20, "a wrong name is not said")
    stage.rig.set_filter(camera, sound_source=stage.camera)
    wait_for(lambda: "sound" not in page()["status"]["text"], 20, "the microphone is not found")


def test_the_path_of_the_slate_appears_when_a_slate_is_chosen(stage: Stage) -> None:
    stage.rig.set_filter(stage.camera, cover="slate")

    assert stage.rig.remote("modify", stage.camera, FILTER_NAME, "cover")["slate_image"]["visible"]


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


def test_a_page_that_is_open_outlives_a_reload_of_the_script(stage: Stage) -> None:
    stage.show()
    stage.rig.request("OpenInputFiltersDialog", inputName=stage.camera)
    for _ in range(3):
        stage.rig.remote("reload", SCRIPT)
        stage.rig.set_filter(stage.camera, persona="bronze")
        stage.wait_swapping()
    assert stage.rig.alive()
