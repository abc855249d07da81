/* The frame path of the async filter: filter_video for every new frame of the source, video_tick in between.
 *
 * filter_video(N) edits libobs's own frame in place and returns it, with N's own time stamp. First N's pixels go into a
 * free slot and to the worker; then what gate_frame.c chooses comes over them (or is returned in a frame of our own, where
 * the lane has pictures as RGB: gate_rgb.c).
 *
 * When the source stops sending (paused, a still), gate_idle.c sees to its last frame.
 */
#include "gate_internal.h"
#include "rgb.h"

#include <stdlib.h>
#include <string.h>

/* ---- life --------------------------------------------------------------------------------------------------- */

void *doppel_async_create(void *settings, void *source)
{
	(void)settings;
	struct doppel_filter *filter = calloc(1, sizeof *filter);
	if (filter != NULL)
		doppel_filter_begin(filter, source);
	return filter;
}

void doppel_async_destroy(void *data)
{
	doppel_filter_end(data);
}

/* ---- colour -------------------------------------------------------------------- */

static void read_colour(struct doppel_colour *colour, const struct obs_source_frame *frame)
{
	colour->full_range = frame->full_range;
	colour->flip = frame->flip;
	memcpy(colour->matrix, frame->color_matrix, sizeof colour->matrix);
	memcpy(colour->range_min, frame->color_range_min, sizeof colour->range_min);
	memcpy(colour->range_max, frame->color_range_max, sizeof colour->range_max);
}

static void write_colour(struct obs_source_frame *frame, const struct doppel_colour *colour)
{
	frame->full_range = colour->full_range != 0;
	frame->flip = colour->flip != 0;
	memcpy(frame->color_matrix, colour->matrix, sizeof colour->matrix);
	memcpy(frame->color_range_min, colour->range_min, sizeof colour->range_min);
	memcpy(frame->color_range_max, colour->range_max, sizeof colour->range_max);
}

/* ---- one frame ---------------------------------------------------------------------------------------------- */

static void timed_copy_out(const struct doppel_filter *filter, struct obs_source_frame *frame, struct doppel_turn *turn)
{
	const uint64_t start = doppel_clock_ns();
	doppel_copy_out(frame->data, turn->picture, &filter->geometry);
	turn->sample.copy_ns += (uint32_t)(doppel_clock_ns() - start);
}

static void keep_original(struct doppel_filter *filter, struct doppel_turn *turn)
{
	filter->frame_picture = DOPPEL_PICTURE_RAW;
	turn->sample.outcome = DOPPEL_OUT_ORIGINAL;
}

/* Returns the frame to hand on: `frame`, or one of our own in its place. */
static struct obs_source_frame *show(struct doppel_filter *filter, struct obs_source_frame *frame,
				     struct doppel_turn *turn, enum doppel_show choice)
{
	struct obs_source_frame *answer;
	switch (choice) {
	case DOPPEL_SHOW_ORIGINAL:
		filter->frame_picture = DOPPEL_PICTURE_RAW;
		return frame;
	case DOPPEL_SHOW_HELD:
		filter->frame_picture = DOPPEL_PICTURE_JUDGED;
		answer = doppel_rgb_answer(filter, frame, turn);
		if (answer != NULL)
			return answer;
		timed_copy_out(filter, frame, turn);
		write_colour(frame, turn->colour);
		return frame;
	case DOPPEL_SHOW_SLATE:
		timed_copy_out(filter, frame, turn);
		frame->flip = false;
		break;
	case DOPPEL_SHOW_MOSAIC:
		doppel_mosaic(frame->data, &filter->geometry);
		break;
	}
	filter->frame_picture = turn->panic ? DOPPEL_PICTURE_PANIC : DOPPEL_PICTURE_COVER;
	return frame;
}

