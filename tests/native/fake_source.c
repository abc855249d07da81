/* A source of the small libobs: its ticks, its frames on their way through the filters, its draws. */
#include "fake_internal.h"

#include "check.h"

#include <string.h>

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
	fake_frame_of_picture(frame, picture, frame->timestamp);
	frame->refs = refs;
	frame->flip = picture->flip;
	return frame;
}

static struct obs_source_frame *filter_video(struct fake_filter *filter, struct obs_source_frame *frame)
{
	if (filter->info->filter_video == NULL)
		return frame;
	filter->frames_given++;
	return filter->info->filter_video(filter->data, frame);
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
	fake_frame_of_picture(&frame, out, source->timestamp);
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
	fake_picture_of_frame(out, at);
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

void fake_draw_from(struct fake_source *source, uint32_t filter)
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
	fake_draw_from(source, 0);
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
