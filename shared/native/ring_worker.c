/* The worker's side of the ring (ring.h). The worker trusts the gate, which is OBS, but for what doppel_worker_open()
 * checks once; indices and counts are bounded all the same.
 */
#include "platform.h"
#include "rgb.h"
#include "ring_words.h"

#include <stdbool.h>
#include <string.h>

int32_t doppel_worker_open(void *base, uint64_t bytes)
{
	if (base == NULL || bytes < DOPPEL_HEADER_BYTES)
		return DOPPEL_OPEN_SIZES;
	const struct doppel_segment_header *header = header_of(base);
	if (header->magic != DOPPEL_SEGMENT_MAGIC)
		return DOPPEL_OPEN_MAGIC;
	if (header->version != DOPPEL_SEGMENT_VERSION)
		return DOPPEL_OPEN_VERSION;
	struct doppel_geometry geometry = header->geometry;
	const uint64_t needed = doppel_segment_bytes(&geometry, header->slot_count);
	if (needed == 0 || bytes < needed || header->segment_bytes != bytes)
		return DOPPEL_OPEN_SIZES;
	doppel_geometry_complete(&geometry);
	const uint64_t stride = (geometry.frame_bytes + DOPPEL_PAGE - 1) / DOPPEL_PAGE * DOPPEL_PAGE;
	if (memcmp(&geometry, &header->geometry, sizeof geometry) != 0 || header->slot_stride != stride ||
	    header->pixels_offset != DOPPEL_HEADER_BYTES ||
	    header->slate_offset != DOPPEL_HEADER_BYTES + header->slot_count * stride)
		return DOPPEL_OPEN_SIZES;
	if (header->rgb_offset == 0)
		return 0;
	const uint64_t with_rgb = doppel_segment_bytes_with_rgb(&geometry, header->slot_count);
	if (with_rgb == 0 || bytes < with_rgb || header->rgb_offset != needed ||
	    header->rgb_stride != (with_rgb - needed) / header->slot_count)
		return DOPPEL_OPEN_SIZES;
	return 0;
}

static uint32_t slots_in(void *base, uint64_t bytes)
{
	const uint32_t count = bytes < DOPPEL_HEADER_BYTES ? 0 : header_of(base)->slot_count;
	return count < DOPPEL_MAX_SLOTS ? count : DOPPEL_MAX_SLOTS;
}

static bool move(struct doppel_slot_header *slot, uint32_t from, uint32_t to, memory_order order)
{
	return atomic_compare_exchange_strong_explicit(&slot->state, &from, to, order, memory_order_relaxed);
}

/* One look at every slot: what is FILLED becomes BUSY if it is newer than `best`, else FREE. A slot is taken before its
 * frame_id is compared, because the gate may take back a FILLED slot and fill it anew between two looks at it. */
static int32_t take_newer(void *base, uint32_t count, int32_t best, uint32_t *given_back)
{
	for (uint32_t i = 0; i < count; i++) {
		struct doppel_slot_header *slot = slot_of(base, i);
		if (!move(slot, DOPPEL_FILLED, DOPPEL_BUSY, memory_order_acquire))
			continue;
		uint32_t loser = i;
		if (best < 0 ||
		    atomic_load_explicit(&slot->frame_id, memory_order_relaxed) >
			    atomic_load_explicit(&slot_of(base, (uint32_t)best)->frame_id, memory_order_relaxed)) {
			loser = (uint32_t)best;
			best = (int32_t)i;
		}
		if (loser < count && move(slot_of(base, loser), DOPPEL_BUSY, DOPPEL_FREE, memory_order_release))
			(*given_back)++;
	}
	return best;
}

/* The newest FILLED slot becomes BUSY, every older one FREE; -1: there is none. Frames come while we look: an older one
 * may have been filled behind us, so look again until nothing newer turns up. What is left then is younger. */
static int32_t take_newest(void *base, uint32_t count, uint32_t *given_back)
{
	int32_t best = -1;
	for (uint32_t tries = 0; tries < 2 * DOPPEL_MAX_SLOTS; tries++) { /* a hostile peer could go on for ever */
		const int32_t newer = take_newer(base, count, best, given_back);
		if (newer == best)
			break;
		best = newer;
	}
	return best;
}

