/* video_render: draws the parent only if its texture holds a picture that the gate released.
 *
 * libobs uploads the frame that filter_video returned right before it draws the source for the first time in a tick,
 * and only in that tick (its "video time" tells ticks apart). So a draw in the tick of the last filter_video is known
 * to follow an upload of our frame; at any other draw the texture is what it was, or what a media source put there.
 * If there is suspicion (gate_signals.c) our last released picture is uploaded first, by obs_source_set_video_frame;
 * where that cannot be, nothing is drawn.
 *
 * obs_source_set_video_frame shares a buffer with obs_source_preload_video, which a media source calls from a thread of
 * its own, without a lock, shortly after it was stopped or deactivated: so we keep off for STOP_GUARD_NS after that.
 * The same buffer is what a media source shows when it is started again by a user. While it plays nobody else writes
 * there, so the first draw after a start puts our picture in ("defuses" it): a restart then flashes a judged picture.
 *
 * Where another filter gets the frame after us, it may keep it and return another one or none, so no upload by libobs is
 * known to be ours: after each, our own picture (the held one, or a cover) is uploaded over it, and until that has been
 * done the texture counts as unknown.
 *
 * The calls of libobs happen outside the filter's lock; the upload buffer is safe all the same, because every caller
 * of video_render holds libobs's graphics mutex, and its lane is pinned.
 */
#include "gate_internal.h"

#include <string.h>

#define MS UINT64_C(1000000)
#define STOP_GUARD_NS (400 * MS)

/* The parent whose outer Face Swap filter is being drawn on this thread: it has seen to the texture, and its picture
 * went through us before, so the inner filters only pass on. */
static _Thread_local const void *outer_parent;
static _Thread_local bool outer_uploaded; /* and this draw followed an upload by libobs */

enum action { DRAW, DRAW_NOTHING, UPLOAD_AND_DRAW };

struct drawing {
	/* libobs's state, asked before the lock is taken */
	bool deinterlaced, controllable;
	bool uploaded; /* libobs has just uploaded what filter_video returned */
	uint64_t video_time, now;
	/* to upload */
	struct doppel_lane *lane;
	struct obs_source_frame frame;
};

static void describe(struct obs_source_frame *frame, const struct doppel_lane *lane, const struct doppel_colour *colour)
{
	const struct doppel_geometry *geometry = &lane->ring->geometry;
	*frame = (struct obs_source_frame){
		.width = geometry->width,
		.height = geometry->height,
		.format = geometry->pixel_format,
		.full_range = colour->full_range != 0,
		.flip = colour->flip != 0,
	};
	memcpy(frame->color_matrix, colour->matrix, sizeof colour->matrix);
	memcpy(frame->color_range_min, colour->range_min, sizeof colour->range_min);
	memcpy(frame->color_range_max, colour->range_max, sizeof colour->range_max);
	for (uint32_t p = 0; p < geometry->plane_count; p++) {
		frame->data[p] = lane->upload + geometry->offset[p];
		frame->linesize[p] = geometry->linesize[p];
	}
}

/* libobs times the source's next frames from the time stamp that it is given here, and this happens at every frame. With
 * the frame's own, a source as fast as the canvas would miss every other tick by rounding, so: half a frame later. A
 * filter before us may have delayed the frame, then libobs's own clock is not known; 0 makes it take the next at once. */
static uint64_t timestamp_in_between(const struct doppel_filter *filter)
{
	if (filter->frame_neighbours.before > 0)
		return 0;
	return filter->last_timestamp + atomic_load_explicit(&filter->frame_interval_ns, memory_order_relaxed) / 2;
}

/* The stop may be younger than `now`: it comes from another thread. */
static bool keep_off(const struct doppel_filter *filter, const struct drawing *drawing)
{
	return drawing->controllable && drawing->now < atomic_load(&filter->media_stop_ns) + STOP_GUARD_NS;
}

/* The user has paused the swap after the source's last frame: it is shown as it came. */
static enum action show_original(struct doppel_filter *filter, struct drawing *drawing)
{
	/* A paused media source that has left the scene may be preloaded at any moment, into the buffer that we would use. */
	const bool preloads = drawing->controllable && atomic_load(&filter->media_paused) != 0 &&
			      atomic_load(&filter->inactive) != 0;
	if (filter->texture == DOPPEL_PICTURE_RAW || drawing->deinterlaced || preloads || keep_off(filter, drawing) ||
	    !doppel_lane_fits(filter) || !doppel_is_idle(filter, drawing->now))
		return DRAW;
	struct doppel_lane *lane = filter->lane;
	const uint8_t *original = doppel_original(filter);
	if (original == NULL)
		return DRAW;
	memcpy(lane->upload, original, (size_t)lane->ring->geometry.frame_bytes);
	describe(&drawing->frame, lane, &filter->colour);
	filter->texture = DOPPEL_PICTURE_RAW;
	filter->clean_uploads = 0; /* nothing but the pause allows this picture */
	atomic_fetch_add(&lane->pins, 1);
	drawing->lane = lane;
	return UPLOAD_AND_DRAW;
}

