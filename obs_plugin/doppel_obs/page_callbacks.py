"""What OBS calls back while a property page is open: buttons, and lists whose choice changes the page."""

from __future__ import annotations

import os
from typing import Callable

from doppel_ipc.settings import FIELDS

from doppel_obs import libobs as obs
from doppel_obs.libobs import Libobs
from doppel_obs.page_layout import ADVANCED_ROWS, ROWS, SHOW_ADVANCED, is_seen

PREVIEW = "preview"
"""The row with the picture of the chosen face."""
INFO_MARK = "#"
"""In the name of a row that only tells something: its key comes before, what nobody can guess after."""


class PageCallbacks:
    """The thunks that pages hold. One per process: OBS may call them as long as a page is open.

    Args:
        libobs: libobs's functions.
        guarded: wraps a function so that no exception reaches libobs, see ``Holder.guarded``.
    """

    def __init__(self, libobs: Libobs, guarded: Callable[..., Callable[..., bool]]) -> None:
        self._libobs = libobs
        self.clicked: Callable[[str, int], None] | None = None
        """Set by the script that is loaded: a button of a filter's page (name, filter's id) was pressed."""
        self.preview: Callable[[str], str] | None = None
        """Set by the script that is loaded: what the page shows of a persona."""
        self.click_thunk = obs.CLICKED_CALLBACK(guarded(False, self._pressed))
        self.modified_thunk = obs.MODIFIED_CALLBACK(guarded(False, self._modified))
        self.thunks = (self.click_thunk, self.modified_thunk)
        self._secret = os.urandom(8).hex()

    def info_name(self, key: str) -> bytes:
        """The property's name of a row that only tells something.

        Where the filter has a setting of that name, OBS shows the setting instead of the row's text
        (``AddText`` of its properties view). A stranger's scene collection could so put words and links of
        its own on the page.
        """
        return f"{key}{INFO_MARK}{self._secret}".encode()

    def _pressed(self, _properties: int, button: int, filter_id: int) -> bool:
        if self.clicked is not None:
            self.clicked(obs.text_of(self._libobs.obs_property_name(button)), filter_id)
        return False

    def _modified(self, _data: int, properties: int, _property: int, settings: int) -> bool:
        """Shows the rows that fit the settings; True: OBS is to draw the page again."""

        def value_of(key: str) -> str:
            name = key.encode()
            if key == SHOW_ADVANCED or isinstance(FIELDS[key].default, bool):
                return "on" if self._libobs.obs_data_get_bool(settings, name) else "off"
            return obs.text_of(self._libobs.obs_data_get_string(settings, name))

        advanced = value_of(SHOW_ADVANCED) == "on"
        for key, row in ROWS.items():
            found = self._libobs.obs_properties_get(properties, key.encode())
            if found:
                self._libobs.obs_property_set_visible(found, is_seen(row, value_of, advanced=advanced))
        for key in ADVANCED_ROWS:
            found = self._libobs.obs_properties_get(properties, key.encode())
            if found:
                self._libobs.obs_property_set_visible(found, advanced)
        picture = self._libobs.obs_properties_get(properties, self.info_name(PREVIEW))
        if picture and self.preview is not None:
            shown = self.preview(value_of("persona"))
            self._libobs.obs_property_set_description(picture, shown.encode())
        return True
