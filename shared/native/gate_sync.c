/* The frame path of the sync filter: video_render, once or many times in a tick, and video_tick.
 *
 * In a tick's first draw on the graphics thread the target is drawn into a texture of ours and read back; the picture
 * read back in the tick before is this tick's frame. What becomes of it is gate_sync_frame.c's; the result is another
 * texture. Every other draw in that tick, and every draw on another thread (obs-websocket's screenshots), draws that.
 *
 * The target itself is drawn to the scene only where the user chose to see it. So, other than in an asynchronous
 * source's texture, nothing can come past us; but what is in our texture may have been allowed by a choice that was
 * taken back, or be too old, and each draw looks at that.
 *
 * Who may touch what: video_render holds libobs's graphics mutex, so `struct doppel_sync` needs no lock; what it shares
 * with video_tick and the control plane is the filter's, under its lock. libobs is called outside of it: what is mapped
 * or uploaded there belongs to the graphics thread alone (the held slot, the lane: only video_tick and we exchange them).
 */
#include "gate_sync_state.h"

#include <stdlib.h>

#define MS UINT64_C(1000000)
#define IDLE_NS (100 * MS) /* without a frame for longer, a picture is held for hold_ns only */
#define MAX_SIDE 16384u

/* libobs's enum gs_color_space. */
enum { GS_CS_SRGB = 0, GS_CS_SRGB_16F = 1, GS_CS_709_EXTENDED = 2 };

/* The thread that ticks: only there does a draw take a new frame. */
static _Thread_local bool graphics_thread;

/* ---- life --------------------------------------------------------------------------------------------------- */

void *doppel_sync_create(void *settings, void *source)
{
	(void)settings;
	struct doppel_filter *filter = calloc(1, sizeof *filter);
	struct doppel_sync *sync = calloc(1, sizeof *sync);
	if (filter == NULL || sync == NULL) {
		free(filter);
		free(sync);
		return NULL;
	}
	sync->drawn_time = UINT64_MAX;
	filter->sync = sync;
	filter->readback_frames = 1;
	doppel_filter_begin(filter, source);
	return filter;
}

void doppel_sync_destroy(void *data)
{
	struct doppel_filter *filter = data;
	doppel_graphics.obs_enter_graphics();
	if (doppel_graphics.gs_get_context() != NULL) /* not at the very end, where libobs frees it all itself */
		doppel_surface_free(&filter->sync->surface);
	doppel_graphics.obs_leave_graphics();
	doppel_filter_end(filter);
}

void doppel_sync_free(struct doppel_sync *sync)
{
	if (sync != NULL)
		free(sync->frame);
	free(sync);
}

void doppel_sync_show(void *data)
{
	atomic_store(&((struct doppel_filter *)data)->showing, 1);
}

void doppel_sync_hide(void *data)
{
	atomic_store(&((struct doppel_filter *)data)->showing, 0);
}

void doppel_sync_video_tick(void *data, float seconds)
{
	(void)seconds;
	struct doppel_filter *filter = data;
	graphics_thread = true;
	filter->sync->tick++;
	doppel_lock(&filter->lock);
	doppel_take_incoming(filter, false);
	doppel_tick_idle(filter, doppel_clock_ns());
	doppel_publish_ring(filter);
	doppel_unlock(&filter->lock);
}

/* ---- a tick's first draw ------------------------------------------------------------------------------------- */

static bool is_hdr(const struct doppel_draw *draw)
{
	static const int32_t all[] = {GS_CS_SRGB, GS_CS_SRGB_16F, GS_CS_709_EXTENDED};
	const int32_t space =
		doppel_graphics.obs_source_get_color_space(draw->target, sizeof all / sizeof all[0], all);
	return space != GS_CS_SRGB && space != GS_CS_SRGB_16F;
}

static bool has_room(struct doppel_sync *sync)
{
	return sync->width <= MAX_SIDE && sync->height <= MAX_SIDE &&
	       doppel_surface_fit(&sync->surface, sync->width, sync->height);
}

