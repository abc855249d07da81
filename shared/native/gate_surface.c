/* The sync filter's pictures on the graphics card: drawn, read back, uploaded, drawn again.
 *
 * Colours: everything is kept as 8-bit BGRA whose samples are sRGB, with the colour multiplied by alpha, as libobs's own
 * filters do it: the target is drawn with linear blending into a cleared texture (its colour times alpha, alpha), stored
 * as sRGB; the bytes are what a camera would give for the same picture. Drawn again, they are read as sRGB and blended
 * as they are (one, one minus alpha). What is opaque comes out as it went in, whatever blending the place where it is
 * drawn has chosen.
 *
 * Reading back: gs_stage_texture only tells the card to copy. The stage is mapped a frame later, when the copy has long
 * been done, so the graphics thread does not wait for the card (as libobs reads its own output).
 */
#include "gate_internal.h"
#include "gate_surface.h"

#include <string.h>

/* libobs/graphics/graphics.h, the same in 28 to 32. */
enum {
	GS_BGRA = 5,
	GS_ZS_NONE = 0,
	GS_CS_SRGB = 0,
	GS_DYNAMIC = 1 << 1,
	GS_CLEAR_COLOR = 1 << 0,
	GS_BLEND_ONE = 1,
	GS_BLEND_SRCALPHA = 4,
	GS_BLEND_INVSRCALPHA = 5,
	OBS_EFFECT_DEFAULT = 0,
};

struct doppel_graphics doppel_graphics;

static void release(struct doppel_surface *surface)
{
	for (uint32_t i = 0; i < DOPPEL_STAGES; i++) {
		if (surface->stages[i] != NULL)
			doppel_graphics.gs_stagesurface_destroy(surface->stages[i]);
		surface->stages[i] = NULL;
	}
	if (surface->picture != NULL)
		doppel_graphics.gs_texture_destroy(surface->picture);
	surface->picture = NULL;
}

static bool make(struct doppel_surface *surface, uint32_t width, uint32_t height)
{
	if (surface->render == NULL)
		surface->render = doppel_graphics.gs_texrender_create(GS_BGRA, GS_ZS_NONE);
	bool made = surface->render != NULL;
	for (uint32_t i = 0; made && i < DOPPEL_STAGES; i++) {
		surface->stages[i] = doppel_graphics.gs_stagesurface_create(width, height, GS_BGRA);
		made = surface->stages[i] != NULL;
	}
	if (made)
		surface->picture = doppel_graphics.gs_texture_create(width, height, GS_BGRA, 1, NULL, GS_DYNAMIC);
	return made && surface->picture != NULL;
}

bool doppel_surface_fit(struct doppel_surface *surface, uint32_t width, uint32_t height)
{
	if (surface->width == width && surface->height == height)
		return !surface->refused;
	release(surface);
	surface->width = width;
	surface->height = height;
	surface->next = 0;
	surface->refused = !make(surface, width, height);
	if (surface->refused)
		release(surface);
	return !surface->refused;
}

static void capture_target(const struct doppel_surface *surface, void *parent, void *target)
{
	static const _Alignas(16) float transparent[4] = {0};
	doppel_graphics.gs_clear(GS_CLEAR_COLOR, transparent, 0, 0);
	doppel_graphics.gs_ortho(0, (float)surface->width, 0, (float)surface->height, -100, 100);
	doppel_graphics.gs_blend_state_push();
	doppel_graphics.gs_enable_blending(true);
	doppel_graphics.gs_blend_function_separate(GS_BLEND_SRCALPHA, GS_BLEND_INVSRCALPHA, GS_BLEND_ONE,
						   GS_BLEND_INVSRCALPHA);
	const bool linear = doppel_graphics.gs_set_linear_srgb(true);
	doppel_draw_target(parent, target);
	doppel_graphics.gs_set_linear_srgb(linear);
	doppel_graphics.gs_blend_state_pop();
}

