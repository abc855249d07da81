"""The filter's property page.

OBS asks for it on the UI thread (obs-websocket also on one of its own), through the gate. What the page's
buttons and lists call back is in :mod:`doppel_obs.page_callbacks`; a page may stay open while the script is
reloaded.
"""

from __future__ import annotations

import dataclasses
from typing import Mapping, Sequence

from doppel_ipc.message_parts import CONSENT_GROUNDS
from doppel_ipc.messages import Choices, DeviceInfo
from doppel_ipc.settings import FIELDS, FilterSettings

from doppel_obs import page_layout as layout
from doppel_obs.language import Language
from doppel_obs.libobs import Handle, Libobs
from doppel_obs.page_callbacks import PREVIEW, PageCallbacks
from doppel_obs.page_layout import Group, Row
from doppel_obs.page_widgets import Item, Widgets
from doppel_obs.phrases import phrase

ADD_PATH, ADD_MORE, ADD_NAME, ADD_GROUND = "add_path", "add_more", "add_name", "add_ground"
ADD_CONFIRMED, ADD_LICENCE = "add_confirmed", "add_licence"
"""Keys of the part "Add a face" in the filter's obs_data; they are no settings of the swap."""
LOOK, LOOK_NAME = "look", "look_name"
"""Keys of the part "Saved looks"."""
_PICTURES = "(*.png *.jpg *.jpeg *.webp *.bmp)"
_PHOTOS = "(*.png *.jpg *.jpeg *.webp *.bmp *.onnx *.dfm)"


@dataclasses.dataclass(frozen=True)
class PersonaChoice:
    """One line of the face list."""

    id: str
    name: str
    picture: str = ""
    """Path of a picture of it; empty: there is none."""


@dataclasses.dataclass(frozen=True)
class Page:
    """What the page of one filter shows."""

    filter_id: int
    settings: FilterSettings
    status: str
    answers: Mapping[str, str]
    """To what was last done in a group ("add", "looks", "help"); stands beside its buttons."""
    personas: Sequence[PersonaChoice]
    choices: Choices
    looks: Sequence[str]
    """Names of the saved looks."""
    audio_names: Sequence[str]
    own_sound: bool
    """True: the source has sound of its own, so there is no microphone to pick."""
    delay: str
    in_use: str
    """Which device and provider work for this filter."""


class PageBuilder:
    """Builds property pages.

    Args:
        libobs: libobs's functions.
        callbacks: the process's thunks.
        language: in which the page is.
    """

    def __init__(self, libobs: Libobs, callbacks: PageCallbacks, language: Language) -> None:
        self._libobs = libobs
        self._callbacks = callbacks
        self._language = language

    def build(self, page: Page) -> Handle:
        """A new obs_properties_t; the caller owns it."""
        widgets = Widgets(self._libobs, self._callbacks, self._language, page.filter_id)
        return _Build(widgets, page, self._language).page()


