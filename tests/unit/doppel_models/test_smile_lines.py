import numpy as np
import pytest
from doppel_models import canonical, face_texture
from doppel_models.engines.mesh.shape import HeadFrame, resting
from doppel_models.smile_lines import smile_of, softened

from tests.support.portrait import astronaut


def _texture() -> np.ndarray:
    return face_texture.unwrap(astronaut().rgb, astronaut().landmarks).texture


def _depth(texture: np.ndarray) -> float:
    """How dark the line beside the nose is in the cheek, natural logarithm."""
    column, row = (canonical.load().uv[216] * face_texture.SIZE).astype(int)
    across = np.log(texture[row - 4 : row + 5, column - 24 : column + 25].mean(axis=(0, 2)))
    return float(np.quantile(across, 0.75) - across.min())


def test_a_smile_is_told_from_a_resting_face():
    smiling = HeadFrame.of(astronaut().landmarks).shape_of(astronaut().landmarks)
    assert smile_of(smiling) > 0.9
    assert smile_of(resting(canonical.load().vertices)) < 0.1


def test_the_lines_of_a_smile_become_shallower_and_stay():
    before = _texture()
    after = softened(before, 1.0)
    assert 0.2 * _depth(before) < _depth(after) < 0.75 * _depth(before)


def test_the_rest_of_the_face_keeps_its_looks():
    before = _texture()
    changed = np.abs(softened(before, 1.0) - before).max(axis=2)
    assert changed[:190].max() < 1
    assert changed[:, 225:285].max() < 3


@pytest.mark.parametrize("smile", [0.0, 0.5])
def test_a_face_that_smiles_less_is_changed_less(smile):
    before = _texture()
    changed = [np.abs(softened(before, part) - before).mean() for part in (smile, 1.0)]
    assert changed[0] <= 0.6 * changed[1]
