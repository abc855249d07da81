"""A script of a common kind: a hotkey that switches a filter on and off, by obspython.

The filter is named by DOPPEL_TEST_TOGGLE, "source/filter".
"""

import os

import obspython as obs

_count = 0


def _toggle(pressed):
    global _count
    if not pressed:
        return
    source_name, _, filter_name = os.environ["DOPPEL_TEST_TOGGLE"].partition("/")
    source = obs.obs_get_source_by_name(source_name)
    found = obs.obs_source_get_filter_by_name(source, filter_name) if source is not None else None
    if found is not None:
        obs.obs_source_set_enabled(found, not obs.obs_source_enabled(found))
        _count += 1
        obs.obs_source_release(found)
    if source is not None:
        obs.obs_source_release(source)


def script_load(settings):
    obs.obs_hotkey_register_frontend("doppel_test_toggle", "Doppel test: toggle the filter", _toggle)


def script_unload():
    obs.obs_hotkey_unregister(_toggle)
    print(f"hotkey: {_count} toggles", flush=True)
