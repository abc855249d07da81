"""The filter's property page.

OBS asks for it on the UI thread (obs-websocket also on one of its own), through the gate. The page's
buttons and lists call back into the process-wide thunks of :class:`PageCallbacks`, which find the filter by
its id: a page may stay open while the script is reloaded.
"""

from __future__ import annotations

import ctypes
import dataclasses
from typing import Callable, Sequence

from doppel_ipc.settings import FIELDS

from doppel_obs import libobs as obs
from doppel_obs.libobs import Handle, Libobs

ADD_PATH, ADD_NAME, ADD_GROUND, ADD_CONFIRMED = "add_path", "add_name", "add_ground", "add_confirmed"
"""Keys of the "add a photo" part in the filter's obs_data; they are no settings of the swap."""
GROUNDS = (
    ("own", "It is my own face"),
    ("permission", "This person has given me permission"),
    ("public-domain", "The picture is in the public domain"),
    ("synthetic", "Nobody: the face is synthetic"),
)
"""Grounds of consent, as ``doppel persona add --consent`` takes them, and what the page calls them."""
OWN_SOUND = "No microphone to choose: it is this source's own sound that is delayed with the picture."
_IMAGES = "Pictures (*.png *.jpg *.jpeg *.webp *.bmp)"


@dataclasses.dataclass(frozen=True)
class PersonaChoice:
    """One line of the face list."""

    id: str
    name: str


@dataclasses.dataclass(frozen=True)
class Page:
    """What the page of one filter shows."""

    filter_id: int
    status: str
    answer: str
    """To what was last done in the "add a photo" part; stands beside its button. Empty: nothing was."""
    personas: Sequence[PersonaChoice]
    audio_names: Sequence[str]
    slate: bool
    """True: the slate's path is visible, since ``cover`` is ``slate``."""
    own_sound: bool
    """True: the source has sound of its own, so there is no microphone to pick."""


class PageCallbacks:
    """The thunks that pages hold. One per process: OBS may call them as long as a page is open.

    Args:
        libobs: libobs's functions.
        guarded: wraps a function so that no exception reaches libobs, see ``Holder.guarded``.
    """

    def __init__(self, libobs: Libobs, guarded: Callable[..., Callable[..., bool]]) -> None:
        self._libobs = libobs
        self.add_clicked: Callable[[int], None] | None = None
        """Set by the script that is loaded: the Add button of filter id was pressed."""
        self.refresh_clicked: Callable[[int], None] | None = None
        self.thunks = (
            obs.CLICKED_CALLBACK(guarded(False, self._add)),
            obs.CLICKED_CALLBACK(guarded(False, self._refresh)),
            obs.MODIFIED_CALLBACK(guarded(False, self._cover_changed)),
        )

    def _add(self, _properties: int, _property: int, filter_id: int) -> bool:
        if self.add_clicked is not None:
            self.add_clicked(filter_id)
        return False

    def _refresh(self, _properties: int, _property: int, filter_id: int) -> bool:
        if self.refresh_clicked is not None:
            self.refresh_clicked(filter_id)
        return False

    def _cover_changed(self, _data: int, properties: int, _property: int, settings: int) -> bool:
        chosen = obs.text_of(self._libobs.obs_data_get_string(settings, b"cover"))
        slate = self._libobs.obs_properties_get(properties, b"slate_image")
        if slate:
            self._libobs.obs_property_set_visible(slate, chosen == "slate")
        return True