bool doppel_surface_capture(struct doppel_surface *surface, void *parent, void *target)
{
	doppel_graphics.gs_texrender_reset(surface->render);
	if (!doppel_graphics.gs_texrender_begin_with_color_space(surface->render, surface->width, surface->height,
								 GS_CS_SRGB))
		return false;
	capture_target(surface, parent, target);
	doppel_graphics.gs_texrender_end(surface->render);
	void *texture = doppel_graphics.gs_texrender_get_texture(surface->render);
	if (texture == NULL)
		return false;
	doppel_graphics.gs_stage_texture(surface->stages[surface->next], texture);
	surface->next = (surface->next + 1) % DOPPEL_STAGES;
	return true;
}

static void *stage(const struct doppel_surface *surface, uint32_t back)
{
	return surface->stages[(surface->next + 2 * DOPPEL_STAGES - 1 - back) % DOPPEL_STAGES];
}

bool doppel_surface_map(const struct doppel_surface *surface, uint32_t back, uint8_t **pixels, uint32_t *linesize)
{
	*pixels = NULL;
	*linesize = 0;
	if (!doppel_graphics.gs_stagesurface_map(stage(surface, back), pixels, linesize))
		return false;
	if (*pixels != NULL && *linesize >= 4 * surface->width)
		return true;
	doppel_graphics.gs_stagesurface_unmap(stage(surface, back));
	return false;
}

void doppel_surface_unmap(const struct doppel_surface *surface, uint32_t back)
{
	doppel_graphics.gs_stagesurface_unmap(stage(surface, back));
}

void doppel_surface_upload(const struct doppel_surface *surface, const uint8_t *pixels)
{
	doppel_graphics.gs_texture_set_image(surface->picture, pixels, 4 * surface->width, false);
}

static void draw(void *texture, uint32_t width, uint32_t height)
{
	void *effect = doppel_graphics.obs_get_base_effect(OBS_EFFECT_DEFAULT);
	if (effect == NULL || texture == NULL)
		return;
	const bool srgb = doppel_graphics.gs_framebuffer_srgb_enabled();
	doppel_graphics.gs_enable_framebuffer_srgb(true);
	doppel_graphics.gs_effect_set_texture_srgb(doppel_graphics.gs_effect_get_param_by_name(effect, "image"),
						   texture);
	doppel_graphics.gs_blend_state_push();
	doppel_graphics.gs_blend_function(GS_BLEND_ONE, GS_BLEND_INVSRCALPHA);
	while (doppel_graphics.gs_effect_loop(effect, "Draw"))
		doppel_graphics.gs_draw_sprite(texture, 0, width, height);
	doppel_graphics.gs_blend_state_pop();
	doppel_graphics.gs_enable_framebuffer_srgb(srgb);
}

void doppel_surface_draw(const struct doppel_surface *surface)
{
	draw(surface->picture, surface->width, surface->height);
}

void doppel_surface_draw_flat(struct doppel_surface *surface, uint32_t width, uint32_t height)
{
	if (surface->flat == NULL) {
		uint8_t grey[DOPPEL_FLAT_SIDE * DOPPEL_FLAT_SIDE * 4];
		for (size_t i = 0; i < sizeof grey; i++)
			grey[i] = i % 4 == 3 ? 0xFF : 0x80;
		const uint8_t *data = grey;
		surface->flat =
			doppel_graphics.gs_texture_create(DOPPEL_FLAT_SIDE, DOPPEL_FLAT_SIDE, GS_BGRA, 1, &data, 0);
	}
	draw(surface->flat, width, height);
}

void doppel_surface_free(struct doppel_surface *surface)
{
	release(surface);
	if (surface->flat != NULL)
		doppel_graphics.gs_texture_destroy(surface->flat);
	if (surface->render != NULL)
		doppel_graphics.gs_texrender_destroy(surface->render);
	memset(surface, 0, sizeof *surface);
}
