"""The script's parts put together: what ``doppel_filter.py`` forwards OBS's hooks to."""

from __future__ import annotations

import html
from pathlib import Path

from doppel_ipc.errors import ConfigError, NativeError
from doppel_ipc.paths import InstallConfig, load_config

from doppel_obs import libobs as obs
from doppel_obs import registration
from doppel_obs.control import Control
from doppel_obs.errors import LanguageError, PluginError
from doppel_obs.hotkeys import TEXTS, install_hotkeys
from doppel_obs.language import Language, load_english, load_language
from doppel_obs.page_actions import PageActions
from doppel_obs.page_callbacks import PageCallbacks
from doppel_obs.phrases import Phrase, phrase
from doppel_obs.registration import Holder
from doppel_obs.remote_status import register_vendor


class Plugin:
    """The script while it is loaded.

    Args:
        project: folder that holds ``obs_plugin/`` and ``shared/``.

    Raises:
        LanguageError: Doppel's files are not complete.
    """

    def __init__(self, project: Path) -> None:
        self._project = project
        self._language, self._language_problem = _users_language()
        self._holder: Holder | None = None
        self._control: Control | None = None

    @property
    def description(self) -> str:
        """What Tools > Scripts says of the script, as HTML."""
        say = self._language.say
        name = f"<b>{html.escape(say(phrase('filter.name')))}</b>"
        how = html.escape(say(phrase("script.how", filter="\0"))).replace("\0", name)
        title = html.escape(say(phrase("script.title")))
        return f"<h3>{title}</h3><p>{how}</p><p>{html.escape(say(phrase('script.covered')))}</p>"

    @property
    def panic_text(self) -> str:
        """What the panic hotkey is called in OBS's settings."""
        return self._language.say(phrase("hotkey.panic"))

    def problem(self) -> str:
        """What is missing on this computer and what to do; empty: nothing that can be seen from here."""
        try:
            config = load_config(self._project)
        except ConfigError as error:
            return str(error)
        missing = _missing(config)
        return "" if missing is None else self._language.say(missing)

    def load(self) -> None:
        """Registers the filter and starts the control loop; says in OBS's log what hinders it."""
        try:
            config = load_config(self._project)
            self._holder = registration.register(config.native_library, self._language)
            texts = [self._language.say(phrase(key)) for key in TEXTS]
            install_hotkeys(self._holder.libobs, self._holder.gate, texts)
        except (ConfigError, NativeError, PluginError) as error:
            _log_without_holder(self._language.in_english(phrase("install.no-filter", why=str(error))))
            return
        for problem in (_missing(config), self._language_problem):
            if problem is not None:
                self._holder.libobs.log(obs.LOG_WARNING, self._language.in_english(problem))
        if self._holder.remote_status is None:
            self._holder.remote_status = register_vendor(self._holder.libobs, self._holder.gate)
            if not self._holder.remote_status:
                text = self._language.in_english(phrase("install.no-remote-status"))
                self._holder.libobs.log(obs.LOG_INFO, text)
        self._control = Control(self._holder, config, self._language)
        callbacks = _callbacks(self._holder)
        actions = PageActions(self._holder, self._control, config, self._language, callbacks)
        callbacks.clicked, callbacks.preview = actions.clicked, actions.preview
        registration.enable_properties(self._holder, actions.page)
        self._control.start()

    def unload(self) -> None:
        """Stops everything that is Python's; the gate goes on covering."""
        holder, control = self._holder, self._control
        self._holder = self._control = None
        if holder is None or control is None:
            return
        registration.disable_properties(holder)
        callbacks = _callbacks(holder)
        callbacks.clicked = callbacks.preview = None
        control.stop()

    def toggle_panic(self) -> None:
        """The panic hotkey was pressed."""
        if self._control is not None:
            self._control.toggle_panic()


def _users_language() -> tuple[Language, Phrase | None]:
    """The language that OBS is in, and what is wrong with its table."""
    try:
        locale = obs.text_of(obs.Libobs(obs.find_libobs()).obs_get_locale())
    except PluginError:
        locale = ""  # not inside OBS; loading says so
    try:
        return load_language(locale), None
    except LanguageError as error:
        return load_english(), phrase("install.no-language", why=str(error))


def _missing(config: InstallConfig) -> Phrase | None:
    again = phrase("install.again", project=str(config.project))
    if not config.native_library.is_file():
        return phrase("install.no-library", path=str(config.native_library), again=again)
    if not config.python.is_file():
        return phrase("install.no-python", path=str(config.python), again=again)
    return None


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
