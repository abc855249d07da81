/* What becomes of one frame, the same for both kinds of filter: which picture goes out, and what is noted of it.
 * Everything here is called under filter->lock.
 *
 *   - the newest result that is due: id <= N - D and newer than the one shown before (so in order, each once);
 *   - nothing due: the picture shown last, for hold_ns after results first went missing;
 *   - then the cover. (Panic: the cover at once. Paused, or "show original": N as it is.)
 *
 * The picture shown last stays in its slot (HELD, ours) so that it can be shown again without another copy per frame.
 */
#include "gate_internal.h"

#include <string.h>

#define MS UINT64_C(1000000)
#define DEFAULT_HOLD_NS (500 * MS)
#define DEFAULT_DELAY 2u

/* ---- life --------------------------------------------------------------------------------------------------- */

void doppel_filter_begin(struct doppel_filter *filter, void *source)
{
	filter->source = source;
	filter->weak = doppel_libobs.obs_source_get_weak_source(source);
	atomic_store(&filter->hold_ns, DEFAULT_HOLD_NS);
	atomic_store(&filter->delay_wanted, DEFAULT_DELAY);
	atomic_store(&filter->settings_serial, 1);
	doppel_filter_enlist(filter);
	doppel_signals_connect_filter(filter);
}

void doppel_filter_end(struct doppel_filter *filter)
{
	doppel_signals_disconnect_filter(filter);
	doppel_hotkeys_end(filter);
	doppel_filter_retire(filter);
}

void doppel_filter_update(void *data, void *settings)
{
	(void)settings;
	struct doppel_filter *filter = data;
	atomic_fetch_add(&filter->settings_serial, 1);
}

/* ---- drawing ------------------------------------------------------------------------------------------------ */

/* What obs_source_skip_video_filter does, and libobs's own filters into their textures; but with the parent that was asked
 * for once: a filter that is removed meanwhile (on another thread, without the graphics mutex) has none any more, and
 * obs_source_skip_video_filter would read through NULL. The parent lives: it is being drawn. */
void doppel_draw_target(void *parent, void *target)
{
	const uint32_t flags = doppel_libobs.obs_source_get_output_flags(parent);
	if (target == parent && (flags & (OBS_FLAG_CUSTOM_DRAW | OBS_FLAG_ASYNC)) == 0)
		doppel_libobs.obs_source_default_render(target);
	else
		doppel_libobs.obs_source_video_render(target);
}

/* ---- one frame ---------------------------------------------------------------------------------------------- */

uint32_t doppel_clamp_ns(uint64_t later, uint64_t earlier)
{
	const uint64_t distance = later > earlier ? later - earlier : 0;
	return distance < UINT32_MAX ? (uint32_t)distance : UINT32_MAX;
}

uint32_t doppel_delay(struct doppel_filter *filter)
{
	const uint32_t slots = filter->lane != NULL ? filter->lane->ring->slot_count : DOPPEL_MAX_SLOTS;
	uint32_t delay = atomic_load_explicit(&filter->delay_wanted, memory_order_relaxed);
	delay = delay < 1 ? 1 : delay > slots - 3 ? slots - 3 : delay;
	atomic_store_explicit(&filter->delay_frames, delay + filter->readback_frames, memory_order_relaxed);
	return delay;
}

bool doppel_take_pause(struct doppel_filter *filter)
{
	if (!doppel_is_paused(filter)) {
		filter->was_paused = 0;
		return false;
	}
	if (filter->was_paused == 0)
		doppel_end_epoch(filter);
	filter->was_paused = 1;
	doppel_drop_held(filter);
	return true;
}

bool doppel_original_is_wanted(const struct doppel_filter *filter)
{
	return doppel_is_paused(filter) ||
	       (atomic_load_explicit(&filter->late_policy, memory_order_relaxed) == DOPPEL_LATE_ORIGINAL &&
		atomic_load_explicit(&filter->panic, memory_order_relaxed) == 0);
}

static enum doppel_show cover(const struct doppel_filter *filter, struct doppel_turn *turn)
{
	turn->sample.outcome = DOPPEL_OUT_COVERED;
	turn->picture = NULL;
	if (atomic_load_explicit(&filter->use_slate, memory_order_relaxed) != 0 && doppel_lane_fits(filter))
		turn->picture = doppel_ring_slate(filter->lane->ring);
	return turn->picture != NULL ? DOPPEL_SHOW_SLATE : DOPPEL_SHOW_MOSAIC;
}

