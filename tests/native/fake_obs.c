#include "fake_obs.h"

#include "check.h"

#include <string.h>

struct fake_world fake = {.filters_tick_first = true, .video_time = 1000, .target = &fake.scene};

static void in_libobs(void)
{
	if (fake.in_libobs != NULL)
		fake.in_libobs();
}

/* ---- pictures ----------------------------------------------------------------------------------------------- */

struct doppel_geometry fake_geometry(uint32_t format, uint32_t width, uint32_t height, uint32_t padding)
{
	struct doppel_geometry g = {.pixel_format = format, .width = width, .height = height};
	CHECK_EQUAL(doppel_geometry_complete(&g), 0);
	for (uint32_t p = 0; p < g.plane_count; p++)
		g.linesize[p] += padding;
	CHECK_EQUAL(doppel_geometry_complete(&g), 0);
	CHECK(g.frame_bytes <= FAKE_MAX_BYTES);
	return g;
}

/* The n-th byte of frame `id`: walks through 0..63 in steps that leave no two neighbours (or rows) alike. */
static uint8_t raw_byte(uint64_t id, uint64_t n)
{
	return (uint8_t)((id + n * 23 + (n >> 6) * 5) & 63);
}

void fake_raw(struct fake_picture *picture, const struct doppel_geometry *geometry, uint64_t id)
{
	picture->geometry = *geometry;
	picture->flip = false;
	for (uint64_t n = 0; n < geometry->frame_bytes; n++)
		picture->bytes[n] = raw_byte(id, n);
}

void fake_judge(uint8_t *pixels, const struct doppel_geometry *geometry)
{
	for (uint64_t n = 0; n < geometry->frame_bytes; n++)
		pixels[n] |= 0x80;
}

static bool inside_plane(const struct doppel_geometry *g, uint64_t n)
{
	for (uint32_t p = 0; p < g->plane_count; p++)
		if (n >= g->offset[p] && n < g->offset[p] + (uint64_t)g->linesize[p] * g->rows[p])
			return true;
	return false;
}

/* Flat blocks of the mosaic's size in every plane that is not alpha. */
static bool is_cover(const struct fake_picture *picture)
{
	const struct doppel_geometry *g = &picture->geometry;
	const struct doppel_format *format = doppel_format(g->pixel_format);
	uint32_t block = (g->height / 16 + 1) / 2 * 2;
	block = block < 2 ? 2 : block;
	for (uint32_t p = 0; p < g->plane_count; p++) {
		const struct doppel_plane_format *plane = &format->planes[p];
		const uint32_t bw = block >> plane->x_shift, bh = block >> plane->y_shift;
		const uint32_t row_bytes = ((g->width + (1u << plane->x_shift) - 1) >> plane->x_shift) * plane->bytes;
		for (uint32_t y = 0; plane->alpha != 1 && y < g->rows[p]; y++)
			for (uint32_t x = 0; x < row_bytes; x++) {
				if (plane->alpha == 2 && x % 4 == 3)
					continue;
				const uint32_t cx = x / plane->bytes / bw * bw * plane->bytes + x % plane->bytes;
				if (picture->bytes[g->offset[p] + (size_t)y * g->linesize[p] + x] !=
				    picture->bytes[g->offset[p] + (size_t)(y / bh * bh) * g->linesize[p] + cx])
					return false;
			}
	}
	return true;
}

enum fake_kind fake_look(const struct fake_picture *picture, uint64_t *id)
{
	const struct doppel_geometry *g = &picture->geometry;
	if (g->width == 0)
		return FAKE_NOTHING;
	const uint8_t mark = picture->bytes[0] & 0x80;
	const uint64_t shift = picture->bytes[0] & 63;
	bool pattern = true, slate = true;
	for (uint64_t n = 0; n < g->frame_bytes; n++) {
		if (!inside_plane(g, n))
			continue;
		pattern = pattern && picture->bytes[n] == (raw_byte(shift, n) | mark);
		slate = slate && picture->bytes[n] == FAKE_SLATE;
	}
	if (id != NULL)
		*id = shift; /* modulo 64 */
	if (pattern)
		return mark != 0 ? FAKE_JUDGED : FAKE_RAW;
	if (slate)
		return FAKE_SLATE_SHOWN;
	return is_cover(picture) ? FAKE_COVER : FAKE_GARBLED;
}

