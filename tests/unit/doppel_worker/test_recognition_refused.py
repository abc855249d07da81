"""What the recogniser says of pictures and looks that the system, the memory or a library refuses."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from doppel_models import photo_check
from doppel_models.errors import ModelsError
from doppel_models.files.store import ModelStore
from doppel_worker.recognition import FaceRecognition

from tests.support.recogniser import keep, recogniser_of, write_portrait
from tests.support.tracked_lane import ANNA, BEA


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    folder = tmp_path_factory.mktemp("models")
    models = ModelStore(folder / "models")
    keep(recogniser_of(ANNA, BEA, folder), models, folder)
    return models


@pytest.mark.parametrize(
    "path", ["~nobody-of-that-name/x.png", "x" * 300 + ".png", "a\0b.png", "/dev/null/x.png"]
)
def test_a_path_that_the_system_refuses_is_told_as_that(path: str, models: ModelStore) -> None:
    with pytest.raises(ModelsError, match=r"cannot be (read|used): "):
        FaceRecognition(models).example(path).result(20)


def test_a_picture_that_goes_while_it_is_looked_at_is_told_as_missing(
    models: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "is_file", lambda _: True)
    with pytest.raises(ModelsError, match=r"gone\.png cannot be read: "):
        FaceRecognition(models).example(str(tmp_path / "gone.png")).result(20)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), "there is not enough memory"),
        (cv2.error("bad argument"), "bad argument"),
        (PermissionError(13, "not yours"), "not yours"),
    ],
)
def test_what_libraries_and_memory_refuse_is_told_and_the_next_try_is_good(
    error: Exception, told: str, models: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_portrait(BEA, tmp_path / "bea.png")
    recognition = FaceRecognition(models)

    def refused(*_: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(photo_check, "only_face", refused)
        with pytest.raises(ModelsError, match=told):
            recognition.example(path).result(20)
    assert recognition.example(path).result(20).shape == (512,)


def test_a_look_that_cannot_be_cropped_is_told(models: ModelStore) -> None:
    landmarks = np.random.default_rng(1).uniform(0, 20, (478, 3)).astype(np.float32)
    with pytest.raises(ModelsError, match="ArcFace cannot be used: "):
        FaceRecognition(models).look(np.zeros((0, 0, 3), np.uint8), landmarks).result(20)
