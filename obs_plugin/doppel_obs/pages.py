"""Changes to a filter that come from here: its property page built anew, its settings changed."""

from __future__ import annotations

from typing import Mapping

from doppel_obs.properties import ADD_CONFIRMED
from doppel_obs.registration import Holder


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

    def change(self, filter_id: int, texts: Mapping[str, str]) -> None:
        """Sets texts in the filter's settings, takes the tick of consent away, and refreshes the page."""
        source = self._gate.doppel_gate_get_source(filter_id)
        if source is None:
            return
        try:
            data = self._obs.obs_data_create()
            try:
                for key, value in texts.items():
                    self._obs.obs_data_set_string(data, key.encode(), value.encode())
                self._obs.obs_data_set_bool(data, ADD_CONFIRMED.encode(), False)
                self._obs.obs_source_update(source, data)
            finally:
                self._obs.obs_data_release(data)
            self._obs.obs_source_update_properties(source)
        finally:
            self._obs.obs_source_release(source)
