#include "fake_textures.h"

#include "check.h"
#include "fake_internal.h"

#include <pthread.h>
#include <string.h>

struct fake_card card;
static struct {
	uint32_t context, blend_depth;
	bool framebuffer_srgb, linear, set_srgb;
	struct texture *set;
	uint32_t loops;
} state;
struct texture *fake_rendering;

void fake_inside(void)
{
	CHECK(state.context > 0);
	fake_in_libobs();
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

/* ---- state and drawing -------------------------------------------------------------------------------------- */

static void clear(uint32_t what, const float *rgba, float depth, uint8_t stencil)
{
	fake_inside();
	CHECK(what == 1 && rgba[3] == 0 && depth == 0 && stencil == 0 && fake_rendering != NULL);
	CHECK_EQUAL((uintptr_t)rgba % 16, 0);
	memset(fake.target->bytes, 0, sizeof fake.target->bytes);
}
static void ortho(float left, float right, float top, float bottom, float near, float far)
{
	fake_inside();
	CHECK(left == 0 && top == 0 && near < 0 && far > 0);
	CHECK_EQUAL(right, fake_rendering->picture.geometry.width);
	CHECK_EQUAL(bottom, fake_rendering->picture.geometry.height);
}
static void blend_push(void)
{
	fake_inside();
	state.blend_depth++;
}
static void blend_pop(void)
{
	fake_inside();
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
	fake_inside();
	state.framebuffer_srgb = enable;
}
static bool set_linear(bool linear)
{
	fake_inside();
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
	fake_inside();
	CHECK(where == &state.set);
	state.set = texture;
}
static bool loop(void *effect, const char *technique)
{
	fake_inside();
	CHECK(effect == &state && strcmp(technique, "Draw") == 0);
	state.loops ^= 1;
	return state.loops != 0;
}
static void draw_sprite(void *data, uint32_t flip, uint32_t width, uint32_t height)
{
	fake_inside();
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
		.gs_texrender_create = fake_texrender_create,
		.gs_texrender_destroy = fake_destroy,
		.gs_texrender_begin_with_color_space = fake_texrender_begin,
		.gs_texrender_end = fake_texrender_end,
		.gs_texrender_reset = fake_texrender_reset,
		.gs_texrender_get_texture = fake_texrender_texture,
		.gs_stagesurface_create = fake_stage_create,
		.gs_stagesurface_destroy = fake_destroy,
		.gs_stagesurface_map = fake_stage_map,
		.gs_stagesurface_unmap = fake_stage_unmap,
		.gs_stage_texture = fake_stage_texture,
		.gs_texture_create = fake_texture_create,
		.gs_texture_destroy = fake_destroy,
		.gs_texture_set_image = fake_set_image,
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
