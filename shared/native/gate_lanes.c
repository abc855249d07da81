/* What the frame path does with lanes and results. Everything here is called under filter->lock.
 *
 * A filter knows at most two lanes: the one that frames go to (`lane`), and the one whose slot holds the picture that
 * may be shown again (`held_lane`), which is often the same. When it knows a lane no more it says so by `let_go`, and
 * the control thread unmaps it (gate_control.c).
 */
#include "gate_internal.h"

static void let_go_if_unused(const struct doppel_filter *filter, struct doppel_lane *lane)
{
	if (lane != NULL && lane != filter->lane && lane != filter->held_lane)
		atomic_store_explicit(&lane->let_go, 1, memory_order_release);
}

void doppel_drop_held(struct doppel_filter *filter)
{
	struct doppel_lane *lane = filter->held_lane;
	if (lane == NULL)
		return;
	doppel_ring_release(lane->ring, filter->held_slot);
	filter->held_lane = NULL;
	let_go_if_unused(filter, lane);
}

/* The lane's geometry serial, not its numbers: a source that changes there and back is another source. */
bool doppel_lane_fits(const struct doppel_filter *filter)
{
	return filter->lane != NULL && filter->geometry.width != 0 &&
	       filter->lane->geometry_serial == atomic_load_explicit(&filter->geometry_serial, memory_order_relaxed);
}

void doppel_publish_ring(struct doppel_filter *filter)
{
	const struct doppel_ring *ring = filter->lane != NULL ? filter->lane->ring : NULL;
	/* As of the last look at the ring: while OBS itself stands still, nobody sees that the worker has finished. */
	const uint64_t oldest = ring != NULL ? doppel_ring_oldest_ns(ring) : 0;
	atomic_store_explicit(&filter->oldest_busy_ns, oldest != 0 ? ring->harvested_ns - oldest : 0,
			      memory_order_relaxed);
	atomic_store_explicit(&filter->given_back, filter->given_back_before + (ring != NULL ? ring->given_back : 0),
			      memory_order_relaxed);
	atomic_store_explicit(&filter->lane_state,
			      filter->lane == NULL	 ? DOPPEL_LANE_NONE
			      : doppel_lane_fits(filter) ? DOPPEL_LANE_ACTIVE
							 : DOPPEL_LANE_STALE,
			      memory_order_relaxed);
	atomic_store_explicit(&filter->lane_serial, filter->lane != NULL ? filter->lane->serial : 0,
			      memory_order_relaxed);
}

void doppel_take_incoming(struct doppel_filter *filter, bool is_last)
{
	if (atomic_load_explicit(&filter->incoming, memory_order_relaxed) == NULL)
		return;
	struct doppel_lane *fresh = atomic_exchange_explicit(&filter->incoming, NULL, memory_order_acq_rel);
	if (fresh == NULL)
		return;
	if (is_last)
		doppel_salvage(filter);
	struct doppel_lane *old = filter->lane;
	filter->lane = fresh == DOPPEL_NO_LANE ? NULL : fresh;
	filter->stash_unsent = true;
	filter->sent_id = 0;
	if (old != NULL) {
		/* Whatever its worker has not shown is lost. */
		doppel_ring_flush(old->ring);
		for (uint32_t i = 0; i < old->ring->slot_count; i++)
			if (old->ring->slots[i].claim == DOPPEL_SENT)
				old->ring->given_back++;
		filter->given_back_before += old->ring->given_back;
		let_go_if_unused(filter, old);
	}
	doppel_publish_ring(filter);
}

void doppel_end_epoch(struct doppel_filter *filter)
{
	filter->epoch++;
	if (filter->lane != NULL)
		doppel_ring_flush(filter->lane->ring);
	filter->stash_id = 0;
	filter->late_result = 0;
	doppel_count(&filter->flushes);
}

bool doppel_held_showable(const struct doppel_filter *filter)
{
	return filter->held_lane != NULL && filter->held_verdict >= DOPPEL_VERDICT_SWAPPED &&
	       filter->held_verdict <= DOPPEL_VERDICT_ORIGINAL;
}

/* The newest result that may be shown now becomes the held picture. */
bool doppel_take_due(struct doppel_filter *filter, uint64_t upto)
{
	struct doppel_lane *lane = filter->lane;
	doppel_ring_harvest(lane->ring);
	const int32_t due = doppel_ring_due(lane->ring, filter->epoch, filter->last_shown_id, upto);
	if (due < 0)
		return false;
	doppel_drop_held(filter);
	filter->held_lane = lane;
	filter->held_slot = (uint32_t)due;
	filter->last_shown_id = lane->ring->slots[due].frame_id;
	filter->missing_since_ns = 0;
	filter->held_verdict = doppel_ring_verdict(lane->ring, filter->held_slot);
	return true;
}
