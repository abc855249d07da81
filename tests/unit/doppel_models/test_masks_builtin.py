import numpy as np
import pytest
from doppel_models import canonical, masks_builtin
from doppel_models.engines.mesh import regions
from doppel_models.errors import PersonaError
from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import BUILT_INS, PersonaStore


@pytest.mark.parametrize("mask_id", [persona.id for persona in BUILT_INS])
def test_every_built_in_mask_is_designed_and_the_same_each_time(mask_id, tmp_path):
    mesh = PersonaImporter().mesh(PersonaStore(tmp_path).get(mask_id))
    assert mesh.own_color
    assert mesh.shape is None
    face = mesh.texture[100:440, 80:430].reshape(-1, 3)
    assert len(np.unique(face // 8, axis=0)) > 150  # not one colour
    assert not mesh.texture.flags.writeable
    masks_builtin._load.cache_clear()
    assert (masks_builtin.load(mask_id).texture == mesh.texture).all()


def test_the_masks_differ():
    means = [masks_builtin.load(p.id).texture.reshape(-1, 3).mean(axis=0) for p in BUILT_INS]
    assert min(np.abs(a - b).max() for i, a in enumerate(means) for b in means[:i]) > 30


def test_an_unknown_mask_is_a_clear_error():
    with pytest.raises(PersonaError, match="porcelain, bronze, jade"):
        masks_builtin.load("gold")


@pytest.mark.parametrize("mask_id", [persona.id for persona in BUILT_INS])
def test_between_the_lids_a_mask_is_dark(mask_id):
    """So that an eye that shuts ends in a dark line."""
    texture = masks_builtin.load(mask_id).texture.mean(axis=2)
    side = texture.shape[0]
    uv = canonical.load().uv
    for eye in (regions.RIGHT_EYE, regions.LEFT_EYE):
        x, y = np.rint(uv[eye].mean(axis=0) * side).astype(int)
        assert texture[y - 2 : y + 3, x - 2 : x + 3].max() < 0.5 * np.median(texture[100:440, 80:430])
