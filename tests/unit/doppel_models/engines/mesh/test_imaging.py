import numpy as np
import pytest
from doppel_models.engines.mesh import imaging


def _drawn(coverage):
    """(3, h, w): two attributes that rise along the columns and rows, and their coverage."""
    rows, columns = np.mgrid[0:20, 0:30].astype(np.float32)
    return np.stack([(columns + 1) / 40, (rows + 1) / 40, np.ones_like(rows)]) * coverage


def test_a_coverage_that_is_rounded_below_one_is_no_hole() -> None:
    """Interpolated over a triangle, 1 becomes 0.9999999 here and there."""
    coverage = np.ones((20, 30), np.float32)
    coverage[5:15:2, 5:25:3] = np.nextafter(np.float32(1), np.float32(0))
    drawn = _drawn(coverage)
    assert np.array_equal(imaging.continued(drawn), drawn[:2])


def test_attributes_go_on_beside_the_mesh() -> None:
    coverage = np.zeros((20, 30), np.float32)
    coverage[5:15, 8:22] = 1
    drawn = _drawn(coverage)
    x, y = imaging.continued(drawn)
    assert np.array_equal(x[5:15, 8:22], drawn[0, 5:15, 8:22])
    # The next pixel outside has what the nearest one inside has, or its neighbour.
    for beside, inside in (((9, 7), (9, 8)), ((9, 22), (9, 21)), ((4, 12), (5, 12)), ((15, 12), (14, 12))):
        assert abs(x[beside] - x[inside]) <= 1 / 40 + 1e-6
        assert abs(y[beside] - y[inside]) <= 1 / 40 + 1e-6


# 48 * (48 / 47) comes out just below 48.
@pytest.mark.parametrize(("cells", "size"), [((40, 30), (95, 131)), ((47, 64), (66, 48))])
def test_a_texture_is_rendered_wherever_its_mask_shows(cells: tuple[int, int], size: tuple[int, int]) -> None:
    texture = imaging.padded(np.full((64, 64, 3), 200, np.uint8))
    mask = np.zeros(cells, np.uint8)
    mask[7, 3] = mask[16, 29] = mask[-1, 12] = mask[20:33, 8:14] = 255
    canvas = imaging.Canvas()
    canvas.picture(size)[:] = 0
    rgb = canvas.texture(texture, np.full((2, *cells), 0.5, np.float32), mask, size)
    assert (rgb[imaging.resize(mask, size) > 0] == 200).all()
    assert (rgb == 0).any()
