"""A script for OBS that lets the tests do what no websocket request can: load, reload and remove scripts.

It does what OBS's own Tools > Scripts window does, with the same functions of libobs-scripting and on the
same (UI) thread. It listens on the Unix socket that DOPPEL_TEST_SOCKET names: one JSON request a line, one
answer a line.
"""

import ctypes
import gc
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path

from doppel_test_libobs import HOTKEYS, TASK, libobs, scripting

_TASK_UI = 0
_LIST, _GROUP = 6, 12
"""enum obs_property_type."""

_scripts = {}


def _load(path):
    if path in _scripts:
        raise ValueError("loaded already")
    settings = libobs.obs_data_create()
    _scripts[path] = scripting.obs_script_create(path.encode(), settings)
    libobs.obs_data_release(settings)
    return _describe(path)


def _describe(path):
    return (scripting.obs_script_get_description(_scripts[path]) or b"").decode()


def _remove(path):
    scripting.obs_script_destroy(_scripts.pop(path))


def _reload(path):
    return bool(scripting.obs_script_reload(_scripts[path]))


def _source(name):
    source = libobs.obs_get_source_by_name(name.encode())
    if not source:
        raise ValueError(f"no source {name}")
    return source


def _copy_filters(to, origin):
    """What OBS's "Copy Filters", "Paste Filters" do."""
    target, source = _source(to), _source(origin)
    libobs.obs_source_copy_filters(target, source)
    libobs.obs_source_release(source)
    libobs.obs_source_release(target)


def _copy_filter(to, origin, filter_name):
    """What "Copy" and "Paste" in the list of filters do."""
    target, source = _source(to), _source(origin)
    found = libobs.obs_source_get_filter_by_name(source, filter_name.encode())
    libobs.obs_source_copy_single_filter(target, found)
    for one in (found, source, target):
        libobs.obs_source_release(one)


def _with_page(source_name, filter_name, use):
    """``use(filter, page)`` with the filter's property page, as OBS's filter dialog gets it."""
    source = _source(source_name)
    found = libobs.obs_source_get_filter_by_name(source, filter_name.encode())
    libobs.obs_source_release(source)
    if not found:
        raise ValueError(f"no filter {filter_name}")
    page = libobs.obs_source_properties(found)
    try:
        return use(found, page)
    finally:
        libobs.obs_properties_destroy(page)
        libobs.obs_source_release(found)


def _page(source_name, filter_name):
    """The page's properties: name -> {"text", "tip", "visible", "items": [[value, text], ...]}."""
    return _with_page(source_name, filter_name, lambda _filter, page: _properties(page))


def _properties(page):
    result = {}
    item = ctypes.c_void_p(libobs.obs_properties_first(page))
    while item.value:
        name = libobs.obs_property_name(item).decode()
        if libobs.obs_property_get_type(item) == _GROUP:
            result.update(_properties(libobs.obs_property_group_content(item)))
        result[name.partition("#")[0]] = {  # what only tells something has a secret in its name
            "text": (libobs.obs_property_description(item) or b"").decode(),
            "tip": (libobs.obs_property_long_description(item) or b"").decode(),
            "visible": bool(libobs.obs_property_visible(item)),
            "items": _items(item),
        }
        if not libobs.obs_property_next(ctypes.byref(item)):
            break
    return result


def _items(item):
    if libobs.obs_property_get_type(item) != _LIST:
        return []
    count = libobs.obs_property_list_item_count(item)
    functions = (libobs.obs_property_list_item_string, libobs.obs_property_list_item_name)
    return [[function(item, index).decode() for function in functions] for index in range(count)]


def _press(source_name, filter_name, button):
    """Presses a button of the page."""

    def press(found, page):
        item = libobs.obs_properties_get(page, button.encode())
        if not item:
            raise ValueError(f"no button {button}")
        return bool(libobs.obs_property_button_clicked(item, found))

    return _with_page(source_name, filter_name, press)