/* ---- signals ------------------------------------------------------------------------------------------------ */

static void connect(void *handler, const char *signal, void (*callback)(void *, void *), void *data)
{
	in_libobs();
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
	in_libobs();
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
	void *parent = ((const struct fake_filter *)filter)->parent;
	if (fake.asked_for_parent != NULL)
		fake.asked_for_parent();
	return parent;
}

static void draw_from(struct fake_source *source, uint32_t filter)
{
	while (filter < source->filter_count && (!source->filters[filter]->enabled || source->filters[filter]->kept != NULL))
		filter++;
	if (filter < source->filter_count)
		source->filters[filter]->info->video_render(source->filters[filter]->data, NULL);
	else if ((source->flags & OBS_FLAG_ASYNC) == 0)
		*fake.target = source->still;
	else if (source->async_active && source->texture.geometry.width != 0)
		*fake.target = source->texture;
}

static const struct fake_filter *drawing; /* whose target was asked for last */

static void *get_target(const void *filter)
{
	drawing = filter;
	return drawing->parent; /* or the next filter; what is asked of it is the same here */
}

static void draw_target(void *target)
{
	in_libobs();
	const struct fake_filter *filter = drawing;
	struct fake_source *source = target;
	for (uint32_t i = 0; i < source->filter_count; i++)
		if (source->filters[i] == filter) {
			draw_from(source, i + 1);
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
	in_libobs();
	CHECK(source != NULL); /* libobs would free the frame */
	CHECK(frame != NULL);
	CHECK(--frame->refs > 0);
	((struct fake_source *)source)->released++;
}

static void picture_of_frame(struct fake_picture *picture, const struct obs_source_frame *frame)
{
	struct doppel_geometry g = {.pixel_format = frame->format, .width = frame->width, .height = frame->height};
	memcpy(g.linesize, frame->linesize, sizeof g.linesize);
	CHECK_EQUAL(doppel_geometry_complete(&g), 0);
	picture->geometry = g;
	picture->flip = frame->flip;
	memset(picture->bytes, 0, g.frame_bytes);
	for (uint32_t p = 0; p < g.plane_count; p++)
		memcpy(picture->bytes + g.offset[p], frame->data[p], (size_t)g.linesize[p] * g.rows[p]);
}

static void set_video_frame(void *data, const struct obs_source_frame *frame)
{
	in_libobs();
	struct fake_source *source = data;
	CHECK(doppel_clock_ns() >= source->preloading_until_ns); /* two writers of one buffer */
	picture_of_frame(&source->preload, frame);
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
	in_libobs();
	struct fake_source *source = data;
	for (uint32_t i = source->filter_count; i > 0; i--)
		callback(source, source->filters[i - 1], param);
}

static void *get_signal_handler(const void *source)
{
	in_libobs();
	return (void *)(uintptr_t)source; /* the connections come first in both kinds */
}

static void *get_weak_source(void *source)
{
	atomic_fetch_add(&((struct fake_filter *)source)->references, 1);
	return source;
}

static void *weak_get_source(void *weak)
{
	in_libobs();
	struct fake_filter *filter = weak;
	if (atomic_load(&filter->gone))
		return NULL;
	atomic_fetch_add(&filter->references, 1);
	return filter;
}

static void weak_release(void *weak)
{
	in_libobs();
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
	in_libobs();
	const bool paused = atomic_load(&((struct fake_source *)source)->media_paused);
	if (fake.asked_for_media_state != NULL)
		fake.asked_for_media_state();
	return paused ? OBS_MEDIA_STATE_PAUSED : 1;
}
static uint64_t get_video_frame_time(void)
{
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
		.obs_weak_source_release = weak_release,
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

/* ---- sources and filters ------------------------------------------------------------------------------------ */

void fake_source_init(struct fake_source *source, uint32_t flags)
{
	memset(source, 0, sizeof *source);
	source->flags = OBS_FLAG_VIDEO | OBS_FLAG_ASYNC | flags;
	source->show_wanted = source->active_wanted = true;
}

static struct fake_filter *new_filter(void)
{
	struct fake_filter *filter = calloc(1, sizeof *filter);
	CHECK(filter != NULL);
	atomic_store(&filter->references, 1);
	filter->flags = OBS_FLAG_VIDEO | OBS_FLAG_ASYNC;
	filter->enabled = true;
	return filter;
}

static void put_last(struct fake_source *source, struct fake_filter *filter)
{
	CHECK(source->filter_count < FAKE_FILTERS);
	filter->parent = source;
	memmove(source->filters + 1, source->filters, (FAKE_FILTERS - 1) * sizeof source->filters[0]);
	source->filters[0] = filter;
	source->filter_count++;
}

static struct fake_filter *add(struct fake_source *source, const struct obs_source_info_400 *info)
{
	struct fake_filter *filter = new_filter();
	filter->info = info;
	filter->flags = info->output_flags;
	info->get_defaults(NULL);
	filter->data = info->create(NULL, filter);
	CHECK(filter->data != NULL);
	put_last(source, filter);
	return filter;
}

struct fake_filter *fake_filter_add(struct fake_source *source)
{
	return add(source, fake.info);
}

struct fake_filter *fake_sync_filter_add(struct fake_source *source)
{
	return add(source, fake.sync_info);
}

struct fake_filter *fake_delay_add(struct fake_source *source, uint32_t delay)
{
	CHECK(delay <= FAKE_MAX_DELAY);
	struct fake_filter *filter = new_filter();
	filter->delay = delay;
	filter->kept = calloc(FAKE_MAX_DELAY + 1, sizeof *filter->kept);
	CHECK(filter->kept != NULL);
	put_last(source, filter);
	return filter;
}

static void take_off(struct fake_filter *filter)
{
	struct fake_source *source = filter->parent;
	for (uint32_t i = 0; i < source->filter_count; i++)
		if (source->filters[i] == filter) {
			memmove(source->filters + i, source->filters + i + 1,
				(source->filter_count - i - 1) * sizeof source->filters[0]);
			source->filter_count--;
			return;
		}
	CHECK(!"the filter is on its parent");
}

void fake_filter_move(struct fake_filter *filter, uint32_t place)
{
	struct fake_source *source = filter->parent;
	take_off(filter);
	CHECK(place <= source->filter_count);
	memmove(source->filters + place + 1, source->filters + place,
		(source->filter_count - place) * sizeof source->filters[0]);
	source->filters[place] = filter;
	source->filter_count++;
}

void fake_filter_remove(struct fake_filter *filter)
{
	struct fake_source *source = filter->parent;
	take_off(filter);
	if (filter->kept != NULL) {
		free(filter->kept);
		weak_release(filter);
		return;
	}
	if (filter->info->filter_remove != NULL)
		filter->info->filter_remove(filter->data, source);
	filter->parent = NULL;
	void *data = filter->data;
	filter->data = NULL;
	atomic_store(&filter->gone, true);
	filter->info->destroy(data);
	weak_release(filter);
}

uint64_t fake_filter_id(const struct fake_filter *filter)
{
	return ((const struct doppel_filter *)filter->data)->id;
}

void fake_filter_enable(struct fake_filter *filter, bool enabled)
{
	filter->enabled = enabled;
	fake_signal(filter, "enable");
}

/* ---- ticks and draws ---------------------------------------------------------------------------------------- */

static void frame_of_picture(struct obs_source_frame *frame, struct fake_picture *picture, uint64_t timestamp)
{
	const struct doppel_geometry *g = &picture->geometry;
	*frame = (struct obs_source_frame){
		.width = g->width, .height = g->height, .format = g->pixel_format, .timestamp = timestamp};
	for (uint32_t p = 0; p < g->plane_count; p++) {
		frame->data[p] = picture->bytes + g->offset[p];
		frame->linesize[p] = g->linesize[p];
	}
}

/* What comes out of a delay: the oldest of more than `delay` frames, in the place of this one, or none. */
static struct obs_source_frame *delay_frame(struct fake_filter *filter, struct fake_picture *picture,
					    struct obs_source_frame *frame)
{
	picture->flip = frame->flip;
	filter->kept[filter->kept_count++] = *picture;
	if (filter->kept_count <= filter->delay)
		return NULL;
	*picture = filter->kept[0];
	memmove(filter->kept, filter->kept + 1, --filter->kept_count * sizeof *filter->kept);
	const long refs = frame->refs;
	frame_of_picture(frame, picture, frame->timestamp);
	frame->refs = refs;
	frame->flip = picture->flip;
	return frame;
}

static struct obs_source_frame *filter_video(const struct fake_filter *filter, struct obs_source_frame *frame)
{
	return filter->info->filter_video != NULL ? filter->info->filter_video(filter->data, frame) : frame;
}

/* libobs's callbacks of a filter are optional. */
static void tell(const struct fake_filter *filter, void (*callback)(void *))
{
	if (callback != NULL)
		callback(filter->data);
}

/* One new frame through the filters; false: none came out. */
static bool filter_frame(struct fake_source *source, const struct doppel_geometry *geometry, uint64_t step_ns,
			 struct fake_picture *out)
{
	fake_raw(out, geometry, ++fake.raw_id);
	source->timestamp += step_ns;
	struct obs_source_frame frame, *at = &frame;
	frame_of_picture(&frame, out, source->timestamp);
	frame.refs = 1 + 1; /* the cache's, and one for the way through the filters */
	for (uint32_t i = source->filter_count; i > 0 && at != NULL; i--)
		if (source->filters[i - 1]->enabled && source->filters[i - 1]->kept != NULL)
			at = delay_frame(source->filters[i - 1], out, at);
		else if (source->filters[i - 1]->enabled)
			at = filter_video(source->filters[i - 1], at);
	if (at == NULL)
		return false;
	at->refs--;
	CHECK_EQUAL(frame.refs, 1);
	CHECK_EQUAL(at->timestamp, source->timestamp);
	if (at == &frame) { /* OBS's own frame */
		out->flip = frame.flip;
		return true;
	}
	CHECK_EQUAL(at->refs, 1); /* OBS's current frame has no reference of its own */
	CHECK_EQUAL(at->format, 8);
	CHECK(!at->full_range); /* or libobs ends where its textures have got another format meanwhile */
	for (unsigned p = 0; p < 4; p++) /* and it would read from each of these */
		CHECK(at->data[p] != NULL && at->linesize[p] == 4 * at->width);
	picture_of_frame(out, at);
	return true;
}

static void tick_source(struct fake_source *source, const struct doppel_geometry *geometry, uint32_t frames,
			uint64_t step_ns)
{
	source->has_current = source->has_previous = false;
	if (frames > 0)
		source->async_active = true;
	if (frames == 2)
		source->has_previous = filter_frame(source, geometry, step_ns, &source->previous);
	if (frames >= 1)
		source->has_current = filter_frame(source, geometry, step_ns, &source->current);

	if (source->showing != source->show_wanted) {
		source->showing = source->show_wanted;
		for (uint32_t i = source->filter_count; i > 0; i--)
			if (source->filters[i - 1]->kept == NULL)
				tell(source->filters[i - 1], source->showing ? source->filters[i - 1]->info->show
									      : source->filters[i - 1]->info->hide);
	}
	if (source->active != source->active_wanted) {
		source->active = source->active_wanted;
		if (!source->active && (source->flags & OBS_FLAG_CONTROLLABLE_MEDIA) != 0)
			fake_preload(source, geometry);
		/* A media source starts here: it shows its preloaded frame, and says so afterwards. */
		if (source->active && (source->flags & OBS_FLAG_CONTROLLABLE_MEDIA) != 0) {
			fake_show_preload(source);
			atomic_store(&source->media_paused, false);
			fake_signal(source, "media_started");
		}
		for (uint32_t i = source->filter_count; i > 0; i--)
			if (source->filters[i - 1]->kept == NULL)
				tell(source->filters[i - 1], source->active ? source->filters[i - 1]->info->activate
									     : source->filters[i - 1]->info->deactivate);
	}
	source->rendered = false;
}

static void tick_filters(struct fake_source *source)
{
	for (uint32_t i = 0; i < source->filter_count; i++)
		if (source->filters[i]->kept == NULL)
			source->filters[i]->info->video_tick(source->filters[i]->data, 0.03f);
}

void fake_tick(struct fake_source *source, const struct doppel_geometry *geometry, uint32_t frames, uint64_t step_ns)
{
	fake.video_time += 16666667;
	if (fake.filters_tick_first)
		tick_filters(source);
	tick_source(source, geometry, frames, step_ns);
	if (!fake.filters_tick_first)
		tick_filters(source);
}

void fake_draw(struct fake_source *source)
{
	fake.scene.geometry.width = 0;
	if (!source->rendered) {
		source->rendered = true;
		if (source->deinterlace != 0) {
			if (source->has_previous) {
				source->previous_texture = source->previous;
			} else if (source->has_current) {
				const struct fake_picture previous = source->previous_texture;
				source->previous_texture = source->texture;
				source->texture = previous;
			}
		}
		if (source->has_current)
			source->texture = source->current;
		source->has_current = source->has_previous = false;
	}
	draw_from(source, 0);
}

void fake_show_raw(struct fake_source *source, const struct doppel_geometry *geometry)
{
	fake_raw(&source->preload, geometry, ++fake.raw_id);
	source->texture = source->preload;
}

void fake_preload(struct fake_source *source, const struct doppel_geometry *geometry)
{
	fake_raw(&source->preload, geometry, ++fake.raw_id);
	source->preloading_until_ns = doppel_clock_ns() + UINT64_C(300000000);
}

void fake_pause(struct fake_source *source, bool paused)
{
	atomic_store(&source->media_paused, paused);
	fake_signal(source, paused ? "media_pause" : "media_play");
}

void fake_show_preload(struct fake_source *source)
{
	if (source->preload.geometry.width == 0)
		return;
	source->texture = source->preload;
	source->async_active = true;
}

void fake_media(struct fake_source *source, const struct doppel_geometry *geometry, enum fake_media what, bool *started)
{
	switch (what) {
	case FAKE_MEDIA_PAUSE:
		fake_pause(source, true);
		*started = false;
		return;
	case FAKE_MEDIA_PLAY:
		fake_pause(source, false);
		fake_signal(source, "media_started");
		break;
	case FAKE_MEDIA_STOP: /* nothing is shown, then the first frame is preloaded; stopping ends a pause */
		source->async_active = false;
		source->media_paused = false;
		fake_signal(source, "media_stopped");
		fake_preload(source, geometry);
		break;
	case FAKE_MEDIA_RESTART:
		fake_show_preload(source);
		source->media_paused = false;
		fake_signal(source, "media_restart");
		break;
	case FAKE_MEDIA_SEEK:
		if (!*started && source->filter_count > 0)
			fake_show_raw(source, geometry);
		return;
	}
	*started = true;
}
