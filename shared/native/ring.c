#include "ring_gate.h"

#include "platform.h"
#include "rgb.h"
#include "ring_words.h"

#include <stdlib.h>
#include <string.h>

uint64_t doppel_now_ns(void)
{
	return doppel_clock_ns();
}

uint32_t doppel_abi(void)
{
	return DOPPEL_ABI;
}

struct doppel_ring *doppel_ring_create(void *base, uint64_t bytes, const struct doppel_geometry *geometry,
				       uint32_t slot_count)
{
	const uint64_t needed = doppel_segment_bytes(geometry, slot_count);
	if (needed == 0 || bytes < needed)
		return NULL;
	struct doppel_ring *ring = calloc(1, sizeof *ring);
	if (ring == NULL)
		return NULL;
	ring->base = base;
	ring->bytes = bytes;
	ring->geometry = *geometry;
	if (doppel_geometry_complete(&ring->geometry) != 0) {
		free(ring);
		return NULL;
	}
	ring->slot_count = slot_count;
	ring->slot_stride = (ring->geometry.frame_bytes + DOPPEL_PAGE - 1) / DOPPEL_PAGE * DOPPEL_PAGE;

	struct doppel_segment_header *header = header_of(base);
	memset(header, 0, sizeof *header);
	header->magic = DOPPEL_SEGMENT_MAGIC;
	header->version = DOPPEL_SEGMENT_VERSION;
	header->slot_count = slot_count;
	header->segment_bytes = bytes;
	header->slot_stride = ring->slot_stride;
	header->pixels_offset = DOPPEL_HEADER_BYTES;
	header->slate_offset = DOPPEL_HEADER_BYTES + slot_count * ring->slot_stride;
	header->geometry = ring->geometry;
	const uint64_t with_rgb = doppel_segment_bytes_with_rgb(geometry, slot_count);
	if (with_rgb != 0 && bytes >= with_rgb) {
		ring->rgb_offset = header->rgb_offset = needed;
		ring->rgb_stride = header->rgb_stride = (with_rgb - needed) / slot_count;
	}
	memset((uint8_t *)base + DOPPEL_SLOT0_OFFSET, 0, (size_t)slot_count * DOPPEL_SLOT_HEADER_BYTES);
	atomic_thread_fence(memory_order_release);
	return ring;
}

void doppel_ring_destroy(struct doppel_ring *ring)
{
	free(ring);
}

uint8_t *doppel_ring_pixels(const struct doppel_ring *ring, uint32_t slot)
{
	return ring->base + DOPPEL_HEADER_BYTES + slot * ring->slot_stride;
}

const uint8_t *doppel_ring_rgb(const struct doppel_ring *ring, uint32_t slot)
{
	if (ring->rgb_offset == 0 ||
	    atomic_load_explicit(&slot_of(ring->base, slot)->rgb_id, memory_order_acquire) != ring->slots[slot].frame_id)
		return NULL;
	return ring->base + ring->rgb_offset + slot * ring->rgb_stride;
}

const uint8_t *doppel_ring_slate(const struct doppel_ring *ring)
{
	const struct doppel_segment_header *header = header_of(ring->base);
	if (atomic_load_explicit(&header->slate, memory_order_acquire) != 1)
		return NULL;
	return doppel_ring_pixels(ring, ring->slot_count);
}

const uint8_t *doppel_ring_kept(const struct doppel_ring *ring, uint64_t frame_id)
{
	const struct doppel_segment_header *header = header_of(ring->base);
	if (frame_id == 0 || atomic_load_explicit(&header->kept_id, memory_order_acquire) != frame_id)
		return NULL;
	return doppel_ring_pixels(ring, ring->slot_count + 1);
}

uint32_t doppel_ring_again(const struct doppel_ring *ring)
{
	const struct doppel_segment_header *header = header_of(ring->base);
	return atomic_load_explicit(&header->again, memory_order_acquire);
}

bool doppel_ring_quiet(const struct doppel_ring *ring)
{
	for (uint32_t i = 0; i < ring->slot_count; i++)
		if (ring->slots[i].claim == DOPPEL_SENT)
			return false;
	return true;
}

