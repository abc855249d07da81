/* One frame of the sync filter: to the worker if it is another picture than the frame before (a still costs the worker
 * nothing), and what gate_frame.c chooses into the texture that is shown.
 *
 * A tick is a frame, though its picture may be the one before: so the delay is the same for a source that changes now
 * and then. The last changes' ids tell whether the picture that is shown is still the right one.
 */
#include "gate_sync_state.h"

#include <stdlib.h>
#include <string.h>

#define BGRA 7u /* libobs's enum video_format */

static const struct doppel_colour srgb = {
	.full_range = 1, .matrix = {[0] = 1, [5] = 1, [10] = 1, [15] = 1}, .range_max = {1, 1, 1}};

static bool room_for_frame(struct doppel_sync *sync, uint64_t bytes)
{
	if (sync->frame_bytes != bytes) {
		free(sync->frame);
		sync->frame = calloc(1, (size_t)bytes);
		sync->frame_bytes = sync->frame != NULL ? bytes : 0;
	}
	return sync->frame != NULL;
}

/* The id of the newest change that should be shown by now; 0: none. */
static uint64_t change_due(const struct doppel_sync *sync, uint64_t upto)
{
	for (uint32_t i = 0; i < DOPPEL_CHANGES; i++)
		if (sync->changes[i] <= upto)
			return sync->changes[i];
	return sync->changes[DOPPEL_CHANGES - 1];
}

static void note_change(struct doppel_sync *sync, uint64_t id)
{
	memmove(sync->changes + 1, sync->changes, sizeof sync->changes - sizeof sync->changes[0]);
	sync->changes[0] = id;
}

/* The worker has not got the picture as it is now, or would judge it differently by now. */
static bool wants_it(const struct doppel_filter *filter, const struct doppel_sync *sync)
{
	const struct doppel_ring *ring = filter->lane->ring;
	if (filter->sent_id < sync->changes[0] || doppel_ring_again(ring) != filter->again_seen)
		return true;
	const bool judged = filter->held_lane != NULL && filter->last_shown_id >= sync->changes[0];
	return !judged && !doppel_ring_expects(ring, filter->epoch, filter->last_shown_id);
}

/* Copies the frame to where the worker finds it, or, where there is no lane or no slot, to our own memory. */
static int32_t copy_frame(struct doppel_draw *draw, uint64_t *fingerprint)
{
	struct doppel_filter *filter = draw->filter;
	struct doppel_ring *ring = doppel_lane_fits(filter) ? filter->lane->ring : NULL;
	const int32_t slot = ring != NULL ? doppel_ring_acquire(ring) : -1;
	uint8_t *into = slot >= 0 ? doppel_ring_pixels(ring, (uint32_t)slot) : draw->sync->frame;
	const uint64_t start = doppel_clock_ns();
	*fingerprint = doppel_copy_rows(into, draw->pixels, draw->linesize, &filter->geometry);
	draw->turn.sample.copy_ns += (uint32_t)(doppel_clock_ns() - start);
	return slot;
}

/* Takes the frame in: ids, time, the worker. `due`: the held picture has just become the one to show. */
static void take_in(struct doppel_draw *draw, const struct obs_source_frame *frame, bool *due)
{
	struct doppel_filter *filter = draw->filter;
	struct doppel_sync *sync = draw->sync;
	uint64_t fingerprint;
	const int32_t slot = copy_frame(draw, &fingerprint);
	filter->last_id++;
	if (fingerprint != sync->fingerprint)
		note_change(sync, filter->last_id);
	else if (filter->held_lane != NULL)
		filter->last_visible_ns = draw->now; /* hidden for long perhaps, but still the right picture */
	sync->fingerprint = fingerprint;

	const bool late = filter->late_result != 0;
	doppel_note_time(filter, frame, draw->now);
	filter->colour = srgb;
	const uint32_t delay = doppel_delay(filter);
	const uint64_t upto = filter->last_id > delay ? filter->last_id - delay : 0;
	*due = late && filter->held_lane != NULL;
	if (doppel_lane_fits(filter)) {
		*due = (upto > 0 && doppel_take_due(filter, upto)) || *due;
		if (slot >= 0 && wants_it(filter, sync))
			doppel_submit(filter, (uint32_t)slot, sync->staged_ns);
	}
	/* Not due, but right: the source has not changed since. */
	draw->counts = *due || filter->held_lane == NULL || filter->last_shown_id < change_due(sync, upto);
	if (!draw->counts)
		*due = true;
}

