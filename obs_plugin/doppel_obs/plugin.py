"""The script's parts put together: what ``doppel_filter.py`` forwards OBS's hooks to."""

from __future__ import annotations

from pathlib import Path

from doppel_ipc.errors import ConfigError, NativeError
from doppel_ipc.paths import InstallConfig, load_config

from doppel_obs import libobs as obs
from doppel_obs import registration, settings_reader
from doppel_obs.control import Control
from doppel_obs.errors import PluginError
from doppel_obs.properties import (
    ADD_CONFIRMED,
    ADD_GROUND,
    ADD_NAME,
    ADD_PATH,
    GROUNDS,
    Page,
    PageBuilder,
    PageCallbacks,
    PersonaChoice,
)
from doppel_obs.registration import Holder

DESCRIPTION = (
    "<h3>Doppel: live face swap</h3>"
    "<p>Right-click your camera &gt; Filters &gt; + under Audio/Video Filters &gt; <b>Face Swap</b>.</p>"
    "<p>Until the worker has judged a picture, it is covered. "
    "Remove or disable the filter to show the original.</p>"
)


class Plugin:
    """The script while it is loaded.

    Args:
        project: folder that holds ``obs_plugin/`` and ``shared/``.
    """

    def __init__(self, project: Path) -> None:
        self._project = project
        self._holder: Holder | None = None
        self._control: Control | None = None

    def problem(self) -> str:
        """What is missing on this computer and what to do; empty: nothing that can be seen from here."""
        try:
            config = load_config(self._project)
        except ConfigError as error:
            return str(error)
        return _missing(config)

    def load(self) -> None:
        """Registers the filter and starts the control loop; says in OBS's log what hinders it."""
        try:
            config = load_config(self._project)
            self._holder = registration.register(config.native_library)
        except (ConfigError, NativeError, PluginError) as error:
            _log_without_holder(f"The Face Swap filter is not there: {error}")
            return
        missing = _missing(config)
        if missing:
            self._holder.libobs.log(obs.LOG_WARNING, missing)
        self._control = Control(self._holder, config)
        callbacks = _callbacks(self._holder)
        callbacks.add_clicked = self._add_clicked
        callbacks.refresh_clicked = self._control.refresh_page
        registration.enable_properties(self._holder, self._page)
        self._control.start()

    def unload(self) -> None:
        """Stops everything that is Python's; the gate goes on covering."""
        holder, control = self._holder, self._control
        self._holder = self._control = None
        if holder is None or control is None:
            return
        registration.disable_properties(holder)
        callbacks = _callbacks(holder)
        callbacks.add_clicked = callbacks.refresh_clicked = None
        control.stop()

    def toggle_panic(self) -> None:
        """The panic hotkey was pressed."""
        if self._control is not None:
            self._control.toggle_panic()

    def _page(self, filter_id: int) -> int | None:
        holder, control = self._holder, self._control
        instance = control.instance(filter_id) if control is not None else None
        if holder is None or control is None:
            return None
        personas = list(control.personas)
        chosen = instance.settings.persona if instance is not None else ""
        if chosen and chosen not in [item.id for item in personas]:
            personas.append(PersonaChoice(chosen, chosen))
        page = Page(
            filter_id=filter_id,
            status=instance.line.text() if instance is not None else "Doppel is starting.",
            answer=instance.answer if instance is not None else "",
            personas=personas,
            audio_names=holder.libobs.audio_device_names(),
            slate=instance is not None and instance.settings.cover == "slate",
            own_sound=instance is not None and instance.has_own_sound(),
        )
        return PageBuilder(holder.libobs, _callbacks(holder)).build(page)

    def _add_clicked(self, filter_id: int) -> None:
        holder, control = self._holder, self._control
        instance = control.instance(filter_id) if control is not None else None
        if holder is None or control is None or instance is None:
            return
        source = holder.gate.doppel_gate_get_source(filter_id)
        if source is None:
            return
        try:
            values = settings_reader.read_json(holder.libobs, source)
        finally:
            holder.libobs.obs_source_release(source)
        photo, ground = str(values.get(ADD_PATH, "")), str(values.get(ADD_GROUND, ""))
        refusal = _refusal(photo, ground, confirmed=values.get(ADD_CONFIRMED) is True)
        if refusal:
            instance.answer = refusal
            control.refresh_page(filter_id)
        else:
            control.add_persona(filter_id, photo, str(values.get(ADD_NAME, "")), ground)


def _refusal(photo: str, ground: str, *, confirmed: bool) -> str:
    if not photo:
        return "Choose a photo first."
    if not Path(photo).is_file():
        return f"There is no file {photo}."
    if ground not in [key for key, _ in GROUNDS]:
        return "Say whose face it is."
    if not confirmed:
        return "Tick the box to confirm that you may use this face."
    return ""


def _missing(config: InstallConfig) -> str:
    again = f"In a terminal, type:  cd {config.project} && python3 -m installer install"
    if not config.native_library.is_file():
        return f"The native library {config.native_library} has not been built. {again}"
    if not config.python.is_file():
        return f"The worker's Python {config.python} is missing. {again}"
    return ""


def _callbacks(holder: Holder) -> PageCallbacks:
    """The process's one object: its thunks must outlive every property page."""
    known = holder.page_callbacks
    if known is None:
        known = PageCallbacks(holder.libobs, holder.guarded)
        for thunk in known.thunks:
            holder.keep(thunk)
        holder.page_callbacks = known
    made: PageCallbacks = known
    return made


def _log_without_holder(text: str) -> None:
    try:
        obs.Libobs(obs.find_libobs()).log(obs.LOG_ERROR, text)
    except PluginError:
        # Not inside OBS: the script's log window and the terminal are all there is.
        print(f"doppel: {text}")