/* Begins to read back this tick's picture. */
static bool capture(struct doppel_draw *draw)
{
	struct doppel_sync *sync = draw->sync;
	sync->inside = true;
	const bool captured = doppel_surface_capture(&sync->surface, draw->parent, draw->target);
	sync->inside = false;
	return captured;
}

static bool map_and_take(struct doppel_draw *draw, uint32_t back)
{
	struct doppel_sync *sync = draw->sync;
	const uint64_t start = doppel_clock_ns();
	if (!doppel_surface_map(&sync->surface, back, &draw->pixels, &draw->linesize))
		return false;
	draw->turn.sample.wait_ns = doppel_clamp_ns(doppel_clock_ns(), start);
	doppel_sync_take_frame(draw);
	doppel_surface_unmap(&sync->surface, back);
	if (draw->uploads) {
		const uint64_t upload = doppel_clock_ns();
		doppel_surface_upload(&sync->surface, draw->turn.picture);
		draw->turn.sample.copy_ns += (uint32_t)(doppel_clock_ns() - upload);
	}
	sync->taken_ns = draw->now;
	if (!draw->counts)
		return true;
	draw->turn.sample.total_ns = doppel_clamp_ns(doppel_clock_ns(), start);
	doppel_lock(&draw->filter->lock);
	doppel_record(draw->filter, &draw->turn);
	doppel_unlock(&draw->filter->lock);
	return true;
}

static void unsupported(struct doppel_draw *draw)
{
	struct doppel_sync *sync = draw->sync;
	const bool original = doppel_original_is_wanted(draw->filter);
	sync->shown = original ? DOPPEL_PICTURE_RAW : DOPPEL_PICTURE_COVER;
	sync->flat = !original;
	sync->other_cover = true;
	sync->staged_tick = 0;
	doppel_sync_take_outcome(draw, original ? DOPPEL_OUT_ORIGINAL : DOPPEL_OUT_COVERED);
}

static void advance(struct doppel_draw *draw)
{
	struct doppel_sync *sync = draw->sync;
	const bool had_picture = sync->shown != DOPPEL_PICTURE_NONE;
	sync->width = doppel_graphics.obs_source_get_base_width(draw->target);
	sync->height = doppel_graphics.obs_source_get_base_height(draw->target);
	if (sync->width == 0 || sync->height == 0) {
		sync->shown = DOPPEL_PICTURE_NONE;
		sync->staged_tick = 0;
		return;
	}
	if (sync->surface.width != sync->width || sync->surface.height != sync->height) {
		sync->shown = had_picture ? DOPPEL_PICTURE_COVER : DOPPEL_PICTURE_NONE;
		sync->flat = sync->other_cover = had_picture;
		sync->staged_tick = 0;
	}
	const uint32_t wrong = is_hdr(draw) ? DOPPEL_UNSUPPORTED_HDR : has_room(sync) ? 0 : DOPPEL_UNSUPPORTED_SIZE;
	atomic_store(&draw->filter->unsupported_format, wrong);
	if (wrong != 0) {
		unsupported(draw);
		return;
	}
	/* Older ones are no frames of this time: the source was hidden in between. */
	const bool before = sync->staged_tick != 0 && sync->staged_tick + 1 == sync->tick;
	const bool captured = capture(draw);
	const bool taken = before && map_and_take(draw, captured ? 1 : 0);
	const uint64_t hold = atomic_load(&draw->filter->hold_ns), age = draw->now - sync->taken_ns;
	if (!taken && sync->shown == DOPPEL_PICTURE_JUDGED && age > hold && age > IDLE_NS)
		doppel_sync_cover_without_frame(draw);
	sync->staged_tick = captured ? sync->tick : 0;
	sync->staged_ns = draw->now;
	sync->staged_time = draw->video_time;
}

/* ---- every draw ---------------------------------------------------------------------------------------------- */

/* The asynchronous filter on the same source does the work. */
static void look_for_async(void *source, void *filter, void *data)
{
	(void)source;
	if ((doppel_libobs.obs_source_get_output_flags(filter) & OBS_FLAG_ASYNC) != 0 &&
	    doppel_libobs.obs_source_enabled(filter) && doppel_filter_is_ours(filter))
		*(bool *)data = true;
}

