"""Changes to a filter that come from here: its property page built anew, its settings changed."""

from __future__ import annotations

import json
from typing import Mapping

from doppel_obs.properties import ADD_PATH
from doppel_obs.registration import Holder
from doppel_obs.settings_reader import read_json


class FilterPages:
    """Reaches filters by the gate's ids; an id that is gone is passed over.

    Args:
        holder: libobs and the gate.
    """

    def __init__(self, holder: Holder) -> None:
        self._obs = holder.libobs
        self._gate = holder.gate

    def refresh(self, filter_id: int) -> None:
        """Has OBS build the filter's page anew where it is open."""
        source = self._gate.doppel_gate_get_source(filter_id)
        if source is None:
            return
        try:
            self._obs.obs_source_update_properties(source)
        finally:
            self._obs.obs_source_release(source)

    def photo(self, filter_id: int) -> object:
        """What the filter's page has as the photo to add; None: nothing, or there is no such filter."""
        source = self._gate.doppel_gate_get_source(filter_id)
        if source is None:
            return None
        try:
            return read_json(self._obs, source).get(ADD_PATH)
        finally:
            self._obs.obs_source_release(source)

    def set_values(self, filter_id: int, values: Mapping[str, object]) -> None:
        """Changes values of the filter's settings (what JSON can hold), and refreshes the page."""
        source = self._gate.doppel_gate_get_source(filter_id)
        if source is None:
            return
        try:
            data = self._obs.obs_data_create_from_json(json.dumps(dict(values)).encode())
            try:
                self._obs.obs_source_update(source, data)
            finally:
                self._obs.obs_data_release(data)
            self._obs.obs_source_update_properties(source)
        finally:
            self._obs.obs_source_release(source)
