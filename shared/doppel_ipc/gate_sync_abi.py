"""What the gate's sync filter draws with: ``native/gate_sync.h``.

As :mod:`doppel_ipc.gate_abi`: used inside OBS only, compared with the C compiler's structure by a test.
"""

from __future__ import annotations

import ctypes

from doppel_ipc.native import Entry

UNSUPPORTED_HDR = 0xFFFFFFFE
"""``Status.unsupported_format`` of a source with high dynamic range."""
UNSUPPORTED_SIZE = 0xFFFFFFFD
"""... and of one that is too large for the graphics card."""

FUNCTIONS = (
    "obs_source_get_base_width",
    "obs_source_get_base_height",
    "obs_source_get_color_space",
    "obs_get_base_effect",
    "obs_enter_graphics",
    "obs_leave_graphics",
    "gs_get_context",
    "gs_texrender_create",
    "gs_texrender_destroy",
    "gs_texrender_begin_with_color_space",
    "gs_texrender_end",
    "gs_texrender_reset",
    "gs_texrender_get_texture",
    "gs_stagesurface_create",
    "gs_stagesurface_destroy",
    "gs_stagesurface_map",
    "gs_stagesurface_unmap",
    "gs_stage_texture",
    "gs_texture_create",
    "gs_texture_destroy",
    "gs_texture_set_image",
    "gs_clear",
    "gs_ortho",
    "gs_blend_state_push",
    "gs_blend_state_pop",
    "gs_enable_blending",
    "gs_blend_function",
    "gs_blend_function_separate",
    "gs_framebuffer_srgb_enabled",
    "gs_enable_framebuffer_srgb",
    "gs_set_linear_srgb",
    "gs_effect_get_param_by_name",
    "gs_effect_set_texture_srgb",
    "gs_effect_loop",
    "gs_draw_sprite",
)
"""Functions of libobs, in gate_sync.h's order."""


class Graphics(ctypes.Structure):
    """``struct doppel_graphics``: their addresses."""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
        *((name, ctypes.c_void_p) for name in FUNCTIONS),
    ]


SYNC_FUNCTIONS: dict[str, Entry] = {
    "doppel_gate_install_sync": (
        (ctypes.POINTER(Graphics), ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_int32)),
        ctypes.c_void_p,
        None,
    ),
}
