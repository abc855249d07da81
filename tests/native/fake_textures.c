#include "fake_textures.h"

#include "check.h"

#include <string.h>

#define GS_BGRA 5
#define MAX_PITCH (96u * 4u + 256u)

struct stage {
	struct fake_picture picture;
	uint64_t written; /* video time */
	bool mapped;
	uint8_t rows[MAX_PITCH * 96u];
};

static void *new_object(size_t bytes)
{
	fake_inside();
	if (card.refuses)
		return NULL;
	card.objects++;
	void *object = calloc(1, bytes);
	CHECK(object != NULL);
	return object;
}
void fake_destroy(void *object)
{
	fake_inside();
	CHECK(object != NULL);
	card.objects--;
	free(object);
}
void *fake_texrender_create(int32_t format, int32_t depth)
{
	CHECK_EQUAL(format, GS_BGRA);
	CHECK_EQUAL(depth, 0);
	return new_object(sizeof(struct texture));
}
bool fake_texrender_begin(void *data, uint32_t width, uint32_t height, int32_t space)
{
	fake_inside();
	struct texture *texture = data;
	CHECK(!texture->rendered && fake_rendering == NULL && space == 0);
	texture->picture.geometry = fake_geometry(BGRA, width, height, 0);
	memset(texture->picture.bytes, 0x11, sizeof texture->picture.bytes);
	texture->before = fake.target;
	fake.target = &texture->picture;
	fake_rendering = texture;
	return true;
}
void fake_texrender_end(void *data)
{
	fake_inside();
	struct texture *texture = data;
	CHECK(fake_rendering == texture);
	fake.target = texture->before;
	fake_rendering = NULL;
	texture->rendered = true;
}
void fake_texrender_reset(void *data)
{
	fake_inside();
	((struct texture *)data)->rendered = false;
}
void *fake_texrender_texture(const void *data)
{
	return (void *)(uintptr_t)data;
}
void *fake_stage_create(uint32_t width, uint32_t height, int32_t format)
{
	CHECK_EQUAL(format, GS_BGRA);
	struct stage *stage = new_object(sizeof *stage);
	if (stage != NULL)
		stage->picture.geometry = fake_geometry(BGRA, width, height, 0);
	return stage;
}
void fake_stage_texture(void *data, void *from)
{
	fake_inside();
	struct stage *stage = data;
	const struct texture *texture = from;
	CHECK(!stage->mapped && texture->picture.geometry.width == stage->picture.geometry.width);
	CHECK_EQUAL(texture->picture.geometry.height, stage->picture.geometry.height);
	/* An asynchronous source's picture keeps its own layout here; then the bytes only have to be the card's. */
	memcpy(stage->picture.bytes, texture->picture.bytes, sizeof stage->picture.bytes);
	stage->picture.flip = texture->picture.flip;
	stage->written = fake.video_time;
}
bool fake_stage_map(void *data, uint8_t **pixels, uint32_t *linesize)
{
	fake_inside();
	struct stage *stage = data;
	CHECK(!stage->mapped && stage->written != 0);
	CHECK(stage->written < fake.video_time); /* else OBS would wait for the card */
	if (card.lost)
		return false;
	const struct doppel_geometry *g = &stage->picture.geometry;
	*linesize = g->linesize[0] + card.pitch_padding;
	memset(stage->rows, 0x5A, sizeof stage->rows);
	for (uint32_t y = 0; y < g->height; y++)
		memcpy(stage->rows + (size_t)y * *linesize, stage->picture.bytes + (size_t)y * g->linesize[0],
		       g->linesize[0]);
	*pixels = stage->rows;
	stage->mapped = true;
	card.maps++;
	return true;
}
void fake_stage_unmap(void *data)
{
	fake_inside();
	struct stage *stage = data;
	CHECK(stage->mapped);
	stage->mapped = false;
	memset(stage->rows, 0x3C, sizeof stage->rows); /* nobody may still look */
}
void *fake_texture_create(uint32_t width, uint32_t height, int32_t format, uint32_t levels, const uint8_t **data,
			    uint32_t flags)
{
	CHECK_EQUAL(format, GS_BGRA);
	CHECK_EQUAL(levels, 1);
	CHECK((flags == 2) == (data == NULL));
	struct texture *texture = new_object(sizeof *texture);
	if (texture == NULL)
		return NULL;
	texture->picture.geometry = fake_geometry(BGRA, width, height, 0);
	if (data != NULL)
		memcpy(texture->picture.bytes, *data, texture->picture.geometry.frame_bytes);
	return texture;
}
void fake_set_image(void *data, const uint8_t *pixels, uint32_t linesize, bool invert)
{
	fake_inside();
	struct texture *texture = data;
	CHECK(!invert && linesize == texture->picture.geometry.linesize[0]);
	memcpy(texture->picture.bytes, pixels, (size_t)linesize * texture->picture.geometry.height);
	card.uploads++;
}
