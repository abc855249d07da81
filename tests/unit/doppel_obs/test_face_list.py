from __future__ import annotations

from pathlib import Path

import pytest
from doppel_ipc.diagnostics import BUILT_IN_FACES
from doppel_models.personas import BUILT_INS
from doppel_obs.face_list import BUILT_IN_NAMES, FaceList
from doppel_obs.properties import PersonaChoice

from tests.unit.doppel_obs.english import ENGLISH

PROJECT = Path(__file__).resolve().parents[3]
NOT_YET: tuple[PersonaChoice, ...] = ()


@pytest.fixture
def faces() -> FaceList:
    return FaceList(PROJECT, ENGLISH)


def test_the_built_in_faces_are_called_as_the_worker_calls_them() -> None:
    assert {one.id: one.name for one in BUILT_INS} == BUILT_IN_NAMES
    assert tuple(BUILT_IN_NAMES) == BUILT_IN_FACES


@pytest.mark.parametrize("face", BUILT_IN_FACES)
def test_a_built_in_face_has_its_name_and_its_picture_before_the_worker_is_ready(
    faces: FaceList, face: str
) -> None:
    shown = {item.id: item.name for item in faces.shown(NOT_YET, face)}
    assert shown == BUILT_IN_NAMES
    assert f'masks/{face}.jpg" height=' in faces.picture(NOT_YET, face)


def test_nothing_is_claimed_of_the_users_faces_before_the_worker_has_listed_them(
    faces: FaceList, tmp_path: Path
) -> None:
    assert PersonaChoice("me", "me") in faces.shown(NOT_YET, "me")
    assert faces.picture(NOT_YET, "me") == "The picture comes when the worker is ready."
    photo = tmp_path / "me & you.png"
    photo.touch()
    listed = [PersonaChoice("me", "Me", str(photo)), PersonaChoice("trained", "Trained")]
    assert faces.shown(listed, "me") == listed
    assert f'<img src="{tmp_path.as_uri()}/me%20%26%20you.png"' in faces.picture(listed, "me")
    for face in ("trained", "gone"):
        assert faces.picture(listed, face).startswith("No picture: ")
    assert faces.shown(listed, "gone") == [*listed, PersonaChoice("gone", "gone")]
    photo.unlink()
    assert "missing" in faces.picture(listed, "me")
