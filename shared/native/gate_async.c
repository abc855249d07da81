/* The frame path of the async filter: filter_video for every new frame of the source, video_tick in between.
 *
 * filter_video(N) edits libobs's own frame in place and returns it, with N's own time stamp. First N's pixels go into a
 * free slot and to the worker; then one of these comes over them:
 *
 *   - the newest result that is due: id <= N - D and newer than the one shown before (so in order, each once);
 *   - nothing due: the picture shown last, for hold_ns after results first went missing;
 *   - then the cover. (Panic: the cover at once. Paused, or "show original": N as it is.)
 *
 * The picture shown last stays in its slot (HELD, ours) so that it can be shown again without a third copy per frame.
 * When the source stops sending (paused, a still), gate_idle.c sees to its last frame.
 */
#include "gate_internal.h"

#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)
#define DEFAULT_HOLD_NS (500 * MS)
#define DEFAULT_DELAY 2u

/* ---- life --------------------------------------------------------------------------------------------------- */

void *doppel_async_create(void *settings, void *source)
{
	(void)settings;
	struct doppel_filter *filter = calloc(1, sizeof *filter);
	if (filter == NULL)
		return NULL;
	filter->source = source;
	filter->weak = doppel_libobs.obs_source_get_weak_source(source);
	atomic_store(&filter->hold_ns, DEFAULT_HOLD_NS);
	atomic_store(&filter->delay_wanted, DEFAULT_DELAY);
	atomic_store(&filter->settings_serial, 1);
	doppel_filter_enlist(filter);
	doppel_signals_connect_filter(filter);
	return filter;
}

void doppel_async_destroy(void *data)
{
	struct doppel_filter *filter = data;
	doppel_signals_disconnect_filter(filter);
	doppel_hotkeys_end(filter);
	doppel_filter_retire(filter);
}