static void send(struct doppel_filter *filter, const struct obs_source_frame *frame, struct doppel_turn *turn)
{
	struct doppel_ring *ring = filter->lane->ring;
	const int32_t slot = doppel_ring_acquire(ring);
	if (slot < 0)
		return; /* every slot is in the worker's hands: this frame goes unjudged, so unshown */
	const uint64_t start = doppel_clock_ns();
	doppel_copy_in(doppel_ring_pixels(ring, (uint32_t)slot), frame->data, &filter->geometry);
	turn->sample.copy_ns += (uint32_t)(doppel_clock_ns() - start);
	doppel_submit(filter, (uint32_t)slot, turn->now);
}

static struct obs_source_frame *edit(struct doppel_filter *filter, struct obs_source_frame *frame,
				     struct doppel_turn *turn)
{
	read_colour(&filter->colour, frame);
	if (doppel_take_pause(filter)) {
		doppel_keep_for_later(filter, frame); /* the pause may end after the last frame has come */
		keep_original(filter, turn);
		return frame;
	}
	const uint32_t delay = doppel_delay(filter);
	bool due = false;
	if (doppel_lane_fits(filter)) {
		filter->stash_id = 0;
		due = filter->last_id > delay && doppel_take_due(filter, filter->last_id - delay);
		send(filter, frame, turn);
	} else {
		doppel_keep_for_later(filter, frame);
	}
	return show(filter, frame, turn, doppel_choose(filter, turn, due));
}

struct obs_source_frame *doppel_async_filter_video(void *data, struct obs_source_frame *frame)
{
	struct doppel_filter *filter = data;
	struct doppel_turn turn = {.now = doppel_clock_ns()};
	const uint64_t video_time = doppel_libobs.obs_get_video_frame_time();
	const struct doppel_neighbours neighbours = doppel_neighbours_of(filter);
	atomic_store_explicit(&filter->filters_after, neighbours.after, memory_order_relaxed);
	void *parent = doppel_libobs.obs_filter_get_parent(filter->source);
	const bool media = parent != NULL && (doppel_libobs.obs_source_get_output_flags(parent) &
					      OBS_FLAG_CONTROLLABLE_MEDIA) != 0;
	const bool deinterlaced = parent != NULL && doppel_libobs.obs_source_get_deinterlace_mode(parent) != 0;
	turn.in_place = parent == NULL || neighbours.after > 0 || neighbours.ours_after > 0 ||
			(media && doppel_rgb_is_packed(frame->format));
	struct obs_source_frame *answer = frame;

	doppel_lock(&filter->lock);
	turn.in_place |= doppel_rgb_ends_deinterlaced(filter, deinterlaced, turn.now);
	doppel_note_tick(filter, video_time);
	filter->last_id++;
	filter->frame_video_time = video_time;
	filter->frame_suspicion = atomic_load_explicit(&filter->suspicion, memory_order_acquire);
	filter->frame_picture = DOPPEL_PICTURE_NONE;
	filter->frame_neighbours = neighbours;
	doppel_take_incoming(filter, false);
	doppel_note_time(filter, frame, turn.now);
	switch (doppel_note_geometry(filter, frame)) {
	case DOPPEL_EDITABLE:
		answer = edit(filter, frame, &turn);
		break;
	case DOPPEL_ONLY_COVER:
		if (doppel_original_is_wanted(filter)) {
			keep_original(filter, &turn);
			break;
		}
		doppel_flat(frame->data, frame->linesize, frame->format, frame->height);
		filter->frame_picture = DOPPEL_PICTURE_COVER;
		turn.sample.outcome = DOPPEL_OUT_COVERED;
		break;
	case DOPPEL_UNKNOWN_SIZE:
		if (doppel_original_is_wanted(filter))
			keep_original(filter, &turn);
		else
			answer = NULL;
		break;
	}
	if (answer == NULL)
		turn.sample.outcome = DOPPEL_OUT_DROPPED;
	doppel_rgb_note(filter, &turn, answer != NULL && answer != frame);
	doppel_publish_ring(filter);
	turn.sample.total_ns = doppel_clamp_ns(doppel_clock_ns(), turn.now);
	doppel_record(filter, &turn);
	doppel_unlock(&filter->lock);

	if (answer != frame)
		doppel_libobs.obs_source_release_frame(parent, frame);
	return answer;
}