/* Puts the held picture, or a cover made of it or of the slate, into the upload buffer. */
static enum action prepare(struct doppel_filter *filter, struct drawing *drawing, bool want_cover)
{
	if (keep_off(filter, drawing))
		return DRAW_NOTHING;
	struct doppel_lane *lane = filter->held_lane;
	const struct doppel_colour *colour = &filter->colour;
	const bool frame_covered = drawing->uploaded && filter->frame_neighbours.after > 0 &&
				   filter->frame_picture == DOPPEL_PICTURE_COVER;
	const bool cover = want_cover || frame_covered || (lane != NULL && !doppel_held_showable(filter));
	const uint8_t *slate = NULL;
	if (doppel_lane_fits(filter) && atomic_load(&filter->use_slate) != 0 && (cover || lane == NULL))
		slate = doppel_ring_slate(filter->lane->ring);
	if (slate != NULL) {
		lane = filter->lane;
		memcpy(lane->upload, slate, (size_t)lane->ring->geometry.frame_bytes);
	} else if (lane != NULL) {
		colour = &lane->ring->slots[filter->held_slot].colour;
		memcpy(lane->upload, doppel_ring_pixels(lane->ring, filter->held_slot),
		       (size_t)lane->ring->geometry.frame_bytes);
	} else {
		return DRAW_NOTHING;
	}
	describe(&drawing->frame, lane, colour);
	if (drawing->uploaded && filter->frame_neighbours.after > 0)
		drawing->frame.timestamp = timestamp_in_between(filter);
	if (slate != NULL)
		drawing->frame.flip = false;
	else if (cover)
		doppel_mosaic(drawing->frame.data, &lane->ring->geometry);
	filter->texture = want_cover			? DOPPEL_PICTURE_PANIC
			  : cover || slate != NULL ? DOPPEL_PICTURE_COVER
						   : DOPPEL_PICTURE_JUDGED;
	atomic_fetch_add(&lane->pins, 1);
	drawing->lane = lane;
	return UPLOAD_AND_DRAW;
}

/* Is this the first draw since filter_video, in its very tick? Then libobs has just uploaded what it returned. */
static bool take_upload(struct doppel_filter *filter, uint64_t video_time)
{
	const bool uploaded = filter->frame_video_time == video_time && filter->drawn_id != filter->last_id &&
			      filter->frame_picture != DOPPEL_PICTURE_NONE;
	filter->drawn_id = filter->last_id;
	return uploaded;
}

/* The texture is clean of all that was suspected when the frame came: what happened since may have come later. */
static void note_upload(struct doppel_filter *filter)
{
	const uint32_t suspicion = filter->frame_suspicion;
	/* An original is shown by the user's choice, whatever the other filter makes of it. */
	if (filter->frame_neighbours.after > 0 && filter->frame_picture != DOPPEL_PICTURE_RAW) {
		filter->texture = DOPPEL_PICTURE_NONE;
		filter->clean_uploads = 0;
		return;
	}
	filter->texture = filter->frame_picture;
	if (filter->texture == DOPPEL_PICTURE_RAW && atomic_load(&filter->late_policy) != DOPPEL_LATE_ORIGINAL) {
		filter->clean_uploads = 0; /* shown by a choice that has been taken back, or holds only while paused */
		return;
	}
	if (filter->clean_suspicion != suspicion || filter->clean_uploads == 0) {
		filter->clean_suspicion = suspicion;
		filter->clean_uploads = 1;
	} else if (filter->clean_uploads < 2) {
		filter->clean_uploads++;
	}
}

/* After a start of a media source: our picture into libobs's preload buffer, with the frame's own time stamp, which is
 * what libobs has noted as its last anyway. */
static enum action defuse(struct doppel_filter *filter, struct drawing *drawing, uint32_t suspicion)
{
	if (filter->texture != DOPPEL_PICTURE_JUDGED || !doppel_held_showable(filter) ||
	    prepare(filter, drawing, false) != UPLOAD_AND_DRAW)
		return DRAW;
	drawing->frame.timestamp = filter->last_timestamp;
	filter->defused_suspicion = suspicion;
	return UPLOAD_AND_DRAW;
}

