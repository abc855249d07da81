import numpy as np
import pytest
from doppel_models import channels


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_each_plane_holds_its_channel(dtype):
    picture = np.arange(5 * 7 * 3).reshape(5, 7, 3).astype(dtype)
    planes = channels.split(picture)
    assert planes.dtype == dtype
    np.testing.assert_array_equal(planes, picture.transpose(2, 0, 1))


def test_a_part_of_a_picture_is_split_like_a_whole_one():
    part = np.arange(9 * 11 * 4, dtype=np.float32).reshape(9, 11, 4)[2:7, 3:9]
    np.testing.assert_array_equal(channels.split(part), part.transpose(2, 0, 1))