static enum doppel_show show_held(struct doppel_filter *filter, struct doppel_turn *turn, uint32_t outcome)
{
	const struct doppel_ring *ring = filter->held_lane->ring;
	const struct doppel_ring_slot *slot = &ring->slots[filter->held_slot];
	doppel_ring_shown(ring, filter->held_slot, turn->now);
	turn->picture = doppel_ring_pixels(ring, filter->held_slot);
	turn->colour = &slot->colour;
	turn->rgb = doppel_ring_rgb(ring, filter->held_slot);
	turn->sample.outcome = outcome;
	turn->sample.shown_id = slot->frame_id;
	turn->sample.delay_ns = doppel_clamp_ns(turn->now, slot->capture_ns);
	turn->sample.turnaround_ns =
		doppel_clamp_ns(doppel_ring_done_ns(ring, filter->held_slot), slot->submit_ns);
	return DOPPEL_SHOW_HELD;
}

static enum doppel_show nothing_due(struct doppel_filter *filter, struct doppel_turn *turn)
{
	if (filter->missing_since_ns == 0)
		filter->missing_since_ns = turn->now;
	const uint32_t policy = atomic_load_explicit(&filter->late_policy, memory_order_relaxed);
	const uint64_t hold = atomic_load_explicit(&filter->hold_ns, memory_order_relaxed);
	if (policy == DOPPEL_LATE_ORIGINAL) {
		turn->sample.outcome = DOPPEL_OUT_ORIGINAL;
		return DOPPEL_SHOW_ORIGINAL;
	}
	if (policy == DOPPEL_LATE_HOLD && turn->now - filter->missing_since_ns > hold)
		doppel_drop_held(filter);
	if (policy == DOPPEL_LATE_HOLD && doppel_held_showable(filter))
		return show_held(filter, turn, DOPPEL_OUT_HELD);
	return cover(filter, turn);
}

static const uint32_t outcome_of_verdict[] = {
	[DOPPEL_VERDICT_SWAPPED] = DOPPEL_OUT_SWAPPED,
	[DOPPEL_VERDICT_BLURRED] = DOPPEL_OUT_BLURRED,
	[DOPPEL_VERDICT_NO_FACE] = DOPPEL_OUT_NO_FACE,
	[DOPPEL_VERDICT_ORIGINAL] = DOPPEL_OUT_ORIGINAL,
};

enum doppel_show doppel_choose(struct doppel_filter *filter, struct doppel_turn *turn, bool due)
{
	turn->panic = atomic_load_explicit(&filter->panic, memory_order_relaxed) != 0;
	if (turn->panic || (due && !doppel_held_showable(filter)))
		return cover(filter, turn);
	if (!due)
		return nothing_due(filter, turn);
	if (filter->held_verdict == DOPPEL_VERDICT_SWAPPED &&
	    atomic_load_explicit(&filter->first_swapped_ns, memory_order_relaxed) == 0)
		atomic_store_explicit(&filter->first_swapped_ns, turn->now, memory_order_relaxed);
	return show_held(filter, turn, outcome_of_verdict[filter->held_verdict]);
}

void doppel_record(struct doppel_filter *filter, struct doppel_turn *turn)
{
	turn->sample.frame_id = filter->last_id;
	const uint64_t n = atomic_load_explicit(&filter->sample_count, memory_order_relaxed);
	struct doppel_sample_cell *cell = &filter->samples[n % DOPPEL_SAMPLES];
	uint64_t words[DOPPEL_SAMPLE_WORDS];
	memcpy(words, &turn->sample, sizeof words);
	atomic_exchange_explicit(&cell->sequence, 2 * n + 1, memory_order_acq_rel);
	for (unsigned i = 0; i < DOPPEL_SAMPLE_WORDS; i++)
		atomic_store_explicit(&cell->words[i], words[i], memory_order_release);
	atomic_store_explicit(&cell->sequence, 2 * n + 2, memory_order_release);
	atomic_store_explicit(&filter->sample_count, n + 1, memory_order_release);
	doppel_count(&filter->outcomes[turn->sample.outcome]);
}