bool doppel_ring_expects(const struct doppel_ring *ring, uint32_t epoch, uint64_t after)
{
	for (uint32_t i = 0; i < ring->slot_count; i++) {
		const struct doppel_ring_slot *slot = &ring->slots[i];
		if ((slot->claim == DOPPEL_SENT || slot->claim == DOPPEL_RESULT) && slot->epoch == epoch &&
		    slot->frame_id > after)
			return true;
	}
	return false;
}

static bool take_back(struct doppel_ring *ring, uint32_t slot)
{
	uint32_t filled = DOPPEL_FILLED;
	if (!atomic_compare_exchange_strong_explicit(&slot_of(ring->base, slot)->state, &filled, DOPPEL_FREE,
						     memory_order_acquire, memory_order_relaxed))
		return false;
	ring->slots[slot].claim = DOPPEL_OURS;
	ring->given_back++;
	return true;
}

int32_t doppel_ring_take_back(struct doppel_ring *ring, uint64_t frame_id)
{
	for (uint32_t i = 0; i < ring->slot_count; i++)
		if (ring->slots[i].claim == DOPPEL_SENT && ring->slots[i].frame_id == frame_id && take_back(ring, i))
			return (int32_t)i;
	return -1;
}

void doppel_ring_release(struct doppel_ring *ring, uint32_t slot)
{
	ring->slots[slot].claim = DOPPEL_OURS;
	atomic_store_explicit(&slot_of(ring->base, slot)->state, DOPPEL_FREE, memory_order_release);
}

void doppel_ring_harvest(struct doppel_ring *ring)
{
	ring->harvested_ns = doppel_clock_ns();
	for (uint32_t i = 0; i < ring->slot_count; i++) {
		if (ring->slots[i].claim != DOPPEL_SENT)
			continue;
		const uint32_t state = atomic_load_explicit(&slot_of(ring->base, i)->state, memory_order_acquire);
		if (state == DOPPEL_DONE) {
			ring->slots[i].claim = DOPPEL_RESULT;
		} else if (state == DOPPEL_FREE) {
			ring->slots[i].claim = DOPPEL_OURS;
			ring->given_back++;
		} else if (state == DOPPEL_BUSY && ring->slots[i].busy_ns == 0) {
			ring->slots[i].busy_ns = ring->harvested_ns;
		}
	}
}

int32_t doppel_ring_acquire(struct doppel_ring *ring)
{
	for (uint32_t i = 0; i < ring->slot_count; i++)
		if (ring->slots[i].claim == DOPPEL_OURS)
			return (int32_t)i;
	for (uint64_t after = 0;;) {
		int32_t oldest = -1;
		for (uint32_t i = 0; i < ring->slot_count; i++) {
			const struct doppel_ring_slot *slot = &ring->slots[i];
			if (slot->claim == DOPPEL_SENT && slot->frame_id > after &&
			    (oldest < 0 || slot->frame_id < ring->slots[oldest].frame_id))
				oldest = (int32_t)i;
		}
		if (oldest < 0 || take_back(ring, (uint32_t)oldest))
			return oldest;
		after = ring->slots[oldest].frame_id; /* begun already: the next younger one */
	}
}