static bool async_works(struct doppel_filter *filter, void *parent)
{
	bool found = false;
	if ((doppel_libobs.obs_source_get_output_flags(parent) & OBS_FLAG_ASYNC) != 0)
		doppel_libobs.obs_source_enum_filters(parent, look_for_async, &found);
	atomic_store(&filter->passes_on, found);
	return found;
}

static void pass_on(struct doppel_draw *draw, bool new_tick, bool paused)
{
	struct doppel_filter *filter = draw->filter;
	struct doppel_sync *sync = draw->sync;
	if (new_tick) {
		doppel_lock(&filter->lock);
		if (!paused)
			doppel_drop_held(filter);
		doppel_unlock(&filter->lock);
		if (paused)
			doppel_sync_take_outcome(draw, DOPPEL_OUT_ORIGINAL);
	}
	sync->shown = DOPPEL_PICTURE_NONE;
	sync->staged_tick = 0;
	doppel_draw_target(draw->parent, draw->target);
}

static bool show(struct doppel_draw *draw)
{
	struct doppel_sync *sync = draw->sync;
	const bool panic = atomic_load(&draw->filter->panic) != 0;
	switch (sync->shown) {
	case DOPPEL_PICTURE_NONE:
		return false;
	case DOPPEL_PICTURE_RAW:
		if (!doppel_original_is_wanted(draw->filter))
			return false;
		doppel_draw_target(draw->parent, draw->target);
		return true;
	case DOPPEL_PICTURE_JUDGED:
		if (panic)
			return false; /* pressed since this tick's frame was taken */
		break;
	case DOPPEL_PICTURE_COVER:
	case DOPPEL_PICTURE_PANIC:
		break;
	}
	if (sync->flat)
		doppel_surface_draw_flat(&sync->surface, sync->width, sync->height);
	else
		doppel_surface_draw(&sync->surface);
	return true;
}

void doppel_sync_video_render(void *data, void *effect)
{
	(void)effect;
	struct doppel_filter *filter = data;
	struct doppel_sync *sync = filter->sync;
	void *parent = doppel_libobs.obs_filter_get_parent(filter->source);
	void *target = doppel_libobs.obs_filter_get_target(filter->source);
	if (parent == NULL || target == NULL || sync->inside)
		return;
	const uint64_t now = doppel_clock_ns();
	struct doppel_draw draw = {.filter = filter,
			    .sync = sync,
			    .parent = parent,
			    .target = target,
			    .video_time = doppel_libobs.obs_get_video_frame_time(),
			    .now = now,
			    .turn = {.now = now}};
	const bool new_tick = graphics_thread && sync->drawn_time != draw.video_time;
	if (graphics_thread) {
		sync->drawn_time = draw.video_time;
		atomic_store(&filter->showing, 1);
	}
	const bool other_works = async_works(filter, parent);
	doppel_lock(&filter->lock);
	const bool paused = doppel_take_pause(filter);
	doppel_unlock(&filter->lock);
	atomic_store(&sync->passing, paused || other_works);
	if (paused || other_works) {
		pass_on(&draw, new_tick, paused && !other_works);
		return;
	}
	if (new_tick)
		advance(&draw);
	atomic_store(&sync->passing, sync->shown == DOPPEL_PICTURE_RAW);
	if (!show(&draw)) {
		doppel_count(&filter->renders_blocked);
		return;
	}
	if (graphics_thread && sync->shown == DOPPEL_PICTURE_JUDGED) {
		doppel_lock(&filter->lock);
		filter->last_visible_ns = now;
		doppel_unlock(&filter->lock);
	}
}

/* What video_render will draw in: libobs asks right before. */
int32_t doppel_sync_color_space(void *data, size_t count, const int32_t *preferred)
{
	struct doppel_filter *filter = data;
	void *target = doppel_libobs.obs_filter_get_target(filter->source);
	if (target == NULL || (!doppel_is_paused(filter) && atomic_load(&filter->sync->passing) == 0))
		return GS_CS_SRGB;
	return doppel_graphics.obs_source_get_color_space(target, count, preferred);
}
