"""Doppel's script for OBS Studio: Tools > Scripts > +, then add the filter "Face Swap" to a source.

It only finds the packages beside it and forwards OBS's hooks. OBS runs all scripts in one interpreter, may
reload this module or import it anew from Python's cache: so nothing is kept here but one object.
"""

from __future__ import annotations

import html
import sys
import traceback
from pathlib import Path
from typing import Any

_PROJECT = Path(__file__).resolve().parent.parent
for _folder in (_PROJECT / "obs_plugin", _PROJECT / "shared"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

_HOTKEY = "doppel_panic"
_plugin: Any = None
_failure = ""
_hotkey_id: Any = None


def _load_plugin() -> Any:
    """The script's object; None with ``_failure`` set where the packages cannot be imported."""
    global _plugin, _failure  # noqa: PLW0603 - OBS's hooks are functions of this module
    if sys.version_info < (3, 8):  # noqa: UP036 - OBS may have any Python, and this file is what tells
        version = ".".join(map(str, sys.version_info[:2]))
        _failure = (
            f"OBS uses Python {version}; Doppel needs 3.8 or later. Choose another one in Python Settings."
        )
    elif _plugin is None:
        try:
            from doppel_obs.plugin import Plugin

            _plugin = Plugin(_PROJECT)
            _failure = ""
        except Exception:  # noqa: BLE001 - OBS 29 crashes where script_description raises anything
            _failure = (
                f"Doppel's files are not complete: {_PROJECT} must hold obs_plugin/ and shared/. "
                f"Copy the whole folder again.\n{traceback.format_exc()}"
            )
    return _plugin


def script_description() -> str:
    """What Tools > Scripts shows; what is missing comes first."""
    plugin = _load_plugin()
    problem = _failure if plugin is None else plugin.problem()
    text = "" if plugin is None else plugin.description
    return f"<p><b>{html.escape(problem)}</b></p>{text}" if problem else text


def script_load(settings: Any) -> None:
    """OBS has loaded the script."""
    plugin = _load_plugin()
    if plugin is None:
        print(_failure)
        return
    plugin.load()
    _register_hotkey(settings, plugin.panic_text)


def script_unload() -> None:
    """OBS removes or reloads the script, changes the scene collection, or ends."""
    global _plugin
    plugin, _plugin = _plugin, None
    if plugin is not None:
        plugin.unload()


def script_save(settings: Any) -> None:
    """OBS saves the script's settings: the panic hotkey's keys."""
    if _hotkey_id is None:
        return
    import obspython

    keys = obspython.obs_hotkey_save(_hotkey_id)
    obspython.obs_data_set_array(settings, _HOTKEY, keys)
    obspython.obs_data_array_release(keys)


def _register_hotkey(settings: Any, text: str) -> None:
    """The hotkey is called back on a thread of obspython's own, without any lock of libobs."""
    global _hotkey_id  # noqa: PLW0603 - as above
    import obspython

    _hotkey_id = obspython.obs_hotkey_register_frontend(_HOTKEY, text, _panic_pressed)
    keys = obspython.obs_data_get_array(settings, _HOTKEY)
    obspython.obs_hotkey_load(_hotkey_id, keys)
    obspython.obs_data_array_release(keys)


def _panic_pressed(pressed: bool) -> None:
    if pressed and _plugin is not None:
        _plugin.toggle_panic()
