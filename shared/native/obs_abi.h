/* The two structs of libobs that the gate touches, laid out by offset: no header of libobs is needed, and the asserts
 * hold on every platform. Facts, not code: offsets of OBS 28 to 32 (both structs only ever grew at their end; an
 * obs_source_info of 400 bytes is what each of these versions accepts).
 */
#ifndef DOPPEL_OBS_ABI_H
#define DOPPEL_OBS_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OBS_MAX_AV_PLANES 8

struct obs_source_frame {
	uint8_t *data[OBS_MAX_AV_PLANES];
	uint32_t linesize[OBS_MAX_AV_PLANES];
	uint32_t width;
	uint32_t height;
	uint64_t timestamp;
	uint32_t format;
	float color_matrix[16];
	bool full_range;
	uint16_t max_luminance;
	float color_range_min[3];
	float color_range_max[3];
	bool flip;
	uint8_t flags;
	uint8_t trc;
	/* libobs's own; we use them only in frames of ours (gate_rgb.c) */
	long refs;
	bool prev_frame;
};
_Static_assert(offsetof(struct obs_source_frame, linesize) == 64, "obs_source_frame");
_Static_assert(offsetof(struct obs_source_frame, width) == 96, "obs_source_frame");
_Static_assert(offsetof(struct obs_source_frame, timestamp) == 104, "obs_source_frame");
_Static_assert(offsetof(struct obs_source_frame, format) == 112, "obs_source_frame");
_Static_assert(offsetof(struct obs_source_frame, color_matrix) == 116, "obs_source_frame");
_Static_assert(offsetof(struct obs_source_frame, full_range) == 180, "obs_source_frame");
_Static_assert(offsetof(struct obs_source_frame, color_range_min) == 184, "obs_source_frame");
_Static_assert(offsetof(struct obs_source_frame, color_range_max) == 196, "obs_source_frame");
_Static_assert(offsetof(struct obs_source_frame, flip) == 208, "obs_source_frame");
_Static_assert(offsetof(struct obs_source_frame, trc) == 210, "obs_source_frame");
_Static_assert(offsetof(struct obs_source_frame, refs) == (sizeof(long) == 8 ? 216 : 212), "obs_source_frame");
_Static_assert(sizeof(struct obs_source_frame) == (sizeof(long) == 8 ? 232 : 224), "obs_source_frame");

enum {
	OBS_TYPE_FILTER = 1,
	OBS_FLAG_VIDEO = 1 << 0,
	OBS_FLAG_ASYNC = 1 << 2,
	OBS_FLAG_CUSTOM_DRAW = 1 << 3,
	OBS_FLAG_CONTROLLABLE_MEDIA = 1 << 13,
	OBS_FLAG_SRGB = 1 << 15,
	OBS_MEDIA_STATE_PAUSED = 4,
	OBS_INFO_TEXT = 3, /* obs_properties_add_text's OBS_TEXT_INFO */
};

struct obs_source_info_400 {
	const char *id;
	int32_t type;
	uint32_t output_flags;
	const char *(*get_name)(void *type_data);
	void *(*create)(void *settings, void *source);
	void (*destroy)(void *data);
	void *get_width_height[2];
	void (*get_defaults)(void *settings);
	void *(*get_properties)(void *data);
	void (*update)(void *data, void *settings);
	void (*activate)(void *data);
	void (*deactivate)(void *data);
	void (*show)(void *data);
	void (*hide)(void *data);
	void (*video_tick)(void *data, float seconds);
	void (*video_render)(void *data, void *effect);
	struct obs_source_frame *(*filter_video)(void *data, struct obs_source_frame *frame);
	void *unused_136[3];
	void (*load)(void *data, void *settings);
	void *unused_168[5];
	void (*filter_remove)(void *data, void *parent);
	void *unused_216[22];
	int32_t (*video_get_color_space)(void *data, size_t count, const int32_t *preferred);
};
_Static_assert(sizeof(void *) == 8, "64-bit only");
_Static_assert(offsetof(struct obs_source_info_400, get_defaults) == 56, "obs_source_info");
_Static_assert(offsetof(struct obs_source_info_400, update) == 72, "obs_source_info");
_Static_assert(offsetof(struct obs_source_info_400, video_tick) == 112, "obs_source_info");
_Static_assert(offsetof(struct obs_source_info_400, filter_video) == 128, "obs_source_info");
_Static_assert(offsetof(struct obs_source_info_400, load) == 160, "obs_source_info");
_Static_assert(offsetof(struct obs_source_info_400, filter_remove) == 208, "obs_source_info");
_Static_assert(offsetof(struct obs_source_info_400, video_get_color_space) == 392, "obs_source_info");
_Static_assert(sizeof(struct obs_source_info_400) == 400, "obs_source_info");

#endif
