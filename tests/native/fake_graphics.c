#include "fake_graphics.h"

#include "check.h"

#include <pthread.h>
#include <string.h>

#define BGRA 7u
#define GS_BGRA 5
#define MAX_PITCH (96u * 4u + 256u)

struct texture {
	struct fake_picture picture; /* first */
	struct fake_picture *before; /* what was drawn into before this */
	bool rendered;
};

struct stage {
	struct fake_picture picture;
	uint64_t written; /* video time */
	bool mapped;
	uint8_t rows[MAX_PITCH * 96u];
};

struct fake_card card;
static struct {
	uint32_t context, blend_depth;
	bool framebuffer_srgb, linear, set_srgb;
	struct texture *set, *rendering;
	uint32_t loops;
} state;

static void inside(void)
{
	CHECK(state.context > 0);
	if (fake.in_libobs != NULL)
		fake.in_libobs();
}

static const struct doppel_geometry *size_of(const void *data)
{
	const struct fake_source *source = data;
	return (source->flags & OBS_FLAG_ASYNC) == 0 ? &source->still.geometry : &source->texture.geometry;
}
static uint32_t base_width(void *source)
{
	return size_of(source)->width;
}
static uint32_t base_height(void *source)
{
	return size_of(source)->height;
}
static int32_t color_space(void *source, size_t count, const int32_t *preferred)
{
	(void)source;
	CHECK(count > 0);
	for (size_t i = 0; i < count; i++)
		if (preferred[i] == (card.hdr ? 2 : 0))
			return preferred[i];
	return preferred[count - 1];
}
static void *base_effect(int32_t which)
{
	CHECK_EQUAL(which, 0);
	return &state;
}
static void enter(void)
{
	state.context++;
}
static void leave(void)
{
	CHECK(state.context > 0);
	state.context--;
}
static void *context(void)
{
	return state.context > 0 ? &state : NULL;
}

/* ---- objects ------------------------------------------------------------------------------------------------ */

