"""What the page can offer, and model files added there: with their licence and consent, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from doppel_ipc.messages import Consent, ModelInfo
from doppel_models.errors import ModelsError
from doppel_models.files.store import ModelStore
from doppel_models.personas import BUILT_INS, PersonaStore
from doppel_worker import offers
from doppel_worker.devices import list_devices

from tests.support.probes import shapes

CONSENT = Consent("own", "Jo", "2026-01-31T12:00:00+00:00")


def inswapper_probe(folder: Path) -> Path:
    path = folder / "swapper.onnx"
    path.write_bytes(shapes.inswapper().SerializeToString())
    return path


def dfm_probe(folder: Path) -> Path:
    path = folder / "ann.dfm"
    path.write_bytes(shapes.dfm().SerializeToString())
    return path


@pytest.fixture
def stores(tmp_path: Path) -> tuple[ModelStore, PersonaStore]:
    return ModelStore(tmp_path / "models"), PersonaStore(tmp_path / "personas")


def test_the_licence_is_shown_before_anything_is_kept(
    tmp_path: Path, stores: tuple[ModelStore, PersonaStore]
) -> None:
    path = inswapper_probe(tmp_path)
    with pytest.raises(ModelsError, match=r"licence: InsightFace.*Tick that you accept"):
        offers.add_model(path, "", CONSENT, *stores, licence=False)
    assert offers.choices(stores[0]).models == ()


def test_a_swapper_becomes_an_engine_to_choose(
    tmp_path: Path, stores: tuple[ModelStore, PersonaStore]
) -> None:
    assert offers.add_model(inswapper_probe(tmp_path), "mine", CONSENT, *stores, licence=True) is None
    found = offers.choices(stores[0])
    assert found.models == (ModelInfo("mine", "engine"),)
    assert [one.id for one in found.devices] == [one.id for one in list_devices()]
    assert stores[1].list() == list(BUILT_INS)


def test_a_model_of_one_face_becomes_a_persona_with_its_consent(
    tmp_path: Path, stores: tuple[ModelStore, PersonaStore]
) -> None:
    made = offers.add_model(dfm_probe(tmp_path), "Ann", CONSENT, *stores, licence=True)
    assert made is not None
    assert stores[1].get(made.id).consent.who == "Jo"
    assert offers.picture_of(made) == ""


def test_a_file_that_is_no_model_is_refused(tmp_path: Path, stores: tuple[ModelStore, PersonaStore]) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(ModelsError):
        offers.add_model(path, "", CONSENT, *stores, licence=True)


def test_every_built_in_mask_has_a_picture() -> None:
    assert all(offers.picture_of(mask) for mask in BUILT_INS)