int32_t doppel_worker_next(void *base, uint64_t bytes, uint64_t timeout_ns, uint32_t *given_back)
{
	struct doppel_segment_header *header = header_of(base);
	const uint32_t count = slots_in(base, bytes);
	const uint64_t start = doppel_clock_ns();
	uint32_t returned = 0;
	int32_t result = DOPPEL_NEXT_TIMEOUT;
	for (bool waiting = false;; waiting = true) {
		const uint32_t bell = atomic_load_explicit(&header->doorbell, memory_order_seq_cst);
		if (atomic_load_explicit(&header->closed, memory_order_acquire) != 0) {
			result = DOPPEL_NEXT_CLOSED;
			break;
		}
		const int32_t slot = take_newest(base, count, &returned);
		if (slot >= 0) {
			POKE(slot_of(base, (uint32_t)slot)->start_ns, doppel_clock_ns());
			result = slot;
			break;
		}
		const uint64_t waited = doppel_clock_ns() - start;
		if (waited >= timeout_ns)
			break;
		if (!waiting) { /* announce it, then look once more before sleeping */
			atomic_store_explicit(&header->waiting, 1, memory_order_seq_cst);
			continue;
		}
		doppel_wait_word(&header->doorbell, bell, timeout_ns - waited);
	}
	atomic_store_explicit(&header->waiting, 0, memory_order_relaxed);
	if (given_back != NULL)
		*given_back = returned;
	return result;
}

int32_t doppel_worker_keep(void *base, uint64_t bytes, uint32_t slot)
{
	if (slot >= slots_in(base, bytes))
		return -1;
	struct doppel_segment_header *header = header_of(base);
	const struct doppel_slot_header *words = slot_of(base, slot);
	if (atomic_load_explicit(&words->state, memory_order_relaxed) != DOPPEL_BUSY)
		return -1;
	const uint32_t count = slots_in(base, bytes);
	const uint64_t stride = header->slot_stride, frame_bytes = header->geometry.frame_bytes;
	if (frame_bytes > stride || stride > (bytes - DOPPEL_HEADER_BYTES) / (count + 2))
		return -1;
	uint8_t *pixels = (uint8_t *)base + DOPPEL_HEADER_BYTES;
	/* The gate must see "none" before it can see any byte of the new frame. */
	atomic_store_explicit(&header->kept_id, 0, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	memcpy(pixels + (count + 1) * stride, pixels + slot * stride, (size_t)frame_bytes);
	atomic_store_explicit(&header->kept_id, atomic_load_explicit(&words->frame_id, memory_order_relaxed),
			      memory_order_release);
	return 0;
}

int32_t doppel_worker_make_rgb(void *base, uint64_t bytes, uint32_t slot)
{
	if (slot >= slots_in(base, bytes))
		return -1;
	const struct doppel_segment_header *header = header_of(base);
	struct doppel_slot_header *words = slot_of(base, slot);
	if (atomic_load_explicit(&words->state, memory_order_relaxed) != DOPPEL_BUSY)
		return -1;
	/* One look at the header: what is computed here is what is used. */
	const struct doppel_geometry written = header->geometry;
	const uint32_t count = slots_in(base, bytes);
	const uint64_t needed = doppel_segment_bytes(&written, count);
	const uint64_t with_rgb = doppel_segment_bytes_with_rgb(&written, count);
	if (header->rgb_offset == 0 || with_rgb == 0 || bytes < with_rgb)
		return -1;
	struct doppel_geometry geometry = written;
	doppel_geometry_complete(&geometry);
	const uint64_t stride = (geometry.frame_bytes + DOPPEL_PAGE - 1) / DOPPEL_PAGE * DOPPEL_PAGE;
	/* Of a full range libobs ignores the limits, and does not even keep them. */
	struct doppel_rgb_colour colour = {.range_max = {1.0f, 1.0f, 1.0f}};
	memcpy(colour.matrix, words->color_matrix, sizeof colour.matrix);
	if (words->full_range == 0) {
		memcpy(colour.range_min, words->color_range_min, sizeof colour.range_min);
		memcpy(colour.range_max, words->color_range_max, sizeof colour.range_max);
	}
	doppel_rgb_convert((uint8_t *)base + needed + slot * ((with_rgb - needed) / count),
			   (uint8_t *)base + DOPPEL_HEADER_BYTES + slot * stride, &geometry, &colour);
	atomic_store_explicit(&words->rgb_id, atomic_load_explicit(&words->frame_id, memory_order_relaxed),
			      memory_order_release);
	return 0;
}

void doppel_worker_ask_again(void *base, uint64_t bytes)
{
	if (bytes >= DOPPEL_HEADER_BYTES)
		atomic_fetch_add_explicit(&header_of(base)->again, 1, memory_order_release);
}

int32_t doppel_worker_done(void *base, uint64_t bytes, uint32_t slot, uint32_t verdict, uint32_t faces)
{
	if (slot >= slots_in(base, bytes))
		return -1;
	struct doppel_slot_header *words = slot_of(base, slot);
	if (atomic_load_explicit(&words->state, memory_order_relaxed) != DOPPEL_BUSY)
		return -1;
	POKE(words->verdict, verdict);
	POKE(words->faces, faces);
	POKE(words->done_ns, doppel_clock_ns());
	return move(words, DOPPEL_BUSY, DOPPEL_DONE, memory_order_release) ? 0 : -1;
}

void doppel_worker_set_slate(void *base, uint64_t bytes, uint32_t ready)
{
	if (bytes >= DOPPEL_HEADER_BYTES)
		atomic_store_explicit(&header_of(base)->slate, ready != 0, memory_order_release);
}
