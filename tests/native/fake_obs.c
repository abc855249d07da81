#include "fake_internal.h"

#include "check.h"

#include <string.h>

struct fake_world fake = {.filters_tick_first = true, .video_time = 1000, .target = &fake.scene};

void fake_in_libobs(void)
{
	CHECK_EQUAL(fake_locks_held, 0);
	if (fake.in_libobs != NULL)
		fake.in_libobs();
}

/* ---- signals ------------------------------------------------------------------------------------------------ */

static void connect(void *handler, const char *signal, void (*callback)(void *, void *), void *data)
{
	fake_in_libobs();
	struct fake_connection *all = handler;
	for (uint32_t i = 0; i < FAKE_CONNECTIONS; i++)
		if (all[i].callback == callback && all[i].data == data && strcmp(all[i].signal, signal) == 0)
			return;
	for (uint32_t i = 0; i < FAKE_CONNECTIONS; i++)
		if (all[i].callback == NULL) {
			snprintf(all[i].signal, sizeof all[i].signal, "%s", signal);
			all[i].data = data;
			all[i].callback = callback;
			return;
		}
	CHECK(!"room for one more connection");
}

static void disconnect(void *handler, const char *signal, void (*callback)(void *, void *), void *data)
{
	fake_in_libobs();
	struct fake_connection *all = handler;
	for (uint32_t i = 0; i < FAKE_CONNECTIONS; i++)
		if (all[i].callback == callback && all[i].data == data && strcmp(all[i].signal, signal) == 0)
			all[i].callback = NULL;
}

void fake_signal(void *handler, const char *signal)
{
	struct fake_connection *all = handler;
	for (uint32_t i = 0; i < FAKE_CONNECTIONS; i++)
		if (all[i].callback != NULL && strcmp(all[i].signal, signal) == 0)
			all[i].callback(all[i].data, NULL);
}

/* ---- the table ---------------------------------------------------------------------------------------------- */

static void *get_parent(const void *filter)
{
	CHECK_EQUAL(fake_locks_held, 0);
	void *parent = ((const struct fake_filter *)filter)->parent;
	if (fake.asked_for_parent != NULL)
		fake.asked_for_parent();
	return parent;
}

static const struct fake_filter *drawing; /* whose target was asked for last */

static void *get_target(const void *filter)
{
	drawing = filter;
	return drawing->parent; /* or the next filter; what is asked of it is the same here */
}

static void draw_target(void *target)
{
	fake_in_libobs();
	const struct fake_filter *filter = drawing;
	struct fake_source *source = target;
	for (uint32_t i = 0; i < source->filter_count; i++)
		if (source->filters[i] == filter) {
			fake_draw_from(source, i + 1);
			return;
		}
	CHECK(!"the filter is on its parent");
}

static void draw_default(void *target)
{
	CHECK((((struct fake_source *)target)->flags & OBS_FLAG_ASYNC) == 0);
	draw_target(target);
}

static void release_frame(void *source, struct obs_source_frame *frame)
{
	fake_in_libobs();
	CHECK(source != NULL); /* libobs would free the frame */
	CHECK(frame != NULL);
	CHECK(--frame->refs > 0);
	((struct fake_source *)source)->released++;
}

static void set_video_frame(void *data, const struct obs_source_frame *frame)
{
	fake_in_libobs();
	struct fake_source *source = data;
	CHECK(doppel_clock_ns() >= source->preloading_until_ns); /* two writers of one buffer */
	fake_picture_of_frame(&source->preload, frame);
	source->texture = source->preload;
}

static uint32_t get_output_flags(const void *source)
{
	_Static_assert(offsetof(struct fake_source, flags) == offsetof(struct fake_filter, flags), "flags");
	return ((const struct fake_source *)source)->flags;
}

static int32_t get_deinterlace_mode(const void *source)
{
	return ((const struct fake_source *)source)->deinterlace;
}

static bool enabled(const void *filter)
{
	return ((const struct fake_filter *)filter)->enabled;
}

static void enum_filters(void *data, void (*callback)(void *, void *, void *), void *param)
{
	fake_in_libobs();
	struct fake_source *source = data;
	for (uint32_t i = source->filter_count; i > 0; i--)
		callback(source, source->filters[i - 1], param);
}