/* The same, after which the texture is clean of all that was suspected. */
static enum action clean_up(struct doppel_filter *filter, struct drawing *drawing, uint32_t suspicion, bool want_cover)
{
	const enum action action = prepare(filter, drawing, want_cover);
	if (action == UPLOAD_AND_DRAW) {
		filter->clean_suspicion = suspicion;
		filter->clean_uploads = 1;
		filter->late_result = 0;
	}
	return action;
}

static enum action decide(struct doppel_filter *filter, struct drawing *drawing)
{
	const uint32_t suspicion = atomic_load_explicit(&filter->suspicion, memory_order_acquire);
	const bool same_tick = filter->frame_video_time == drawing->video_time &&
			       filter->frame_picture != DOPPEL_PICTURE_NONE;
	const bool uploaded = drawing->uploaded = take_upload(filter, drawing->video_time);
	if (uploaded)
		note_upload(filter);
	if (doppel_is_paused(filter))
		return uploaded ? DRAW : show_original(filter, drawing);
	const bool want_cover = atomic_load(&filter->panic) != 0;
	const bool covered = filter->texture == DOPPEL_PICTURE_COVER || filter->texture == DOPPEL_PICTURE_PANIC;
	if (want_cover && !covered)
		return drawing->deinterlaced ? DRAW_NOTHING : clean_up(filter, drawing, suspicion, true);

	/* Never clean before the first frame. */
	const bool clean = filter->clean_suspicion == suspicion &&
			   filter->clean_uploads >= (drawing->deinterlaced ? 2u : 1u);
	/* A paused media source may be sought at any moment: that frame goes straight into the texture. */
	const bool open = drawing->controllable && atomic_load(&filter->media_paused) != 0 && !uploaded;
	if (!clean || open) {
		if (drawing->deinterlaced || (open && atomic_load(&filter->inactive) != 0))
			return DRAW_NOTHING;
		return clean_up(filter, drawing, suspicion, want_cover);
	}
	if (!same_tick && (filter->late_result != 0 ||
			   (!want_cover && filter->texture == DOPPEL_PICTURE_PANIC && doppel_held_showable(filter)))) {
		filter->late_result = 0;
		return prepare(filter, drawing, want_cover) == UPLOAD_AND_DRAW ? UPLOAD_AND_DRAW : DRAW;
	}
	if (uploaded && drawing->controllable && !drawing->deinterlaced && filter->defused_suspicion != suspicion)
		return defuse(filter, drawing, suspicion);
	return DRAW;
}

void doppel_async_video_render(void *data, void *effect)
{
	(void)effect;
	struct doppel_filter *filter = data;
	void *parent = doppel_libobs.obs_filter_get_parent(filter->source);
	void *target = doppel_libobs.obs_filter_get_target(filter->source);
	if (parent == NULL || target == NULL)
		return;
	const uint64_t video_time = doppel_libobs.obs_get_video_frame_time();
	if (outer_parent == parent) {
		doppel_lock(&filter->lock);
		filter->tick_drawn = video_time;
		if (take_upload(filter, video_time) && (outer_uploaded || filter->frame_neighbours.after > 0))
			note_upload(filter);
		doppel_unlock(&filter->lock);
		doppel_draw_target(parent, target);
		return;
	}
	struct drawing drawing = {
		.deinterlaced = doppel_libobs.obs_source_get_deinterlace_mode(parent) != 0,
		.controllable = (doppel_libobs.obs_source_get_output_flags(parent) & OBS_FLAG_CONTROLLABLE_MEDIA) != 0,
		.video_time = video_time,
		.now = doppel_clock_ns(),
	};
	atomic_store(&filter->showing, 1);

	doppel_lock(&filter->lock);
	filter->tick_drawn = video_time;
	const enum action action = decide(filter, &drawing);
	if (action != DRAW_NOTHING)
		filter->last_visible_ns = drawing.now;
	doppel_unlock(&filter->lock);

	if (action == UPLOAD_AND_DRAW) {
		doppel_libobs.obs_source_set_video_frame(parent, &drawing.frame);
		atomic_fetch_sub_explicit(&drawing.lane->pins, 1, memory_order_release);
		doppel_count(&filter->reuploads);
	}
	if (action == DRAW_NOTHING) {
		doppel_count(&filter->renders_blocked);
		return;
	}
	const void *outer = outer_parent;
	const bool uploaded = outer_uploaded;
	outer_parent = doppel_is_paused(filter) ? outer : parent;
	outer_uploaded = drawing.uploaded;
	doppel_draw_target(parent, target);
	outer_parent = outer;
	outer_uploaded = uploaded;
}
