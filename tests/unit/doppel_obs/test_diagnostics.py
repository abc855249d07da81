from __future__ import annotations

from pathlib import Path

from doppel_ipc.diagnostics import Veil
from doppel_ipc.log_file import LOG_NAME
from doppel_ipc.messages import Choices, DeviceInfo, ModelInfo, Status
from doppel_ipc.paths import InstallConfig
from doppel_ipc.settings import FilterSettings
from doppel_obs.diagnostics import LOG_LINES, Facts, report


def made(home: Path, settings: FilterSettings) -> str:
    project = home / "doppel"
    config = InstallConfig(
        project, project / "python", project / "gate.so", project / "logs", home / "personas"
    )
    (project / "logs").mkdir(parents=True)
    log = "\n".join(f"line {number} of {home}/x" for number in range(500))
    (project / "logs" / LOG_NAME).write_text(log, encoding="utf-8")
    status = Status("ready", "cuda:0", "CUDAExecutionProvider", "mesh", 300.0, "")
    choices = Choices((DeviceInfo("cuda:0", "A card", 8192),), (ModelInfo("Aunt Mary", "engine"),))
    filters = [("Swapping: Cousin Al.\nDelay.", settings)]
    veil = Veil(config, home, ["Cousin Al", "Aunt Mary"], "jo")
    return report(config, (29, 0, 2), Facts(status, 3, 1, choices), filters, veil)


def test_it_says_what_a_helper_needs(tmp_path: Path) -> None:
    text = made(tmp_path / "home" / "jo", FilterSettings(strength=0.5))

    for part in ("OBS 29.0.2", "CUDAExecutionProvider", "3 starts, 1 after", "A card", "filter 1: Delay."):
        assert part in text
    assert '{"strength": 0.5}' in text
    assert "(project)/gate.so (MISSING)" in text
    assert f"line {500 - LOG_LINES} " in text
    assert f"line {499 - LOG_LINES} " not in text


def test_it_names_neither_the_user_nor_faces_nor_what_they_wrote(tmp_path: Path) -> None:
    settings = FilterSettings(
        label_text="Jo's stream", sound_source="Jo's mic", slate_image="/media/jo.png", persona="Cousin Al"
    )
    text = made(tmp_path / "home" / "jo", settings)

    assert "jo" not in text.lower().replace("json", "")
    assert str(tmp_path) not in text
    assert "Al" not in text
    assert "Mary" not in text