static void *get_signal_handler(const void *source)
{
	fake_in_libobs();
	return (void *)(uintptr_t)source; /* the connections come first in both kinds */
}

static void *get_weak_source(void *source)
{
	atomic_fetch_add(&((struct fake_filter *)source)->references, 1);
	return source;
}

static void *weak_get_source(void *weak)
{
	fake_in_libobs();
	struct fake_filter *filter = weak;
	if (atomic_load(&filter->gone))
		return NULL;
	atomic_fetch_add(&filter->references, 1);
	return filter;
}

void fake_weak_release(void *weak)
{
	fake_in_libobs();
	struct fake_filter *filter = weak;
	if (atomic_fetch_sub(&filter->references, 1) == 1)
		free(filter);
}

static void default_string(void *data, const char *name, const char *value)
{
	(void)data, (void)name, (void)value;
}
static void default_int(void *data, const char *name, long long value)
{
	(void)data, (void)name, (void)value;
}
static void default_double(void *data, const char *name, double value)
{
	(void)data, (void)name, (void)value;
}
static void default_bool(void *data, const char *name, bool value)
{
	(void)data, (void)name, (void)value;
}
static void *properties_create(void)
{
	return calloc(1, 8);
}
static void *properties_add_text(void *properties, const char *name, const char *description, int32_t kind)
{
	(void)name, (void)description, (void)kind;
	return properties;
}
static int32_t media_get_state(void *source)
{
	fake_in_libobs();
	const bool paused = atomic_load(&((struct fake_source *)source)->media_paused);
	if (fake.asked_for_media_state != NULL)
		fake.asked_for_media_state();
	return paused ? OBS_MEDIA_STATE_PAUSED : 1;
}
static uint64_t get_video_frame_time(void)
{
	CHECK_EQUAL(fake_locks_held, 0);
	return fake.video_time;
}

void fake_install(void)
{
	const struct doppel_libobs table = {
		.size = sizeof table,
		.obs_filter_get_parent = get_parent,
		.obs_filter_get_target = get_target,
		.obs_source_video_render = draw_target,
		.obs_source_default_render = draw_default,
		.obs_source_release_frame = release_frame,
		.obs_source_set_video_frame = set_video_frame,
		.obs_source_get_output_flags = get_output_flags,
		.obs_source_get_deinterlace_mode = get_deinterlace_mode,
		.obs_source_get_signal_handler = get_signal_handler,
		.signal_handler_connect = connect,
		.signal_handler_disconnect = disconnect,
		.obs_source_get_weak_source = get_weak_source,
		.obs_weak_source_get_source = weak_get_source,
		.obs_weak_source_release = fake_weak_release,
		.obs_data_set_default_string = default_string,
		.obs_data_set_default_int = default_int,
		.obs_data_set_default_double = default_double,
		.obs_data_set_default_bool = default_bool,
		.obs_properties_create = properties_create,
		.obs_properties_add_text = properties_add_text,
		.obs_get_video_frame_time = get_video_frame_time,
		.obs_source_enabled = enabled,
		.obs_source_enum_filters = enum_filters,
		.obs_source_media_get_state = media_get_state,
	};
	const struct doppel_default defaults[] = {{.key = "persona", .kind = DOPPEL_STRING, .text = "none"},
						  {.key = "strength", .kind = DOPPEL_DOUBLE, .number = 1}};
	int32_t already = -1;
	struct doppel_libobs lacking = table;
	lacking.signal_handler_disconnect = NULL;
	CHECK(doppel_gate_install(&lacking, "id", "Name", "Text", defaults, 2, &already) == NULL);
	fake.info = doppel_gate_install(&table, "id", "Name", "Text", defaults, 2, &already);
	CHECK(fake.info != NULL);
	CHECK_EQUAL(already, 0);
	CHECK(doppel_gate_install(&table, "id", "Name", "Text", defaults, 2, &already) == fake.info);
	CHECK_EQUAL(already, 1);
	CHECK(strcmp(fake.info->id, "id") == 0 && strcmp(fake.info->get_name(NULL), "Name") == 0);
}
