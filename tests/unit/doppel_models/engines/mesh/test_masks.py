import numpy as np
import pytest
from doppel_models.engines.mesh import masks


@pytest.mark.parametrize("softness", [0, 0.5, 1])
def test_the_mask_is_full_in_the_middle_and_gone_at_the_outline(softness):
    mask = masks.feather(softness)
    assert mask[34, 32] == 1
    assert mask[masks.distance() == 0].max() == 0
    if softness:  # no step that a viewer would see as a line
        assert np.abs(np.diff(mask, axis=1)).max() < 0.45


def test_a_softer_edge_is_a_wider_one():
    partly = [float(((m > 0.02) & (m < 0.98)).mean()) for m in (masks.feather(s) for s in (0, 0.3, 0.6, 1))]
    assert partly == sorted(partly)
    assert partly[-1] > 2 * partly[0]


def test_the_edge_of_a_worn_mask_is_sharper():
    assert masks.rim(0.5).sum() > masks.feather(0.5).sum()


def test_support_ends_where_hair_hides_the_persona():
    known = np.ones((masks.SIZE, masks.SIZE), np.float32)
    assert masks.support(known) == pytest.approx(masks.distance(), abs=0.02)
    known[:16] = 0
    assert masks.support(known)[:16].max() == 0
    assert masks.support(known)[18, 32] < masks.distance()[18, 32]