void doppel_ring_submit(struct doppel_ring *ring, uint32_t slot, uint64_t frame_id, uint64_t timestamp_ns,
			uint64_t capture_ns, uint32_t epoch, const struct doppel_colour *colour)
{
	const uint64_t now = doppel_clock_ns();
	ring->slots[slot] = (struct doppel_ring_slot){.claim = DOPPEL_SENT,
						      .epoch = epoch,
						      .frame_id = frame_id,
						      .capture_ns = capture_ns,
						      .submit_ns = now,
						      .colour = *colour};
	struct doppel_slot_header *words = slot_of(ring->base, slot);
	POKE(words->verdict, (uint32_t)DOPPEL_VERDICT_NONE);
	POKE(words->faces, 0u);
	POKE(words->flip, colour->flip);
	atomic_store_explicit(&words->frame_id, frame_id, memory_order_relaxed);
	POKE(words->timestamp_ns, timestamp_ns);
	POKE(words->capture_ns, capture_ns);
	POKE(words->submit_ns, now);
	POKE(words->start_ns, UINT64_C(0));
	POKE(words->done_ns, UINT64_C(0));
	POKE(words->shown_ns, UINT64_C(0));
	POKE(words->full_range, colour->full_range);
	memcpy(words->color_matrix, colour->matrix, sizeof words->color_matrix);
	memcpy(words->color_range_min, colour->range_min, sizeof words->color_range_min);
	memcpy(words->color_range_max, colour->range_max, sizeof words->color_range_max);
	atomic_store_explicit(&words->state, DOPPEL_FILLED, memory_order_release);

	/* Sequentially consistent with the worker's waiting = 1 and look at the doorbell: one of us sees the other. */
	struct doppel_segment_header *header = header_of(ring->base);
	atomic_fetch_add_explicit(&header->doorbell, 1, memory_order_seq_cst);
	if (atomic_load_explicit(&header->waiting, memory_order_seq_cst) == 1)
		doppel_wake_word(&header->doorbell);
}

int32_t doppel_ring_due(struct doppel_ring *ring, uint32_t epoch, uint64_t after, uint64_t upto)
{
	int32_t due = -1;
	for (uint32_t i = 0; i < ring->slot_count; i++) {
		const struct doppel_ring_slot *slot = &ring->slots[i];
		if (slot->claim != DOPPEL_RESULT || (slot->epoch == epoch && slot->frame_id > upto))
			continue;
		const bool showable = slot->epoch == epoch && slot->frame_id > after;
		const bool newest = due < 0 || slot->frame_id > ring->slots[due].frame_id;
		if (showable && newest) {
			if (due >= 0) {
				doppel_ring_release(ring, (uint32_t)due);
				ring->given_back++;
			}
			due = (int32_t)i;
		} else {
			doppel_ring_release(ring, i);
			ring->given_back++;
		}
	}
	if (due >= 0)
		ring->slots[due].claim = DOPPEL_HELD;
	return due;
}

void doppel_ring_flush(struct doppel_ring *ring)
{
	doppel_ring_harvest(ring);
	for (uint32_t i = 0; i < ring->slot_count; i++) {
		if (ring->slots[i].claim == DOPPEL_SENT) {
			take_back(ring, i);
		} else if (ring->slots[i].claim == DOPPEL_RESULT) {
			doppel_ring_release(ring, i);
			ring->given_back++;
		}
	}
}

uint32_t doppel_ring_verdict(const struct doppel_ring *ring, uint32_t slot)
{
	return PEEK(slot_of(ring->base, slot)->verdict);
}

uint64_t doppel_ring_done_ns(const struct doppel_ring *ring, uint32_t slot)
{
	return PEEK(slot_of(ring->base, slot)->done_ns);
}

void doppel_ring_shown(const struct doppel_ring *ring, uint32_t slot, uint64_t now_ns)
{
	POKE(slot_of(ring->base, slot)->shown_ns, now_ns);
}

uint64_t doppel_ring_oldest_ns(const struct doppel_ring *ring)
{
	uint64_t oldest = 0;
	for (uint32_t i = 0; i < ring->slot_count; i++) {
		const struct doppel_ring_slot *slot = &ring->slots[i];
		if (slot->claim == DOPPEL_SENT && slot->busy_ns != 0 && (oldest == 0 || slot->busy_ns < oldest))
			oldest = slot->busy_ns;
	}
	return oldest;
}

void doppel_ring_close(const struct doppel_ring *ring)
{
	struct doppel_segment_header *header = header_of(ring->base);
	atomic_store_explicit(&header->closed, 1, memory_order_seq_cst);
	atomic_fetch_add_explicit(&header->doorbell, 1, memory_order_seq_cst);
	doppel_wake_word(&header->doorbell);
}
