"""libobs's properties with words: one method per kind of control."""

from __future__ import annotations

import ctypes
import html
from typing import Sequence, Tuple

from doppel_ipc.settings import FIELDS

from doppel_obs import libobs as obs
from doppel_obs.language import Language
from doppel_obs.libobs import Handle, Libobs
from doppel_obs.page_callbacks import PageCallbacks
from doppel_obs.page_layout import Row
from doppel_obs.phrases import phrase

Item = Tuple[str, str]
"""(value, what the list calls it)."""


class Widgets:
    """Adds controls to property objects.

    Args:
        libobs: libobs's functions.
        callbacks: the process's thunks.
        language: the page's.
        filter_id: of the filter whose page it is; buttons report it.
    """

    def __init__(self, libobs: Libobs, callbacks: PageCallbacks, language: Language, filter_id: int) -> None:
        self._obs = libobs
        self._callbacks = callbacks
        self._language = language
        self._filter_id = filter_id

    def words(self, key: str) -> str:
        """A text without placeholders."""
        return self._language.say(phrase(key))

    def start(self) -> Handle:
        """New properties: a page, or what a group holds."""
        made: Handle = self._obs.obs_properties_create()
        return made

    def group(self, parent: Handle, key: str, content: Handle) -> None:
        """Puts ``content`` under the heading ``group.KEY``."""
        self._obs.obs_properties_add_group(
            parent, f"group_{key}".encode(), self.words(f"group.{key}").encode(), obs.GROUP_NORMAL, content
        )

    def info(self, parent: Handle, key: str, text: str) -> None:
        """Text that cannot be changed, as it stands."""
        name = self._callbacks.info_name(key)
        self._obs.obs_properties_add_text(parent, name, without_markup(text).encode(), obs.TEXT_INFO)

    def text(self, parent: Handle, key: str, words: str) -> None:
        """A line to type in; ``words``: key of its texts."""
        made = self._obs.obs_properties_add_text(
            parent, key.encode(), self.words(words).encode(), obs.TEXT_DEFAULT
        )
        self._tip(made, words)

    def switch(self, parent: Handle, key: str, words: str) -> Handle:
        """A box to tick."""
        made: Handle = self._obs.obs_properties_add_bool(parent, key.encode(), self.words(words).encode())
        self._tip(made, words)
        return made

    def slider(self, parent: Handle, row: Row, words: str) -> None:
        """A number within the limits of its setting."""
        field = FIELDS[row.key]
        name, text = row.key.encode(), self.words(words).encode()
        low, high = field.metadata["low"], field.metadata["high"]
        if isinstance(field.default, int):
            made = self._obs.obs_properties_add_int_slider(parent, name, text, low, high, 1)
            self._obs.obs_property_int_set_suffix(made, row.unit.encode())
        else:
            made = self._obs.obs_properties_add_float_slider(parent, name, text, low, high, row.step)
            self._obs.obs_property_float_set_suffix(made, row.unit.encode())
        self._tip(made, words)

    def path(self, parent: Handle, key: str, words: str, pattern: str) -> None:
        """A file; ``pattern``: which ones, as Qt's file dialog takes it."""
        made = self._obs.obs_properties_add_path(
            parent, key.encode(), self.words(words).encode(), obs.PATH_FILE, pattern.encode(), None
        )
        self._tip(made, words)

    def files(self, parent: Handle, key: str, words: str, pattern: str) -> None:
        """A list of files."""
        made = self._obs.obs_properties_add_editable_list(
            parent, key.encode(), self.words(words).encode(), obs.EDITABLE_FILES, pattern.encode(), None
        )
        self._tip(made, words)

    def button(self, parent: Handle, key: str) -> None:
        """A button, which reports its key; its texts are ``page.KEY``."""
        made = self._obs.obs_properties_add_button2(
            parent,
            key.encode(),
            self.words(f"page.{key}").encode(),
            self._callbacks.click_thunk,
            ctypes.c_void_p(self._filter_id),
        )
        self._tip(made, f"page.{key}")

    def choice(
        self, parent: Handle, key: str, words: str, items: Sequence[Item], *, editable: bool = False
    ) -> Handle:
        """A list to choose from; where it is ``editable``, other values can be typed."""
        kind = obs.COMBO_EDITABLE if editable else obs.COMBO_LIST
        made: Handle = self._obs.obs_properties_add_list(
            parent, key.encode(), self.words(words).encode(), kind, obs.COMBO_FORMAT_STRING
        )
        for value, name in items:
            self._obs.obs_property_list_add_string(made, name.encode(), value.encode())
        self._tip(made, words)
        return made

    def reacts(self, made: Handle) -> None:
        """The page follows the value of this control."""
        self._obs.obs_property_set_modified_callback2(made, self._callbacks.modified_thunk, None)

    def _tip(self, made: Handle, words: str) -> None:
        key = f"{words}.tip"
        if self._language.has(key):
            self._obs.obs_property_set_long_description(made, self.words(key).encode())


def without_markup(text: str) -> str:
    """The text as Qt shows it word for word.

    Qt takes a text for HTML by itself where it looks like it. A face of somebody else's may have such a name,
    and would be a link in the status line, or a picture that Qt reads.
    """
    if "<" not in text and "&lt;" not in text:
        return text
    return "<span>{}</span>".format(html.escape(text, quote=False).replace("\n", "<br>"))
