"""Another author's script, of the busy kind, by obspython: from a timer (OBS runs it on its graphics thread),
a hotkey and a thread it looks through all sources and filters, and makes, renames, switches, changes and
removes them, beside the filter DOPPEL_TEST_KIND and that filter itself.

The source ``Camera`` keeps that filter all the time; ``Backstage`` gets and loses one. Of two things that
change a name only one is here: the filters on Camera that are called Py, the filter itself, the sources Py.

What it removes it lets go of a second later, on its timer. The last reference may otherwise go inside a draw:
the graphics thread then waits for the list of sources with a scene locked, while OBS, which saves its scenes
with the list locked, waits for the scene. OBS 29 freezes by that, without any help of a filter.

With DOPPEL_TEST_FILTERS_ON_UI=1 what the timer and the thread would add or remove of filters waits until
another scene is shown, which OBS tells on its UI thread (hotkeys have a thread of their own): OBS 30.2 asks
its list of scene items from whatever thread a filter comes or goes on, and ends with signal 11 by that.
"""

import collections
import os
import threading
import time

import obspython as obs

KIND = os.environ["DOPPEL_TEST_KIND"]
ON_UI = os.environ.get("DOPPEL_TEST_FILTERS_ON_UI") == "1"
TICK_MS, PAUSE_S, HELD_S = 40, 0.015, 1.0
BESIDE = ("async_delay_filter", "sharpness_filter_v2", "gain_filter", "scroll_filter")

_count = {"timer": 0, "hotkey": 0, "thread": 0}
_stop = threading.Event()
_thread = None
_removed = collections.deque()
"""(when, source) that is still held."""
_later = collections.deque()
"""What waits for OBS's UI thread."""


def _find(beginning):
    """The first source whose name begins so; its user may have renamed it."""
    found = None
    sources = obs.obs_enum_sources()
    for source in sources:
        if obs.obs_source_get_name(source).startswith(beginning):
            found = obs.obs_source_get_ref(source)
            break
    obs.source_list_release(sources)
    return found


def _filters(source):
    """Names of a source's filters: their settings as they are saved."""
    saved = obs.obs_source_backup_filters(source)
    names = []
    for index in range(obs.obs_data_array_count(saved)):
        item = obs.obs_data_array_item(saved, index)
        names.append(obs.obs_data_get_string(item, "name"))
        obs.obs_data_release(item)
    obs.obs_data_array_release(saved)
    return names


def _with_filter(source_name, beginning, use):
    """``use(source, filter)`` with the first filter whose name begins so, if there is one."""
    source = _find(source_name)
    if source is None:
        return
    for name in _filters(source):
        found = obs.obs_source_get_filter_by_name(source, name) if name.startswith(beginning) else None
        if found is not None:
            use(source, found)
            obs.obs_source_release(found)
            break
    obs.obs_source_release(source)


def _add_filter(source_name, kind, name, **texts):
    source = _find(source_name)
    if source is None:
        return
    settings = obs.obs_data_create()
    for key, value in texts.items():
        obs.obs_data_set_string(settings, key, value)
    obs.obs_data_set_int(settings, "delay_ms", 60)
    made = obs.obs_source_create_private(kind, name, settings)
    obs.obs_source_filter_add(source, made)
    obs.obs_data_release(settings)
    obs.obs_source_release(made)
    obs.obs_source_release(source)


def _soon(step):
    """Does what adds or removes a filter."""
    if ON_UI:
        _later.append(step)
    else:
        step()


def _hold(source):
    _removed.append((time.monotonic(), obs.obs_source_get_ref(source)))


def _let_go(age_s):
    while _removed and time.monotonic() - _removed[0][0] >= age_s:
        obs.obs_source_release(_removed.popleft()[1])


def _remove_filter(source, found):
    _hold(found)
    obs.obs_source_filter_remove(source, found)


def _toggle(_source, found):
    obs.obs_source_set_enabled(found, not obs.obs_source_enabled(found))


def _rename(_source, found):
    name, _, number = obs.obs_source_get_name(found).partition(" #")
    obs.obs_source_set_name(found, name if number else f"{name} #1")