class PageBuilder:
    """Builds property pages.

    Args:
        libobs: libobs's functions.
        callbacks: the process's thunks.
    """

    def __init__(self, libobs: Libobs, callbacks: PageCallbacks) -> None:
        self._obs = libobs
        self._add_thunk, self._refresh_thunk, self._cover_thunk = callbacks.thunks

    def build(self, page: Page) -> Handle:
        """A new obs_properties_t; the caller owns it."""
        root: Handle = self._obs.obs_properties_create()
        self._info(root, "status", page.status)
        self._button(root, "refresh", "Refresh the status", self._refresh_thunk, page.filter_id)
        self._list(root, "persona", "Face", [(item.id, item.name) for item in page.personas])
        self._bool(root, "swap", "Swap the face (off shows the original)")
        self._look(root)
        self._add_photo(root, page)
        self._safety(root, page)
        return root

    def _add_photo(self, root: Handle, page: Page) -> None:
        group = self._obs.obs_properties_create()
        self._obs.obs_properties_add_path(
            group, ADD_PATH.encode(), b"Photo", obs.PATH_FILE, _IMAGES.encode(), None
        )
        self._obs.obs_properties_add_text(group, ADD_NAME.encode(), b"Name", obs.TEXT_DEFAULT)
        self._list(group, ADD_GROUND, "Whose face is it?", [("", "(please choose)"), *GROUNDS])
        self._bool(group, ADD_CONFIRMED, "I confirm that I may use this face")
        # Above the button: OBS keeps the scroll position, so it comes up where the user is looking.
        if page.answer:
            self._info(group, "add_answer", page.answer)
        self._button(group, "add_photo", "Add this face", self._add_thunk, page.filter_id)
        self._obs.obs_properties_add_group(root, b"add", b"Add a photo...", obs.GROUP_NORMAL, group)

    def _look(self, root: Handle) -> None:
        group = self._obs.obs_properties_create()
        self._slider(group, "strength", "Strength")
        self._bool(group, "keep_mouth", "Keep my mouth's inside (teeth, tongue)")
        self._bool(group, "keep_eyes", "Keep my eyes")
        self._slider(group, "edge_softness", "Softness of the edge")
        self._bool(group, "label", "Show the label that discloses the swap")
        self._obs.obs_properties_add_group(root, b"look", b"Look", obs.GROUP_NORMAL, group)

    def _safety(self, root: Handle, page: Page) -> None:
        group = self._obs.obs_properties_create()
        cover = self._list(group, "cover", "When the picture is covered, show", _COVERS)
        self._obs.obs_property_set_modified_callback2(cover, self._cover_thunk, None)
        slate = self._obs.obs_properties_add_path(
            group, b"slate_image", b"Slate picture", obs.PATH_FILE, _IMAGES.encode(), None
        )
        self._obs.obs_property_set_visible(slate, page.slate)
        self._list(group, "late_policy", "When a result is late", _LATE)
        self._bool(group, "sound_sync", "Delay the sound as much as the picture")
        if page.own_sound:
            self._info(group, "own_sound", OWN_SOUND)
        else:
            names = [("", "(none)"), *((name, name) for name in page.audio_names)]
            self._list(group, "sound_source", "Microphone to delay", names, editable=True)
        self._obs.obs_properties_add_group(root, b"safety", b"Cover and sound", obs.GROUP_NORMAL, group)

    def _info(self, parent: Handle, key: str, text: str) -> None:
        self._obs.obs_properties_add_text(parent, key.encode(), text.encode(), obs.TEXT_INFO)

    def _bool(self, parent: Handle, key: str, text: str) -> None:
        self._obs.obs_properties_add_bool(parent, key.encode(), text.encode())

    def _slider(self, parent: Handle, key: str, text: str) -> None:
        limits = FIELDS[key].metadata
        self._obs.obs_properties_add_float_slider(
            parent, key.encode(), text.encode(), limits["low"], limits["high"], 0.01
        )

    def _button(self, parent: Handle, key: str, text: str, thunk: object, filter_id: int) -> None:
        self._obs.obs_properties_add_button2(
            parent, key.encode(), text.encode(), thunk, ctypes.c_void_p(filter_id)
        )

    def _list(
        self, parent: Handle, key: str, text: str, items: Sequence[tuple[str, str]], *, editable: bool = False
    ) -> Handle:
        kind = obs.COMBO_EDITABLE if editable else obs.COMBO_LIST
        made: Handle = self._obs.obs_properties_add_list(
            parent, key.encode(), text.encode(), kind, obs.COMBO_FORMAT_STRING
        )
        for value, name in items:
            self._obs.obs_property_list_add_string(made, name.encode(), value.encode())
        return made


_COVERS = (("mosaic", "A coarse mosaic of it"), ("slate", "A slate picture"))
_LATE = (
    ("hold", "Hold the last picture, then cover"),
    ("cover", "Cover at once"),
    ("original", "Show the ORIGINAL face"),
)
