/* The control plane's calls about one filter (gate.h): segments in and out, policy in, status and samples out.
 *
 * A lane enters the list `lanes` here, is handed to the frame path by the pointer `incoming`, comes back by its flag
 * `let_go`, and is freed here. An `incoming` that the frame path never took is replaced and comes back the same way.
 */
#include "gate_internal.h"

#include <stdlib.h>
#include <string.h>

struct doppel_lane doppel_no_lane;

/* ---- lanes -------------------------------------------------------------------------------------------------- */

void doppel_lane_free(struct doppel_lane *lane)
{
	doppel_ring_destroy(lane->ring);
	doppel_unmap(lane->base, lane->bytes);
	free(lane->upload);
	free(lane);
}

static struct doppel_lane *lane_create(int64_t handle, uint64_t bytes, const struct doppel_geometry *geometry,
				       uint32_t slot_count)
{
	struct doppel_lane *lane = calloc(1, sizeof *lane);
	if (lane == NULL)
		return NULL;
	lane->bytes = bytes;
	lane->base = doppel_map(handle, bytes);
	if (lane->base != NULL) {
		lane->ring = doppel_ring_create(lane->base, bytes, geometry, slot_count);
		lane->upload = malloc((size_t)geometry->frame_bytes);
		if (lane->ring != NULL && lane->upload != NULL) {
			memset(lane->upload, 0x80, (size_t)geometry->frame_bytes);
			return lane;
		}
		doppel_ring_destroy(lane->ring);
		free(lane->upload);
		doppel_unmap(lane->base, bytes);
	}
	free(lane);
	return NULL;
}

/* Hands the frame path a lane, or the word that there is none. */
static void hand_over(struct doppel_filter *filter, struct doppel_lane *lane)
{
	struct doppel_lane *untaken = atomic_exchange(&filter->incoming, lane);
	if (untaken != NULL && untaken != DOPPEL_NO_LANE)
		atomic_store(&untaken->let_go, 1);
}

/* Tells the workers of every lane so far that it is over. */
static void close_lanes(struct doppel_filter *filter)
{
	for (const struct doppel_lane *lane = filter->lanes; lane != NULL; lane = lane->next)
		doppel_ring_close(lane->ring);
}

bool doppel_geometry_snapshot(struct doppel_filter *filter, struct doppel_geometry *geometry, uint64_t *serial)
{
	uint64_t words[DOPPEL_GEOMETRY_WORDS];
	for (unsigned tries = 0; tries < 1000; tries++) {
		const uint32_t before = atomic_load_explicit(&filter->geometry_sequence, memory_order_acquire);
		for (unsigned i = 0; i < DOPPEL_GEOMETRY_WORDS; i++)
			words[i] = atomic_load_explicit(&filter->geometry_words[i], memory_order_acquire);
		*serial = atomic_load_explicit(&filter->geometry_serial, memory_order_acquire);
		if (before % 2 == 0 &&
		    atomic_load_explicit(&filter->geometry_sequence, memory_order_acquire) == before) {
			memcpy(geometry, words, sizeof *geometry);
			return true;
		}
		doppel_yield();
	}
	return false;
}

static int32_t attach(struct doppel_filter *filter, int64_t handle, uint64_t bytes, uint32_t slot_count,
		      uint64_t geometry_serial, uint64_t lane_serial)
{
	struct doppel_geometry geometry;
	uint64_t serial;
	if (!doppel_geometry_snapshot(filter, &geometry, &serial) || serial != geometry_serial || geometry.width == 0)
		return -3;
	const uint64_t needed = doppel_segment_bytes(&geometry, slot_count);
	if (needed == 0 || bytes < needed || bytes > SIZE_MAX / 2)
		return -3;
	struct doppel_lane *lane = lane_create(handle, bytes, &geometry, slot_count);
	if (lane == NULL)
		return -2;
	lane->serial = lane_serial;
	lane->geometry_serial = serial;
	doppel_lock(&filter->control);
	close_lanes(filter);
	lane->next = filter->lanes;
	filter->lanes = lane;
	hand_over(filter, lane);
	doppel_unlock(&filter->control);
	return 0;
}

int32_t doppel_gate_attach(uint64_t filter_id, int64_t handle, uint64_t bytes, uint32_t slot_count,
			   uint64_t geometry_serial, uint64_t lane_serial)
{
	struct doppel_filter *filter = doppel_filter_borrow(filter_id);
	if (filter == NULL)
		return -1;
	const int32_t result = attach(filter, handle, bytes, slot_count, geometry_serial, lane_serial);
	doppel_filter_return(filter);
	return result;
}

int32_t doppel_gate_detach(uint64_t filter_id)
{
	struct doppel_filter *filter = doppel_filter_borrow(filter_id);
	if (filter == NULL)
		return -1;
	doppel_lock(&filter->control);
	close_lanes(filter);
	hand_over(filter, DOPPEL_NO_LANE);
	doppel_unlock(&filter->control);
	doppel_filter_return(filter);
	return 0;
}

int32_t doppel_gate_collect(uint64_t filter_id)
{
	struct doppel_filter *filter = doppel_filter_borrow(filter_id);
	if (filter == NULL)
		return -1;
	int32_t held = 0;
	struct doppel_lane *done = NULL;
	doppel_lock(&filter->control);
	for (struct doppel_lane **at = &filter->lanes; *at != NULL;) {
		struct doppel_lane *lane = *at;
		if (atomic_load(&lane->let_go) != 0 && atomic_load(&lane->pins) == 0) {
			*at = lane->next;
			lane->next = done;
			done = lane;
		} else {
			held++;
			at = &lane->next;
		}
	}
	doppel_unlock(&filter->control);
	for (struct doppel_lane *next; done != NULL; done = next) {
		next = done->next;
		doppel_lane_free(done);
	}
	doppel_filter_return(filter);
	return held;
}

