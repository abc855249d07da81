/* The second type, made from the first: same settings, property page, hotkeys. Written once, as gate_library.c's. */
#include "gate_internal.h"
#include "gate_surface.h"

static struct {
	char *id, *display_name;
	bool installed;
	struct obs_source_info_400 info;
} type;

static const char *get_name(void *type_data)
{
	(void)type_data;
	return type.display_name;
}

void *doppel_gate_install_sync(const struct doppel_graphics *graphics, const char *id, const char *display_name,
			       int32_t *already)
{
	if (already != NULL)
		*already = type.installed;
	if (type.installed)
		return &type.info;
	const struct obs_source_info_400 *first = doppel_gate_install(NULL, NULL, NULL, NULL, NULL, 0, NULL);
	if (first == NULL || !doppel_table_is_complete(graphics, sizeof *graphics))
		return NULL;
	type.id = doppel_copy_text(id);
	type.display_name = doppel_copy_text(display_name);
	if (type.id == NULL || type.display_name == NULL)
		return NULL;
	doppel_graphics = *graphics;
	type.info = (struct obs_source_info_400){
		.id = type.id,
		.type = OBS_TYPE_FILTER,
		/* SRGB: it takes care of linear blending itself. */
		.output_flags = OBS_FLAG_VIDEO | OBS_FLAG_SRGB,
		.get_name = get_name,
		.create = doppel_sync_create,
		.destroy = doppel_sync_destroy,
		.get_defaults = first->get_defaults,
		.get_properties = first->get_properties,
		.update = doppel_filter_update,
		.load = first->load,
		.show = doppel_sync_show,
		.hide = doppel_sync_hide,
		.video_tick = doppel_sync_video_tick,
		.video_render = doppel_sync_video_render,
		.video_get_color_space = doppel_sync_color_space,
	};
	type.installed = true;
	return &type.info;
}
