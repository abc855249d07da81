from __future__ import annotations

import ctypes

import pytest
from doppel_obs.pages import FilterPages

from tests.unit.doppel_obs.fake_obs import FakeHolder


@pytest.mark.parametrize(
    "failing", ["obs_data_create_from_json", "obs_source_update", "obs_source_update_properties"]
)
def test_a_filter_is_let_go_also_where_a_call_fails(ring_library: ctypes.CDLL, failing: str) -> None:
    holder = FakeHolder(ring_library)
    holder.gate.filters = [1]
    holder.libobs.references[101] = 1
    holder.libobs.failing = failing

    with pytest.raises(OSError, match=failing):
        FilterPages(holder.as_holder()).set_values(1, {"persona": "ann"})
    assert holder.libobs.references[101] == 0
