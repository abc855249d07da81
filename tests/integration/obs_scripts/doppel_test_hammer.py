"""Another author's script, badly behaved as they come: its thread calls obspython in a tight loop.

obspython keeps Python's lock while it waits for libobs's locks. The source and filter it looks for are named
by DOPPEL_TEST_HAMMER, "source/filter".
"""

import os
import threading

import obspython as obs

_stop = threading.Event()
_thread = None
_count = 0


def _hammer(source_name, filter_name):
    global _count
    while not _stop.is_set():
        source = obs.obs_get_source_by_name(source_name)
        if source is not None:
            found = obs.obs_source_get_filter_by_name(source, filter_name)
            if found is not None:
                obs.obs_source_release(found)
            obs.obs_source_release(source)
        obs.source_list_release(obs.obs_enum_sources())
        _count += 1


def script_load(settings):
    global _thread
    _stop.clear()
    source_name, _, filter_name = os.environ["DOPPEL_TEST_HAMMER"].partition("/")
    _thread = threading.Thread(target=_hammer, args=(source_name, filter_name))
    _thread.start()


def script_unload():
    _stop.set()
    _thread.join()
    print(f"hammer: {_count} rounds", flush=True)
