"""What engines of model files keep of a persona's photos."""

from __future__ import annotations

import functools
import itertools

import pytest
from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import Consent, Persona, PersonaStore
from doppel_models.pose import Pose
from doppel_worker import model_engines
from doppel_worker.model_engines import ModelEngines

from tests.support.large_photos import DECODED_BYTES, large_photo, memory_at_each
from tests.support.probes import build
from tests.support.probes.stage import model_file

LIGHTS = (1.0, 0.8, 0.6)
SIZES = {"uniface": 256, "blendswap": 112, "inswapper": 112}
"""By swapper: the side of what it, or else its recogniser, takes of a photo."""


@pytest.fixture(scope="module")
def persona(tmp_path_factory: pytest.TempPathFactory) -> Persona:
    """Three photos, each darker than the one before."""
    store = PersonaStore(tmp_path_factory.mktemp("personas"))
    own = Consent("own", "Jo", "2026-01-31T12:00:00+00:00")
    return store.save("Large", [(".jpg", large_photo(light)) for light in LIGHTS], own)


@functools.cache
def engines() -> ModelEngines:
    importer = PersonaImporter()
    importer.load()
    return ModelEngines(importer)


@pytest.mark.parametrize("name", SIZES)
def test_only_the_faces_of_photos_are_kept(
    persona: Persona, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    swapper = model_file(build.swapper(name, build.scale_channels)).description
    made = engines()
    with memory_at_each(monkeypatch) as used:
        crops = made._photos(persona, swapper)
    assert len(used) == len(LIGHTS)
    assert max(used) < 1.5 * DECODED_BYTES
    assert [crop.rgb.shape for crop in crops] == [(SIZES[name], SIZES[name], 3)] * len(LIGHTS)
    assert all(crop.rgb.base is None for crop in crops)


def test_the_photo_that_shows_the_face_straightest_is_the_first(
    persona: Persona, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = itertools.chain((20.0, 10.0, -5.0))
    monkeypatch.setattr(model_engines, "head_pose", lambda _: Pose(next(turns), 0.0, 0.0, 1.0))
    swapper = model_file(build.swapper("uniface", build.scale_channels)).description
    light = [float(crop.rgb.mean()) for crop in engines()._photos(persona, swapper)]
    assert light == sorted(light)