void doppel_async_update(void *data, void *settings)
{
	(void)settings;
	struct doppel_filter *filter = data;
	atomic_fetch_add(&filter->settings_serial, 1);
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

static uint32_t effective_delay(struct doppel_filter *filter)
{
	const uint32_t slots = filter->lane != NULL ? filter->lane->ring->slot_count : DOPPEL_MAX_SLOTS;
	uint32_t delay = atomic_load_explicit(&filter->delay_wanted, memory_order_relaxed);
	delay = delay < 1 ? 1 : delay > slots - 3 ? slots - 3 : delay;
	atomic_store_explicit(&filter->delay_frames, delay, memory_order_relaxed);
	return delay;
}

/* ---- one frame ---------------------------------------------------------------------------------------------- */

struct call {
	struct obs_source_frame *frame;
	uint64_t now;
	struct doppel_sample sample;
};

static void timed_copy_out(const struct doppel_filter *filter, struct call *call, const uint8_t *from)
{
	const uint64_t start = doppel_clock_ns();
	doppel_copy_out(call->frame->data, from, &filter->geometry);
	call->sample.copy_ns += (uint32_t)(doppel_clock_ns() - start);
}

static uint32_t clamp_ns(uint64_t later, uint64_t earlier)
{
	const uint64_t distance = later > earlier ? later - earlier : 0;
	return distance < UINT32_MAX ? (uint32_t)distance : UINT32_MAX;
}

static void keep_original(struct doppel_filter *filter, struct call *call)
{
	filter->frame_picture = DOPPEL_PICTURE_RAW;
	call->sample.outcome = DOPPEL_OUT_ORIGINAL;
}

static void cover(struct doppel_filter *filter, struct call *call)
{
	const uint8_t *slate = atomic_load_explicit(&filter->use_slate, memory_order_relaxed) != 0 && doppel_lane_fits(filter)
				       ? doppel_ring_slate(filter->lane->ring)
				       : NULL;
	if (slate != NULL) {
		timed_copy_out(filter, call, slate);
		call->frame->flip = false;
	} else {
		doppel_mosaic(call->frame->data, &filter->geometry);
	}
	filter->frame_picture = DOPPEL_PICTURE_COVER;
	call->sample.outcome = DOPPEL_OUT_COVERED;
}

static void show_held(struct doppel_filter *filter, struct call *call, uint32_t outcome)
{
	const struct doppel_ring *ring = filter->held_lane->ring;
	const struct doppel_ring_slot *slot = &ring->slots[filter->held_slot];
	timed_copy_out(filter, call, doppel_ring_pixels(ring, filter->held_slot));
	write_colour(call->frame, &slot->colour);
	doppel_ring_shown(ring, filter->held_slot, call->now);
	filter->frame_picture = DOPPEL_PICTURE_JUDGED;
	call->sample.outcome = outcome;
	call->sample.shown_id = slot->frame_id;
	call->sample.delay_ns = clamp_ns(call->now, slot->capture_ns);
	call->sample.turnaround_ns = clamp_ns(doppel_ring_done_ns(ring, filter->held_slot), slot->submit_ns);
}

static void send(struct doppel_filter *filter, struct call *call)
{
	struct doppel_ring *ring = filter->lane->ring;
	const int32_t slot = doppel_ring_acquire(ring);
	if (slot < 0)
		return; /* every slot is in the worker's hands: this frame goes unjudged, so unshown */
	const uint64_t start = doppel_clock_ns();
	doppel_copy_in(doppel_ring_pixels(ring, (uint32_t)slot), call->frame->data, &filter->geometry);
	call->sample.copy_ns += (uint32_t)(doppel_clock_ns() - start);
	doppel_submit(filter, (uint32_t)slot, call->now);
}

static void nothing_due(struct doppel_filter *filter, struct call *call)
{
	if (filter->missing_since_ns == 0)
		filter->missing_since_ns = call->now;
	const uint32_t policy = atomic_load_explicit(&filter->late_policy, memory_order_relaxed);
	const uint64_t hold = atomic_load_explicit(&filter->hold_ns, memory_order_relaxed);
	if (policy == DOPPEL_LATE_ORIGINAL) {
		keep_original(filter, call);
		return;
	}
	if (policy == DOPPEL_LATE_HOLD && call->now - filter->missing_since_ns > hold)
		doppel_drop_held(filter);
	if (policy == DOPPEL_LATE_HOLD && doppel_held_showable(filter))
		show_held(filter, call, DOPPEL_OUT_HELD);
	else
		cover(filter, call);
}

static const uint32_t outcome_of_verdict[] = {
	[DOPPEL_VERDICT_SWAPPED] = DOPPEL_OUT_SWAPPED,
	[DOPPEL_VERDICT_BLURRED] = DOPPEL_OUT_BLURRED,
	[DOPPEL_VERDICT_NO_FACE] = DOPPEL_OUT_NO_FACE,
	[DOPPEL_VERDICT_ORIGINAL] = DOPPEL_OUT_ORIGINAL,
};

static void edit(struct doppel_filter *filter, struct call *call)
{
	read_colour(&filter->colour, call->frame);
	if (doppel_is_paused(filter)) {
		if (filter->was_paused == 0)
			doppel_end_epoch(filter);
		filter->was_paused = 1;
		doppel_drop_held(filter);
		doppel_keep_for_later(filter, call->frame); /* the pause may end after the last frame has come */
		keep_original(filter, call);
		return;
	}
	filter->was_paused = 0;
	const uint32_t delay = effective_delay(filter);
	bool due = false;
	if (doppel_lane_fits(filter)) {
		filter->stash_id = 0;
		due = filter->last_id > delay && doppel_take_due(filter, filter->last_id - delay);
		send(filter, call);
	} else {
		doppel_keep_for_later(filter, call->frame);
	}
	if (atomic_load_explicit(&filter->panic, memory_order_relaxed) != 0) {
		cover(filter, call);
		filter->frame_picture = DOPPEL_PICTURE_PANIC;
	} else if (due && !doppel_held_showable(filter)) {
		cover(filter, call);
	} else if (due) {
		show_held(filter, call, outcome_of_verdict[filter->held_verdict]);
		if (filter->held_verdict == DOPPEL_VERDICT_SWAPPED &&
		    atomic_load_explicit(&filter->first_swapped_ns, memory_order_relaxed) == 0)
			atomic_store_explicit(&filter->first_swapped_ns, call->now, memory_order_relaxed);
	} else {
		nothing_due(filter, call);
	}
}

/* For frames that cannot be judged at all. */
static bool original_is_wanted(const struct doppel_filter *filter)
{
	return doppel_is_paused(filter) ||
	       (atomic_load_explicit(&filter->late_policy, memory_order_relaxed) == DOPPEL_LATE_ORIGINAL &&
		atomic_load_explicit(&filter->panic, memory_order_relaxed) == 0);
}

static void record(struct doppel_filter *filter, struct call *call)
{
	call->sample.frame_id = filter->last_id;
	call->sample.total_ns = clamp_ns(doppel_clock_ns(), call->now);
	const uint64_t n = atomic_load_explicit(&filter->sample_count, memory_order_relaxed);
	struct doppel_sample_cell *cell = &filter->samples[n % DOPPEL_SAMPLES];
	uint64_t words[DOPPEL_SAMPLE_WORDS];
	memcpy(words, &call->sample, sizeof words);
	atomic_exchange_explicit(&cell->sequence, 2 * n + 1, memory_order_acq_rel);
	for (unsigned i = 0; i < DOPPEL_SAMPLE_WORDS; i++)
		atomic_store_explicit(&cell->words[i], words[i], memory_order_release);
	atomic_store_explicit(&cell->sequence, 2 * n + 2, memory_order_release);
	atomic_store_explicit(&filter->sample_count, n + 1, memory_order_release);
	doppel_count(&filter->outcomes[call->sample.outcome]);
}

struct obs_source_frame *doppel_async_filter_video(void *data, struct obs_source_frame *frame)
{
	struct doppel_filter *filter = data;
	struct call call = {.frame = frame, .now = doppel_clock_ns()};
	const uint64_t video_time = doppel_libobs.obs_get_video_frame_time();
	const struct doppel_neighbours neighbours = doppel_neighbours_of(filter);
	atomic_store_explicit(&filter->filters_after, neighbours.after, memory_order_relaxed);

	doppel_lock(&filter->lock);
	filter->last_id++;
	filter->frame_video_time = video_time;
	filter->frame_suspicion = atomic_load_explicit(&filter->suspicion, memory_order_acquire);
	filter->frame_picture = DOPPEL_PICTURE_NONE;
	filter->frame_neighbours = neighbours;
	doppel_take_incoming(filter, false);
	doppel_note_time(filter, frame, call.now);
	switch (doppel_note_geometry(filter, frame)) {
	case DOPPEL_EDITABLE:
		edit(filter, &call);
		break;
	case DOPPEL_ONLY_COVER:
		if (original_is_wanted(filter)) {
			keep_original(filter, &call);
			break;
		}
		doppel_flat(frame->data, frame->linesize, frame->format, frame->height);
		filter->frame_picture = DOPPEL_PICTURE_COVER;
		call.sample.outcome = DOPPEL_OUT_COVERED;
		break;
	case DOPPEL_UNKNOWN_SIZE:
		if (original_is_wanted(filter))
			keep_original(filter, &call);
		else
			call.sample.outcome = DOPPEL_OUT_DROPPED;
		break;
	}
	doppel_publish_ring(filter);
	record(filter, &call);
	doppel_unlock(&filter->lock);

	if (call.sample.outcome == DOPPEL_OUT_DROPPED) {
		doppel_libobs.obs_source_release_frame(doppel_libobs.obs_filter_get_parent(filter->source), frame);
		return NULL;
	}
	return frame;
}