static void *new_object(size_t bytes)
{
	inside();
	if (card.refuses)
		return NULL;
	card.objects++;
	void *object = calloc(1, bytes);
	CHECK(object != NULL);
	return object;
}
static void destroy(void *object)
{
	inside();
	CHECK(object != NULL);
	card.objects--;
	free(object);
}
static void *texrender_create(int32_t format, int32_t depth)
{
	CHECK_EQUAL(format, GS_BGRA);
	CHECK_EQUAL(depth, 0);
	return new_object(sizeof(struct texture));
}
static bool texrender_begin(void *data, uint32_t width, uint32_t height, int32_t space)
{
	inside();
	struct texture *texture = data;
	CHECK(!texture->rendered && state.rendering == NULL && space == 0);
	texture->picture.geometry = fake_geometry(BGRA, width, height, 0);
	memset(texture->picture.bytes, 0x11, sizeof texture->picture.bytes);
	texture->before = fake.target;
	fake.target = &texture->picture;
	state.rendering = texture;
	return true;
}
static void texrender_end(void *data)
{
	inside();
	struct texture *texture = data;
	CHECK(state.rendering == texture);
	fake.target = texture->before;
	state.rendering = NULL;
	texture->rendered = true;
}
static void texrender_reset(void *data)
{
	inside();
	((struct texture *)data)->rendered = false;
}
static void *texrender_texture(const void *data)
{
	return (void *)(uintptr_t)data;
}
static void *stage_create(uint32_t width, uint32_t height, int32_t format)
{
	CHECK_EQUAL(format, GS_BGRA);
	struct stage *stage = new_object(sizeof *stage);
	if (stage != NULL)
		stage->picture.geometry = fake_geometry(BGRA, width, height, 0);
	return stage;
}
static void stage_texture(void *data, void *from)
{
	inside();
	struct stage *stage = data;
	const struct texture *texture = from;
	CHECK(!stage->mapped && texture->picture.geometry.width == stage->picture.geometry.width);
	CHECK_EQUAL(texture->picture.geometry.height, stage->picture.geometry.height);
	/* An asynchronous source's picture keeps its own layout here; then the bytes only have to be the card's. */
	memcpy(stage->picture.bytes, texture->picture.bytes, sizeof stage->picture.bytes);
	stage->picture.flip = texture->picture.flip;
	stage->written = fake.video_time;
}
static bool stage_map(void *data, uint8_t **pixels, uint32_t *linesize)
{
	inside();
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
static void stage_unmap(void *data)
{
	inside();
	struct stage *stage = data;
	CHECK(stage->mapped);
	stage->mapped = false;
	memset(stage->rows, 0x3C, sizeof stage->rows); /* nobody may still look */
}
static void *texture_create(uint32_t width, uint32_t height, int32_t format, uint32_t levels, const uint8_t **data,
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
static void set_image(void *data, const uint8_t *pixels, uint32_t linesize, bool invert)
{
	inside();
	struct texture *texture = data;
	CHECK(!invert && linesize == texture->picture.geometry.linesize[0]);
	memcpy(texture->picture.bytes, pixels, (size_t)linesize * texture->picture.geometry.height);
	card.uploads++;
}

/* ---- state and drawing -------------------------------------------------------------------------------------- */

static void clear(uint32_t what, const float *rgba, float depth, uint8_t stencil)
{
	inside();
	CHECK(what == 1 && rgba[3] == 0 && depth == 0 && stencil == 0 && state.rendering != NULL);
	CHECK_EQUAL((uintptr_t)rgba % 16, 0);
	memset(fake.target->bytes, 0, sizeof fake.target->bytes);
}
static void ortho(float left, float right, float top, float bottom, float near, float far)
{
	inside();
	CHECK(left == 0 && top == 0 && near < 0 && far > 0);
	CHECK_EQUAL(right, state.rendering->picture.geometry.width);
	CHECK_EQUAL(bottom, state.rendering->picture.geometry.height);
}
static void blend_push(void)
{
	inside();
	state.blend_depth++;
}
static void blend_pop(void)
{
	inside();
	CHECK(state.blend_depth > 0);
	state.blend_depth--;
}
static void enable_blending(bool enable)
{
	CHECK(enable && state.blend_depth > 0);
}
static void blend(int32_t source, int32_t destination)
{
	CHECK(source == 1 && destination == 5 && state.blend_depth > 0);
}
static void blend_separate(int32_t source, int32_t destination, int32_t alpha, int32_t destination_alpha)
{
	CHECK(source == 4 && destination == 5 && alpha == 1 && destination_alpha == 5 && state.blend_depth > 0);
}
static bool framebuffer_srgb(void)
{
	return state.framebuffer_srgb;
}
static void enable_srgb(bool enable)
{
	inside();
	state.framebuffer_srgb = enable;
}
static bool set_linear(bool linear)
{
	inside();
	const bool before = state.linear;
	state.linear = linear;
	return before;
}
static void *parameter(const void *effect, const char *name)
{
	CHECK(effect == &state && strcmp(name, "image") == 0);
	return &state.set;
}
static void set_texture(void *where, void *texture)
{
	inside();
	CHECK(where == &state.set);
	state.set = texture;
}
static bool loop(void *effect, const char *technique)
{
	inside();
	CHECK(effect == &state && strcmp(technique, "Draw") == 0);
	state.loops ^= 1;
	return state.loops != 0;
}
static void draw_sprite(void *data, uint32_t flip, uint32_t width, uint32_t height)
{
	inside();
	const struct texture *texture = data;
	CHECK(texture == state.set && flip == 0 && state.loops == 1 && state.framebuffer_srgb);
	CHECK(width > 0 && height > 0);
	*fake.target = texture->picture;
}

void fake_graphics_install(void)
{
	const struct doppel_graphics table = {
		.size = sizeof table,
		.obs_source_get_base_width = base_width,
		.obs_source_get_base_height = base_height,
		.obs_source_get_color_space = color_space,
		.obs_get_base_effect = base_effect,
		.obs_enter_graphics = enter,
		.obs_leave_graphics = leave,
		.gs_get_context = context,
		.gs_texrender_create = texrender_create,
		.gs_texrender_destroy = destroy,
		.gs_texrender_begin_with_color_space = texrender_begin,
		.gs_texrender_end = texrender_end,
		.gs_texrender_reset = texrender_reset,
		.gs_texrender_get_texture = texrender_texture,
		.gs_stagesurface_create = stage_create,
		.gs_stagesurface_destroy = destroy,
		.gs_stagesurface_map = stage_map,
		.gs_stagesurface_unmap = stage_unmap,
		.gs_stage_texture = stage_texture,
		.gs_texture_create = texture_create,
		.gs_texture_destroy = destroy,
		.gs_texture_set_image = set_image,
		.gs_clear = clear,
		.gs_ortho = ortho,
		.gs_blend_state_push = blend_push,
		.gs_blend_state_pop = blend_pop,
		.gs_enable_blending = enable_blending,
		.gs_blend_function = blend,
		.gs_blend_function_separate = blend_separate,
		.gs_framebuffer_srgb_enabled = framebuffer_srgb,
		.gs_enable_framebuffer_srgb = enable_srgb,
		.gs_set_linear_srgb = set_linear,
		.gs_effect_get_param_by_name = parameter,
		.gs_effect_set_texture_srgb = set_texture,
		.gs_effect_loop = loop,
		.gs_draw_sprite = draw_sprite,
	};
	struct doppel_graphics lacking = table;
	lacking.gs_stage_texture = NULL;
	int32_t already = -1;
	CHECK(doppel_gate_install_sync(&lacking, "sync", "Other", &already) == NULL);
	fake.sync_info = doppel_gate_install_sync(&table, "sync", "Other", &already);
	CHECK(fake.sync_info != NULL && already == 0);
	CHECK(doppel_gate_install_sync(&table, "sync", "Other", &already) == fake.sync_info && already == 1);
	CHECK(strcmp(fake.sync_info->id, "sync") == 0 && strcmp(fake.sync_info->get_name(NULL), "Other") == 0);
}

/* ---- a source ----------------------------------------------------------------------------------------------- */

void fake_still(struct fake_source *source, uint32_t width, uint32_t height)
{
	if (width == 0) {
		source->still.geometry = (struct doppel_geometry){0};
		return;
	}
	const struct doppel_geometry geometry = fake_geometry(BGRA, width, height, 0);
	fake_raw(&source->still, &geometry, ++fake.raw_id);
}

enum fake_kind fake_sync_draw(struct fake_source *source, uint64_t *shown)
{
	state.context++;
	fake_draw(source);
	state.context--;
	CHECK(state.blend_depth == 0 && !state.framebuffer_srgb && !state.linear && fake.target == &fake.scene);
	return fake_look(&fake.scene, shown);
}

struct shot {
	struct fake_source *source;
	uint64_t *shown;
	enum fake_kind kind;
};

static void *shoot(void *data)
{
	struct shot *shot = data;
	shot->kind = fake_sync_draw(shot->source, shot->shown);
	return NULL;
}

enum fake_kind fake_screenshot(struct fake_source *source, uint64_t *shown)
{
	struct shot shot = {.source = source, .shown = shown};
	pthread_t thread;
	CHECK_EQUAL(pthread_create(&thread, NULL, shoot, &shot), 0);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
	return shot.kind;
}