def _configure(_source, found):
    settings = obs.obs_data_create()
    obs.obs_data_set_string(settings, "persona", ("porcelain", "bronze")[_count["thread"] // 7 % 2])
    obs.obs_source_update(found, settings)
    obs.obs_data_release(settings)


def _look():
    """Every source with its settings and filters, and what the frontend may be asked on any thread."""
    sources = obs.obs_enum_sources()
    for source in sources:
        obs.obs_source_get_unversioned_id(source)
        obs.obs_source_get_output_flags(source)
        obs.obs_source_get_width(source)
        obs.obs_source_active(source)
        settings = obs.obs_source_get_settings(source)
        obs.obs_data_get_json(settings)
        obs.obs_data_release(settings)
        _filters(source)
    obs.source_list_release(sources)
    obs.obs_source_release(obs.obs_frontend_get_current_scene())
    obs.obs_frontend_recording_active()


def _in_scene(use):
    current = obs.obs_frontend_get_current_scene()
    scene = obs.obs_scene_from_source(current)
    if scene is not None:
        use(scene)
    obs.obs_source_release(current)


def _add_item(scene):
    settings = obs.obs_data_create()
    for key in ("width", "height"):
        obs.obs_data_set_int(settings, key, 40)
    obs.obs_data_set_int(settings, "color", 0xFF000000)
    source = obs.obs_source_create("color_source_v3", f"Py source {_count['timer']}", settings, None)
    item = obs.obs_scene_add(scene, source)
    place = obs.vec2()
    place.x, place.y = 600, 320
    obs.obs_sceneitem_set_pos(item, place)
    obs.obs_data_release(settings)
    obs.obs_source_release(source)


def _each_item(use):
    def each(scene):
        items = obs.obs_scene_enum_items(scene)
        for item in items:
            if obs.obs_source_get_name(obs.obs_sceneitem_get_source(item)).startswith("Py source"):
                use(item)
        obs.sceneitem_list_release(items)

    _in_scene(each)


def _remove_item(item):
    source = obs.obs_sceneitem_get_source(item)
    _hold(source)
    obs.obs_sceneitem_remove(item)
    obs.obs_source_remove(source)


def _on_timer():
    _let_go(HELD_S)
    step = _count["timer"]
    _count["timer"] += 1
    (
        _look,
        lambda: _in_scene(_add_item),
        lambda: _soon(lambda: _add_filter("Camera", BESIDE[step // 8 % len(BESIDE)], f"Py {step}")),
        lambda: _each_item(lambda item: obs.obs_sceneitem_set_visible(item, False)),
        lambda: _with_filter("Camera", "Py", _rename),
        lambda: _with_filter("Camera", "Py", _toggle),
        lambda: _soon(lambda: _with_filter("Camera", "Py", _remove_filter)),
        lambda: _each_item(_remove_item),
    )[step % 8]()


def _on_hotkey(pressed):
    if pressed:
        _count["hotkey"] += 1
        _with_filter("Camera", "Face Swap", _rename)
        _with_filter("Backstage", "Thread", _toggle)


def _on_event(event):
    if event == obs.OBS_FRONTEND_EVENT_SCENE_CHANGED:
        while _later:
            _later.popleft()()


def _run():
    while not _stop.is_set():
        step = _count["thread"]
        _count["thread"] += 1
        (
            _look,
            lambda: _soon(
                lambda: _add_filter("Backstage", KIND, f"Thread {_count['thread']}", persona="bronze")
            ),
            lambda: _with_filter("Camera", "Face Swap", _configure),
            lambda: _with_filter("Backstage", "Thread", _rename),
            lambda: _with_filter("Camera", "Py", _toggle),
            lambda: _with_filter("Backstage", "Thread", _configure),
            lambda: _soon(lambda: _with_filter("Backstage", "Thread", _remove_filter)),
        )[step % 7]()
        time.sleep(PAUSE_S)


def script_description():
    return "A neighbour"


def script_load(settings):
    global _thread
    _stop.clear()
    obs.timer_add(_on_timer, TICK_MS)
    obs.obs_hotkey_register_frontend("doppel_test_py", "Doppel test: Python neighbour", _on_hotkey)
    if ON_UI:
        obs.obs_frontend_add_event_callback(_on_event)
    _thread = threading.Thread(target=_run)
    _thread.start()


def script_unload():
    _stop.set()
    _thread.join()
    for beginning in ("Camera", "Backstage"):
        for name in ("Py", "Thread"):
            _with_filter(beginning, name, _remove_filter)
    _each_item(_remove_item)
    _let_go(0.0)
    _with_filter("Camera", "Face Swap", lambda _, found: obs.obs_source_set_name(found, "Face Swap"))
    print(" ".join(f"py-{name}={count}" for name, count in _count.items()), flush=True)