def _modify(source_name, filter_name, name):
    """Lets the page react to the present value of a property; returns the page then."""

    def modify(found, page):
        settings = libobs.obs_source_get_settings(found)
        libobs.obs_property_modified(libobs.obs_properties_get(page, name.encode()), settings)
        libobs.obs_data_release(settings)
        return _properties(page)

    return _with_page(source_name, filter_name, modify)


def _deinterlace(name, mode):
    """OBS's "Deinterlacing" menu, enum obs_deinterlace_mode."""
    source = _source(name)
    libobs.obs_source_set_deinterlace_mode(source, int(mode))
    libobs.obs_source_release(source)


def _press_hotkey(name):
    """Presses a hotkey and does not let go; obs-websocket does so up to OBS 29."""
    found = []

    def look(_data, number, key):
        if libobs.obs_hotkey_get_name(key).decode() == name:
            found.append(number)
        return not found

    libobs.obs_enum_hotkeys(HOTKEYS(look), None)
    if not found:
        raise ValueError(f"no hotkey {name}")
    libobs.obs_hotkey_trigger_routed_callback(found[0], True)


class _Allocator(ctypes.Structure):
    """struct mallinfo2 of glibc."""

    _fields_ = (
        ("before", ctypes.c_size_t * 4),
        ("hblkhd", ctypes.c_size_t),
        ("between", ctypes.c_size_t * 2),
        ("uordblks", ctypes.c_size_t),
        ("after", ctypes.c_size_t * 2),
    )


def _memory():
    """Bytes that OBS's allocator has given out, and Python's objects that can hold others."""
    libobs.mallinfo2.restype = _Allocator
    gc.collect()
    now = libobs.mallinfo2()
    return {"used": now.uordblks + now.hblkhd, "objects": len(gc.get_objects())}


def _python():
    """The version of the Python in OBS; the tests may have another."""
    return list(sys.version_info[:2])


def _register_sources(path):
    """Registers the sources of test_sources.c, compiled to that library; once in OBS's life."""
    ctypes.CDLL(path).doppel_test_register()


def _set_environment(name, value):
    os.environ[name] = value


_OPERATIONS = {
    "set_environment": _set_environment,
    "memory": _memory,
    "python": _python,
    "clock": time.time,
    "register_sources": _register_sources,
    "load": _load,
    "remove": _remove,
    "reload": _reload,
    "describe": _describe,
    "copy_filters": _copy_filters,
    "copy_filter": _copy_filter,
    "deinterlace": _deinterlace,
    "press_hotkey": _press_hotkey,
    "page": _page,
    "press": _press,
    "modify": _modify,
}


def _on_ui_thread(operation, arguments):
    answer = {}

    def run(_param):
        try:
            answer["result"] = _OPERATIONS[operation](*arguments)
        except Exception as error:  # noqa: BLE001 - told to the test
            answer["error"] = repr(error)

    task = TASK(run)
    libobs.obs_queue_task(_TASK_UI, task, None, True)
    return answer


def _serve(listener):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, connection.makefile("rw") as stream:
            for line in stream:
                request = json.loads(line)
                stream.write(json.dumps(_on_ui_thread(request["operation"], request["arguments"])) + "\n")
                stream.flush()


_listener = None
_thread = None


def script_load(settings):
    global _listener, _thread
    Path(os.environ["DOPPEL_TEST_SOCKET"]).unlink(missing_ok=True)  # a scene collection that comes back
    _listener = socket.socket(socket.AF_UNIX)
    _listener.bind(os.environ["DOPPEL_TEST_SOCKET"])
    _listener.listen()
    _thread = threading.Thread(target=_serve, args=(_listener,), daemon=True)
    _thread.start()


def script_unload():
    for path in list(_scripts):
        _remove(path)
    _listener.shutdown(socket.SHUT_RDWR)
    _listener.close()
    _thread.join(5)
