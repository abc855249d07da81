/* What the source does: the size and kind of its frames, and their time. Called under filter->lock.
 *
 * An epoch ends where the source's time stamps jump, the geometry changes or the filter was off: results of frames
 * before it are never shown, the held picture may be.
 */
#include "gate_internal.h"

#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)
#define JUMP_NS (2000 * MS) /* libobs's own limit (MAX_TS_VAR) for "time stamps jumped" */
#define IDLE_NS (100 * MS)
#define LONGEST_IDLE_NS (400 * MS) /* so that the result of the last frame is shown within a second */

static bool same_geometry(const struct doppel_geometry *known, const struct obs_source_frame *frame)
{
	if (known->width == 0 || known->pixel_format != frame->format || known->width != frame->width ||
	    known->height != frame->height)
		return false;
	for (uint32_t p = 0; p < known->plane_count; p++)
		if (known->linesize[p] != frame->linesize[p])
			return false;
	return true;
}

static void publish_geometry(struct doppel_filter *filter, const struct doppel_geometry *geometry)
{
	uint64_t words[DOPPEL_GEOMETRY_WORDS];
	memcpy(words, geometry, sizeof words);
	atomic_fetch_add_explicit(&filter->geometry_sequence, 1, memory_order_acq_rel);
	for (unsigned i = 0; i < DOPPEL_GEOMETRY_WORDS; i++)
		atomic_store_explicit(&filter->geometry_words[i], words[i], memory_order_release);
	/* Released: whoever sees it sees that the sequence is odd, and does not take it with the numbers before. */
	atomic_store_explicit(&filter->geometry_serial,
			      atomic_load_explicit(&filter->geometry_serial, memory_order_relaxed) + 1,
			      memory_order_release);
	atomic_fetch_add_explicit(&filter->geometry_sequence, 1, memory_order_release);
}

/* What this frame is; takes note of a new geometry. */
enum doppel_suitability doppel_note_geometry(struct doppel_filter *filter, const struct obs_source_frame *frame)
{
	const struct doppel_format *format = doppel_format(frame->format);
	const uint32_t planes = format != NULL ? format->plane_count : 0;
	enum doppel_suitability suitability = planes == 0 || frame->height == 0 ? DOPPEL_UNKNOWN_SIZE : DOPPEL_EDITABLE;
	for (uint32_t p = 0; p < planes; p++)
		if (frame->data[p] == NULL || frame->linesize[p] == 0)
			suitability = DOPPEL_UNKNOWN_SIZE;
	if (suitability == DOPPEL_EDITABLE && same_geometry(&filter->geometry, frame))
		return DOPPEL_EDITABLE;

	struct doppel_geometry seen = {.pixel_format = frame->format, .width = frame->width, .height = frame->height};
	memcpy(seen.linesize, frame->linesize, sizeof seen.linesize);
	const bool editable = suitability == DOPPEL_EDITABLE && doppel_geometry_complete(&seen) == 0;
	if (!editable) {
		seen = (struct doppel_geometry){0};
		if (suitability == DOPPEL_EDITABLE)
			suitability = DOPPEL_ONLY_COVER;
	}
	atomic_store_explicit(&filter->unsupported_format, editable ? 0 : frame->format == 0 ? UINT32_MAX : frame->format,
			      memory_order_relaxed);
	if (editable || filter->geometry.width != 0) {
		const bool first = filter->geometry.width == 0 && filter->held_lane == NULL && filter->lane == NULL;
		filter->geometry = seen;
		publish_geometry(filter, &seen);
		doppel_drop_held(filter);
		if (!first)
			doppel_end_epoch(filter);
		free(filter->stash); /* of another size; rare: with a new geometry only */
		filter->stash = NULL;
	}
	return suitability;
}

void doppel_note_time(struct doppel_filter *filter, const struct obs_source_frame *frame, uint64_t now)
{
	const uint64_t last = filter->last_timestamp, stamp = frame->timestamp;
	const bool first = filter->last_frame_ns == 0;
	if (first)
		atomic_store_explicit(&filter->first_frame_ns, now, memory_order_relaxed);
	const uint32_t enables = atomic_load_explicit(&filter->enables, memory_order_acquire);
	const bool jumped = !first && (stamp < last || stamp - last > JUMP_NS);
	if (jumped || enables != filter->enables_seen)
		doppel_end_epoch(filter);
	else if (!first && stamp > last) {
		const uint64_t step = stamp - last;
		const uint64_t smooth = atomic_load_explicit(&filter->frame_interval_ns, memory_order_relaxed);
		atomic_store_explicit(&filter->frame_interval_ns, smooth == 0 ? step : smooth - smooth / 8 + step / 8,
				      memory_order_relaxed);
	}
	/* A picture that nobody has seen for longer than hold_ns is not "the last picture" any more. */
	const uint64_t seen = filter->last_visible_ns > filter->last_frame_ns ? filter->last_visible_ns
									      : filter->last_frame_ns;
	const uint64_t hold = atomic_load_explicit(&filter->hold_ns, memory_order_relaxed);
	/* A screenshot's draw may have been "seen" after our `now` was taken, while we waited for the lock. */
	const uint64_t unseen = now > seen ? now - seen : 0;
	if (unseen > hold && unseen > IDLE_NS)
		doppel_drop_held(filter);
	filter->enables_seen = enables;
	filter->last_timestamp = stamp;
	filter->last_frame_ns = now;
	filter->late_result = 0;
	atomic_store_explicit(&filter->published_frame_ns, now, memory_order_relaxed);
}

bool doppel_is_paused(const struct doppel_filter *filter)
{
	return (atomic_load(&filter->paused) != 0 || atomic_load(&filter->hotkeys.original) != 0) &&
	       atomic_load(&filter->panic) == 0;
}

bool doppel_is_idle(const struct doppel_filter *filter, uint64_t now)
{
	const uint64_t interval = atomic_load_explicit(&filter->frame_interval_ns, memory_order_relaxed);
	const uint64_t patience = 3 * interval > IDLE_NS ? 3 * interval : IDLE_NS;
	const uint64_t limit = patience < LONGEST_IDLE_NS ? patience : LONGEST_IDLE_NS;
	/* A frame may have come after a draw's `now` was taken, while it waited for the lock. */
	return filter->last_frame_ns != 0 && now > filter->last_frame_ns && now - filter->last_frame_ns > limit;
}
