/* The type "Face Swap (other sources)": the filter for sources that are no asynchronous video. For the control plane.
 *
 * What it draws with comes in a table of its own, so that an OBS without one of these functions still has the other type.
 */
#ifndef DOPPEL_GATE_SYNC_H
#define DOPPEL_GATE_SYNC_H

#include "ring.h"

#include <stdbool.h>
#include <stddef.h>

/* `status.unsupported_format` of a source with high dynamic range, and of one that is too large for the graphics card;
 * no numbers of libobs's enum video_format. */
#define DOPPEL_UNSUPPORTED_HDR 0xFFFFFFFEu
#define DOPPEL_UNSUPPORTED_SIZE 0xFFFFFFFDu

/* Enumerations go as int32_t, sources and the graphics library's objects as void *. */
struct doppel_graphics {
	uint32_t size; /* sizeof(struct doppel_graphics) */
	uint32_t reserved;
	uint32_t (*obs_source_get_base_width)(void *source);
	uint32_t (*obs_source_get_base_height)(void *source);
	int32_t (*obs_source_get_color_space)(void *source, size_t count, const int32_t *preferred);
	void *(*obs_get_base_effect)(int32_t effect);
	void (*obs_enter_graphics)(void);
	void (*obs_leave_graphics)(void);
	void *(*gs_get_context)(void);
	void *(*gs_texrender_create)(int32_t format, int32_t depth_format);
	void (*gs_texrender_destroy)(void *render);
	bool (*gs_texrender_begin_with_color_space)(void *render, uint32_t width, uint32_t height, int32_t space);
	void (*gs_texrender_end)(void *render);
	void (*gs_texrender_reset)(void *render);
	void *(*gs_texrender_get_texture)(const void *render);
	void *(*gs_stagesurface_create)(uint32_t width, uint32_t height, int32_t format);
	void (*gs_stagesurface_destroy)(void *surface);
	bool (*gs_stagesurface_map)(void *surface, uint8_t **data, uint32_t *linesize);
	void (*gs_stagesurface_unmap)(void *surface);
	void (*gs_stage_texture)(void *surface, void *texture);
	void *(*gs_texture_create)(uint32_t width, uint32_t height, int32_t format, uint32_t levels,
				   const uint8_t **data, uint32_t flags);
	void (*gs_texture_destroy)(void *texture);
	void (*gs_texture_set_image)(void *texture, const uint8_t *data, uint32_t linesize, bool invert);
	void (*gs_clear)(uint32_t what, const float *rgba, float depth, uint8_t stencil);
	void (*gs_ortho)(float left, float right, float top, float bottom, float near, float far);
	void (*gs_blend_state_push)(void);
	void (*gs_blend_state_pop)(void);
	void (*gs_enable_blending)(bool enable);
	void (*gs_blend_function)(int32_t source, int32_t destination);
	void (*gs_blend_function_separate)(int32_t source, int32_t destination, int32_t source_alpha,
					   int32_t destination_alpha);
	bool (*gs_framebuffer_srgb_enabled)(void);
	void (*gs_enable_framebuffer_srgb)(bool enable);
	bool (*gs_set_linear_srgb)(bool linear);
	void *(*gs_effect_get_param_by_name)(const void *effect, const char *name);
	void (*gs_effect_set_texture_srgb)(void *parameter, void *texture);
	bool (*gs_effect_loop)(void *effect, const char *technique);
	void (*gs_draw_sprite)(void *texture, uint32_t flip, uint32_t width, uint32_t height);
};

/* After doppel_gate_install(), as that: the obs_source_info (400 bytes) of the second type, for
 * obs_register_source_s(info, 400) the first time; NULL: a function is missing, or the first type is not installed. */
DOPPEL_API void *doppel_gate_install_sync(const struct doppel_graphics *graphics, const char *id,
					  const char *display_name, int32_t *already);

#endif