class _Build:
    """One page in the making."""

    def __init__(self, widgets: Widgets, page: Page, language: Language) -> None:
        self._widgets = widgets
        self._page = page
        self._language = language

    def page(self) -> Handle:
        widgets = self._widgets
        root = widgets.start()
        widgets.info(root, "status", self._page.status)
        widgets.button(root, "refresh")
        widgets.reacts(widgets.switch(root, layout.SHOW_ADVANCED, "page.show_advanced"))
        self._group(root, layout.FACE)
        self._group(root, layout.PEOPLE)
        self._add(root)
        self._group(root, layout.LOOK)
        self._looks(root)
        for group in (layout.TRACKING, layout.TIMING, layout.SAFETY, layout.LABEL, layout.DEVICE):
            self._group(root, group)
        self._help(root)
        return root

    def _group(self, root: Handle, group: Group) -> None:
        content = self._widgets.start()
        if group is layout.TIMING:
            self._widgets.info(content, "delay", self._page.delay)
        for row in group.rows:
            self._row(content, row)
            if row.key == "persona":
                self._widgets.info(content, PREVIEW, " ")
        if group is layout.PEOPLE:
            self._widgets.info(content, "people", self._widgets.words("page.people"))
        if group is layout.DEVICE:
            self._widgets.info(content, "in_use", self._page.in_use)
        self._widgets.group(root, group.key, content)

    def _row(self, parent: Handle, row: Row) -> None:
        key, words = row.key, f"setting.{row.key}"
        field = FIELDS[key]
        made: Handle | None = None
        if key == "sound_source" and self._page.own_sound:
            self._widgets.info(parent, "own_sound", self._widgets.words("sound.own"))
        elif key == "slate_image" or key.endswith("_picture"):
            self._widgets.path(parent, key, words, self._pattern("files.pictures", _PICTURES))
        elif isinstance(field.default, bool):
            made = self._widgets.switch(parent, key, words)
        elif isinstance(field.default, (int, float)):
            self._widgets.slider(parent, row, words)
        elif key == "label_text":
            self._widgets.text(parent, key, words)
        else:
            items = self._items(key)
            made = self._widgets.choice(parent, key, words, items, editable=key == "sound_source")
        if made is not None and (key in layout.SWITCHING or key == "persona"):
            self._widgets.reacts(made)

    def _items(self, key: str) -> Sequence[Item]:
        """The lines of a setting's list, the chosen one always among them.

        OBS sets a list without the chosen value to its first line, and that in the settings.
        """
        page = self._page
        items: list[Item] = [
            (value, self._widgets.words(f"choice.{key}.{value}")) for value in FIELDS[key].metadata["choices"]
        ]
        if key == "persona" or key.endswith("_persona"):
            items = [(item.id, item.name) for item in page.personas]
            if key != "persona":
                items.insert(0, ("", self._widgets.words("page.face_above")))
        elif key == "sound_source":
            items = [("", self._widgets.words("choice.sound_source.none"))]
            items += [(name, name) for name in page.audio_names]
        elif key == "device":
            items += [(one.id, self._device(one)) for one in page.choices.devices if one.id != "cpu"]
        elif FIELDS[key].metadata["model"]:
            items += [(one.name, one.name) for one in page.choices.models if one.role == key]
        chosen = getattr(page.settings, key)
        if chosen not in [value for value, _ in items]:
            items.append((chosen, chosen))
        return items

    def _device(self, device: DeviceInfo) -> str:
        if not device.memory_mb:
            return self._language.say(phrase("device.row-plain", name=device.name, id=device.id))
        size = f"{device.memory_mb / 1024:.0f}"
        return self._language.say(phrase("device.row", name=device.name, id=device.id, gb=size))

    def _pattern(self, words: str, pattern: str) -> str:
        return f"{self._widgets.words(words)} {pattern}"

    def _add(self, root: Handle) -> None:
        widgets, content = self._widgets, self._widgets.start()
        photos = self._pattern("files.photos", _PHOTOS)
        widgets.path(content, ADD_PATH, "page.add_path", photos)
        widgets.files(content, ADD_MORE, "page.add_more", self._pattern("files.pictures", _PICTURES))
        widgets.text(content, ADD_NAME, "page.add_name")
        grounds = [(ground, widgets.words(f"ground.{ground}")) for ground in CONSENT_GROUNDS]
        widgets.choice(content, ADD_GROUND, "page.add_ground", [("", widgets.words("ground.none")), *grounds])
        widgets.switch(content, ADD_CONFIRMED, "page.add_confirmed")
        widgets.switch(content, ADD_LICENCE, "page.add_licence")
        self._answer(content, "add")
        widgets.button(content, "add_photo")
        widgets.group(root, "add", content)

    def _looks(self, root: Handle) -> None:
        widgets, content = self._widgets, self._widgets.start()
        names = [(name, name) for name in self._page.looks]
        widgets.choice(content, LOOK, "page.look", [("", widgets.words("page.look.none")), *names])
        widgets.button(content, "look_apply")
        widgets.button(content, "look_remove")
        widgets.text(content, LOOK_NAME, "page.look_name")
        self._answer(content, "looks")
        widgets.button(content, "look_save")
        widgets.group(root, "looks", content)

    def _help(self, root: Handle) -> None:
        content = self._widgets.start()
        self._answer(content, "help")
        for key in ("restart_worker", "open_log", "open_personas", "diagnostics"):
            self._widgets.button(content, key)
        self._widgets.group(root, "help", content)

    def _answer(self, content: Handle, group: str) -> None:
        """Above the button: OBS keeps the scroll position, so it comes up where the user is looking."""
        text = self._page.answers.get(group, "")
        if text:
            self._widgets.info(content, f"{group}_answer", text)
