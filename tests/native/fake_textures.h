/* The small graphics library's textures and stages: made, drawn into, copied, read. What it says of them goes into `card`. */
#ifndef DOPPEL_FAKE_TEXTURES_H
#define DOPPEL_FAKE_TEXTURES_H

#include "fake_graphics.h"

#define BGRA 7u

struct texture {
	struct fake_picture picture; /* first */
	struct fake_picture *before; /* what was drawn into before this */
	bool rendered;
};
extern struct texture *fake_rendering; /* what is drawn into; NULL: the scene */

void fake_inside(void); /* every function begins so: with the graphics context */

/* libobs's functions of these names. */
void fake_destroy(void *object);
void *fake_texrender_create(int32_t format, int32_t depth);
bool fake_texrender_begin(void *data, uint32_t width, uint32_t height, int32_t space);
void fake_texrender_end(void *data);
void fake_texrender_reset(void *data);
void *fake_texrender_texture(const void *data);
void *fake_stage_create(uint32_t width, uint32_t height, int32_t format);
void fake_stage_texture(void *data, void *from);
bool fake_stage_map(void *data, uint8_t **pixels, uint32_t *linesize);
void fake_stage_unmap(void *data);
void *fake_texture_create(uint32_t width, uint32_t height, int32_t format, uint32_t levels, const uint8_t **data,
			    uint32_t flags);
void fake_set_image(void *data, const uint8_t *pixels, uint32_t linesize, bool invert);

#endif