/* ---- policy ------------------------------------------------------------------------------------------------- */

int32_t doppel_gate_set_policy(uint64_t filter_id, const struct doppel_policy *policy)
{
	struct doppel_filter *filter = doppel_filter_borrow(filter_id);
	if (filter == NULL)
		return -1;
	const uint32_t late = policy->late_policy <= DOPPEL_LATE_ORIGINAL ? policy->late_policy : DOPPEL_LATE_COVER;
	const bool shows_more = policy->paused != 0 || late == DOPPEL_LATE_ORIGINAL;
	const bool showed_more = atomic_load(&filter->paused) != 0 ||
				 atomic_load(&filter->late_policy) == DOPPEL_LATE_ORIGINAL;
	atomic_store(&filter->late_policy, late);
	atomic_store(&filter->panic, policy->panic != 0);
	atomic_store(&filter->use_slate, policy->use_slate != 0);
	atomic_store(&filter->hold_ns, policy->hold_ns);
	atomic_store(&filter->delay_wanted, policy->delay_frames);
	atomic_store(&filter->paused, policy->paused != 0);
	if (showed_more && !shows_more) /* the texture may hold an original that was allowed until now */
		doppel_suspect(filter);
	doppel_filter_return(filter);
	return 0;
}

/* ---- status and samples ------------------------------------------------------------------------------------- */

static void read_status(struct doppel_filter *filter, struct doppel_gate_status *status)
{
	*status = (struct doppel_gate_status){0};
	if (!doppel_geometry_snapshot(filter, &status->geometry, &status->geometry_serial))
		status->geometry = (struct doppel_geometry){0};
	status->lane_state = atomic_load(&filter->lane_state);
	status->unsupported_format = atomic_load(&filter->unsupported_format);
	status->lane_serial = atomic_load(&filter->lane_serial);
	status->settings_serial = atomic_load(&filter->settings_serial);
	status->oldest_busy_ns = atomic_load(&filter->oldest_busy_ns);
	status->frame_interval_ns = atomic_load(&filter->frame_interval_ns);
	status->last_frame_ns = atomic_load(&filter->published_frame_ns);
	status->first_frame_ns = atomic_load(&filter->first_frame_ns);
	status->first_swapped_ns = atomic_load(&filter->first_swapped_ns);
	status->delay_frames = atomic_load(&filter->delay_frames);
	status->showing = atomic_load(&filter->showing);
	status->swapped = atomic_load(&filter->outcomes[DOPPEL_OUT_SWAPPED]);
	status->blurred = atomic_load(&filter->outcomes[DOPPEL_OUT_BLURRED]);
	status->no_face = atomic_load(&filter->outcomes[DOPPEL_OUT_NO_FACE]);
	status->original = atomic_load(&filter->outcomes[DOPPEL_OUT_ORIGINAL]);
	status->held = atomic_load(&filter->outcomes[DOPPEL_OUT_HELD]);
	status->covered = atomic_load(&filter->outcomes[DOPPEL_OUT_COVERED]);
	status->dropped = atomic_load(&filter->outcomes[DOPPEL_OUT_DROPPED]);
	/* The sum, not a counter of its own: so they add up at every moment. */
	status->frames_in = status->swapped + status->blurred + status->no_face + status->original + status->held +
			    status->covered + status->dropped;
	status->submitted = atomic_load(&filter->submitted);
	status->given_back = atomic_load(&filter->given_back);
	status->renders_blocked = atomic_load(&filter->renders_blocked);
	status->reuploads = atomic_load(&filter->reuploads);
	status->flushes = atomic_load(&filter->flushes);
	status->judged_again = atomic_load(&filter->judged_again);
	status->rgb_answers = atomic_load(&filter->rgb_answers);
	status->filters_after = atomic_load(&filter->filters_after);
	status->readback_frames = filter->readback_frames;
	status->passes_on = atomic_load(&filter->passes_on);
}

int32_t doppel_gate_get_status(uint64_t filter_id, struct doppel_gate_status *status)
{
	struct doppel_filter *filter = doppel_filter_borrow(filter_id);
	if (filter == NULL)
		return -1;
	read_status(filter, status);
	doppel_filter_return(filter);
	return 0;
}

static int32_t drain(struct doppel_filter *filter, struct doppel_sample *samples, int32_t max)
{
	const uint64_t count = atomic_load_explicit(&filter->sample_count, memory_order_acquire);
	if (count - filter->drained > DOPPEL_SAMPLES)
		filter->drained = count - DOPPEL_SAMPLES;
	int32_t read = 0;
	for (; filter->drained < count && read < max; filter->drained++) {
		struct doppel_sample_cell *cell = &filter->samples[filter->drained % DOPPEL_SAMPLES];
		uint64_t words[DOPPEL_SAMPLE_WORDS];
		const uint64_t whole = 2 * filter->drained + 2;
		if (atomic_load_explicit(&cell->sequence, memory_order_acquire) != whole)
			continue; /* overwritten meanwhile: lost */
		for (unsigned i = 0; i < DOPPEL_SAMPLE_WORDS; i++)
			words[i] = atomic_load_explicit(&cell->words[i], memory_order_acquire);
		if (atomic_load_explicit(&cell->sequence, memory_order_acquire) != whole)
			continue;
		memcpy(&samples[read++], words, sizeof words);
	}
	return read;
}

int32_t doppel_gate_drain(uint64_t filter_id, struct doppel_sample *samples, int32_t max)
{
	struct doppel_filter *filter = doppel_filter_borrow(filter_id);
	if (filter == NULL)
		return -1;
	const int32_t read = drain(filter, samples, max);
	doppel_filter_return(filter);
	return read;
}
