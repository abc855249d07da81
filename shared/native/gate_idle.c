/* A source that sends nothing: paused, or a still. video_tick sees to its last frame.
 *
 * The frame that came last is all there is, and it must be possible to judge it again: when the worker's settings or
 * persona have changed (the worker says so by `again`), and by a new worker. libobs's own copy was edited in place and
 * so was the slot. Its original lies
 *
 *   - in `stash`, our own memory, where there was no lane for it, or where its lane is gone by now;
 *   - else in the segment's kept area, where the worker puts each frame before it edits it. This costs the graphics
 *     thread nothing while frames flow, and of the segment only pixels are taken, which are judged like any others.
 *
 * A frame that is submitted again has a new id, larger than all before, so its result is newer than the one shown.
 * The result is taken as soon as it is there, whatever the delay, and gate_render.c puts it into the texture.
 */
#include "gate_internal.h"

#include <stdlib.h>
#include <string.h>

/* The room is made with the first such frame of a geometry, the one allocation that happens while frames flow. */
static bool room_for_stash(struct doppel_filter *filter)
{
	if (filter->stash == NULL) {
		filter->stash = malloc((size_t)filter->geometry.frame_bytes);
		filter->stash_bytes = filter->geometry.frame_bytes;
	}
	return filter->stash != NULL && filter->stash_bytes == filter->geometry.frame_bytes;
}

void doppel_keep_for_later(struct doppel_filter *filter, const struct obs_source_frame *frame)
{
	filter->stash_id = filter->sent_id = 0;
	if (!room_for_stash(filter))
		return;
	doppel_copy_in(filter->stash, frame->data, &filter->geometry);
	filter->stash_id = filter->last_id;
	filter->stash_unsent = true;
}

void doppel_submit(struct doppel_filter *filter, uint32_t slot, uint64_t capture_ns)
{
	struct doppel_ring *ring = filter->lane->ring;
	/* Asked before this one was there: then this is the answer. */
	filter->again_seen = doppel_ring_again(ring);
	doppel_ring_submit(ring, slot, filter->last_id, filter->last_timestamp, capture_ns, filter->epoch,
			   &filter->colour);
	filter->sent_id = filter->last_id;
	doppel_count(&filter->submitted);
}

/* Only while there is a lane that fits, under its geometry. */
const uint8_t *doppel_original(const struct doppel_filter *filter)
{
	if (filter->stash_id != 0)
		return filter->stash;
	return doppel_ring_quiet(filter->lane->ring) ? doppel_ring_kept(filter->lane->ring, filter->sent_id) : NULL;
}

/* The lane is about to go, and perhaps no other frame will ever come. What its worker had begun and not yet kept is
 * lost; the picture shown last stays then. */
void doppel_salvage(struct doppel_filter *filter)
{
	if (filter->stash_id != 0 || !doppel_lane_fits(filter))
		return;
	struct doppel_ring *ring = filter->lane->ring;
	const int32_t slot = doppel_ring_take_back(ring, filter->sent_id);
	const uint8_t *pixels = slot >= 0 ? doppel_ring_pixels(ring, (uint32_t)slot)
					  : doppel_ring_kept(ring, filter->sent_id);
	if (pixels == NULL || !room_for_stash(filter))
		return;
	memcpy(filter->stash, pixels, (size_t)filter->stash_bytes);
	filter->stash_id = filter->sent_id;
	filter->stash_unsent = true;
}

/* Where nobody has judged the last frame yet, or its worker would judge it differently by now. */
static void submit_again(struct doppel_filter *filter, uint64_t now)
{
	struct doppel_ring *ring = filter->lane->ring;
	const bool unsent = filter->stash_id != 0 && filter->stash_unsent;
	if (!unsent && (doppel_ring_again(ring) == filter->again_seen || !doppel_ring_quiet(ring)))
		return;
	const uint8_t *original = doppel_original(filter);
	const int32_t slot = original != NULL ? doppel_ring_acquire(ring) : -1;
	if (slot < 0)
		return;
	memcpy(doppel_ring_pixels(ring, (uint32_t)slot), original, (size_t)filter->geometry.frame_bytes);
	filter->last_id++;
	if (filter->stash_id != 0)
		filter->stash_id = filter->last_id;
	filter->stash_unsent = false;
	doppel_submit(filter, (uint32_t)slot, now);
	doppel_count(&filter->judged_again);
}

void doppel_tick_idle(struct doppel_filter *filter, uint64_t now)
{
	if (!doppel_lane_fits(filter))
		return;
	doppel_ring_harvest(filter->lane->ring);
	if (!doppel_is_idle(filter, now))
		return;
	submit_again(filter, now);
	if (doppel_take_due(filter, filter->last_id))
		filter->late_result = 1;
}

void doppel_async_video_tick(void *data, float seconds)
{
	(void)seconds;
	struct doppel_filter *filter = data;
	doppel_signals_follow_parent(filter);
	const uint64_t now = doppel_clock_ns(), video_time = doppel_libobs.obs_get_video_frame_time();
	doppel_lock(&filter->lock);
	doppel_note_tick(filter, video_time);
	doppel_take_incoming(filter, true);
	doppel_tick_idle(filter, now);
	doppel_publish_ring(filter);
	doppel_unlock(&filter->lock);
}
