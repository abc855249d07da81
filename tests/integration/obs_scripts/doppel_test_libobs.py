"""libobs and libobs-scripting of the OBS that runs this, as far as the tests' scripts call them."""

import ctypes
from pathlib import Path

TASK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
HOTKEYS = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)

libobs = ctypes.CDLL(None)
libobs.obs_queue_task.argtypes = (ctypes.c_int, TASK, ctypes.c_void_p, ctypes.c_bool)
libobs.obs_queue_task.restype = None
libobs.obs_enum_hotkeys.argtypes = (HOTKEYS, ctypes.c_void_p)
libobs.obs_hotkey_get_name.argtypes = (ctypes.c_void_p,)
libobs.obs_hotkey_get_name.restype = ctypes.c_char_p
libobs.obs_hotkey_trigger_routed_callback.argtypes = (ctypes.c_size_t, ctypes.c_bool)
libobs.obs_data_create.restype = ctypes.c_void_p
libobs.obs_data_release.argtypes = (ctypes.c_void_p,)
libobs.obs_get_source_by_name.argtypes = (ctypes.c_char_p,)
libobs.obs_get_source_by_name.restype = ctypes.c_void_p
libobs.obs_source_get_filter_by_name.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
libobs.obs_source_get_filter_by_name.restype = ctypes.c_void_p
for _name in ("obs_source_properties", "obs_source_get_settings", "obs_properties_first"):
    getattr(libobs, _name).argtypes = (ctypes.c_void_p,)
    getattr(libobs, _name).restype = ctypes.c_void_p
for _name in ("obs_property_name", "obs_property_description", "obs_property_long_description"):
    getattr(libobs, _name).argtypes = (ctypes.c_void_p,)
    getattr(libobs, _name).restype = ctypes.c_char_p
for _name in ("obs_property_list_item_string", "obs_property_list_item_name"):
    getattr(libobs, _name).argtypes = (ctypes.c_void_p, ctypes.c_size_t)
    getattr(libobs, _name).restype = ctypes.c_char_p
libobs.obs_properties_get.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
libobs.obs_properties_get.restype = ctypes.c_void_p
libobs.obs_properties_destroy.argtypes = (ctypes.c_void_p,)
libobs.obs_property_next.argtypes = (ctypes.c_void_p,)
libobs.obs_property_next.restype = ctypes.c_bool
libobs.obs_property_visible.argtypes = (ctypes.c_void_p,)
libobs.obs_property_visible.restype = ctypes.c_bool
libobs.obs_property_get_type.argtypes = (ctypes.c_void_p,)
libobs.obs_property_group_content.argtypes = (ctypes.c_void_p,)
libobs.obs_property_group_content.restype = ctypes.c_void_p
libobs.obs_property_list_item_count.argtypes = (ctypes.c_void_p,)
libobs.obs_property_list_item_count.restype = ctypes.c_size_t
libobs.obs_property_button_clicked.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
libobs.obs_property_button_clicked.restype = ctypes.c_bool
libobs.obs_property_modified.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
libobs.obs_property_modified.restype = ctypes.c_bool
libobs.obs_source_copy_filters.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
libobs.obs_source_copy_single_filter.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
libobs.obs_source_set_deinterlace_mode.argtypes = (ctypes.c_void_p, ctypes.c_int)
libobs.obs_source_release.argtypes = (ctypes.c_void_p,)


def _scripting_library():
    """The one that OBS has loaded: its name ends in .1 up to OBS 30.1, in .30 later."""
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        if "/libobs-scripting.so" in line:
            return ctypes.CDLL(line.partition("/")[1] + line.partition("/")[2])
    raise OSError("OBS has not loaded libobs-scripting")


scripting = _scripting_library()
scripting.obs_script_create.argtypes = (ctypes.c_char_p, ctypes.c_void_p)
scripting.obs_script_create.restype = ctypes.c_void_p
scripting.obs_script_destroy.argtypes = (ctypes.c_void_p,)
scripting.obs_script_reload.argtypes = (ctypes.c_void_p,)
scripting.obs_script_reload.restype = ctypes.c_bool
scripting.obs_script_get_description.argtypes = (ctypes.c_void_p,)
scripting.obs_script_get_description.restype = ctypes.c_char_p