/* What is to be shown is chosen, and made where it has to be. */
static void put(struct doppel_draw *draw, bool due)
{
	struct doppel_filter *filter = draw->filter;
	struct doppel_sync *sync = draw->sync;
	const bool changed = sync->changes[0] == filter->last_id;
	const enum doppel_picture before = sync->shown;
	const uint64_t before_id = sync->shown_id;
	sync->shown_id = 0;
	sync->flat = false;
	switch (doppel_choose(filter, &draw->turn, due)) {
	case DOPPEL_SHOW_ORIGINAL:
		sync->shown = DOPPEL_PICTURE_RAW;
		break;
	case DOPPEL_SHOW_HELD:
		sync->shown = DOPPEL_PICTURE_JUDGED;
		sync->shown_id = draw->turn.sample.shown_id;
		draw->uploads = before != DOPPEL_PICTURE_JUDGED || before_id != sync->shown_id;
		break;
	case DOPPEL_SHOW_SLATE:
		sync->shown = draw->turn.panic ? DOPPEL_PICTURE_PANIC : DOPPEL_PICTURE_COVER;
		draw->uploads = sync->other_cover = true;
		break;
	case DOPPEL_SHOW_MOSAIC:
		sync->shown = draw->turn.panic ? DOPPEL_PICTURE_PANIC : DOPPEL_PICTURE_COVER;
		draw->uploads = changed || sync->shown != before || sync->other_cover;
		sync->other_cover = false;
		if (!draw->uploads)
			break;
		doppel_copy_rows(sync->frame, draw->pixels, draw->linesize, &filter->geometry);
		doppel_mosaic((uint8_t *[DOPPEL_MAX_PLANES]){sync->frame}, &filter->geometry);
		draw->turn.picture = sync->frame;
		break;
	}
	draw->counts = draw->counts || draw->turn.panic;
}

void doppel_sync_take_frame(struct doppel_draw *draw)
{
	struct doppel_filter *filter = draw->filter;
	struct doppel_sync *sync = draw->sync;
	const struct obs_source_frame frame = {
		.data = {draw->pixels},
		.linesize = {4 * sync->surface.width},
		.width = sync->surface.width,
		.height = sync->surface.height,
		.timestamp = sync->staged_time,
		.format = BGRA,
	};
	doppel_lock(&filter->lock);
	doppel_take_incoming(filter, false);
	if (doppel_note_geometry(filter, &frame) == DOPPEL_EDITABLE &&
	    room_for_frame(sync, filter->geometry.frame_bytes)) {
		bool due;
		take_in(draw, &frame, &due);
		put(draw, due);
	} else {
		sync->shown = DOPPEL_PICTURE_NONE;
	}
	doppel_publish_ring(filter);
	doppel_unlock(&filter->lock);
}

void doppel_sync_take_outcome(struct doppel_draw *draw, uint32_t outcome)
{
	struct doppel_filter *filter = draw->filter;
	doppel_lock(&filter->lock);
	filter->last_id++;
	draw->turn.sample.outcome = outcome;
	doppel_record(filter, &draw->turn);
	doppel_unlock(&filter->lock);
}

void doppel_sync_cover_without_frame(struct doppel_draw *draw)
{
	struct doppel_filter *filter = draw->filter;
	struct doppel_sync *sync = draw->sync;
	bool made = false;
	doppel_lock(&filter->lock);
	const struct doppel_lane *lane = doppel_held_showable(filter) ? filter->held_lane : NULL;
	if (lane != NULL && lane->ring->geometry.width == sync->surface.width &&
	    lane->ring->geometry.height == sync->surface.height &&
	    room_for_frame(sync, lane->ring->geometry.frame_bytes)) {
		memcpy(sync->frame, doppel_ring_pixels(lane->ring, filter->held_slot), (size_t)sync->frame_bytes);
		doppel_mosaic((uint8_t *[DOPPEL_MAX_PLANES]){sync->frame}, &lane->ring->geometry);
		made = sync->other_cover = true;
	}
	doppel_unlock(&filter->lock);
	if (made)
		doppel_surface_upload(&sync->surface, sync->frame);
	sync->shown = made ? DOPPEL_PICTURE_COVER : DOPPEL_PICTURE_NONE;
}
