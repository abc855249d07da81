/* The gate's side of the ring.
 *
 * struct doppel_ring is the gate's own memory: what it wrote into the segment, and what it believes of each slot. Its
 * belief only advances on a state word that the worker was allowed to write:
 *
 *     OURS --submit--> SENT --the word says DONE--> RESULT --due--> HELD --release--> OURS
 *                        |
 *                        +-- the word says FREE (given back), or we won FILLED -> FREE (taken back) --> OURS
 *
 * A word with any other value leaves the belief as it is. Not thread-safe: the owner of a ring locks around it, but
 * for doppel_ring_close(), which touches only words of the segment.
 */
#ifndef DOPPEL_RING_GATE_H
#define DOPPEL_RING_GATE_H

#include "ring.h"

#include <stdbool.h>

enum doppel_claim { DOPPEL_OURS = 0, DOPPEL_SENT = 1, DOPPEL_RESULT = 2, DOPPEL_HELD = 3 };

/* How a frame's samples are to be read; goes with its pixels. */
struct doppel_colour {
	uint32_t full_range;
	uint32_t flip;
	float matrix[16];
	float range_min[3];
	float range_max[3];
};

struct doppel_ring_slot {
	enum doppel_claim claim;
	uint32_t epoch; /* results of another epoch are never shown */
	uint64_t frame_id;
	uint64_t capture_ns;
	uint64_t submit_ns;
	uint64_t busy_ns; /* when the worker was first seen to have it; 0: not begun */
	struct doppel_colour colour;
};

struct doppel_ring {
	uint8_t *base;
	uint64_t bytes;
	struct doppel_geometry geometry;
	uint32_t slot_count;
	uint64_t slot_stride;
	uint64_t rgb_offset; /* 0: the segment has no room for pictures as RGB */
	uint64_t rgb_stride;
	uint64_t given_back; /* frames that were sent and will never be shown */
	uint64_t harvested_ns; /* when the words were looked at last */
	struct doppel_ring_slot slots[DOPPEL_MAX_SLOTS];
};

/* Writes the header into a mapped, zeroed segment. NULL: sizes do not fit or no memory. */
struct doppel_ring *doppel_ring_create(void *base, uint64_t bytes, const struct doppel_geometry *geometry,
				       uint32_t slot_count);
void doppel_ring_destroy(struct doppel_ring *ring); /* does not unmap */

uint8_t *doppel_ring_pixels(const struct doppel_ring *ring, uint32_t slot);
/* That result's picture as RGB, or NULL where the worker has made none of this very frame. */
const uint8_t *doppel_ring_rgb(const struct doppel_ring *ring, uint32_t slot);
/* The slate's pixels, or NULL while the worker has drawn none. */
const uint8_t *doppel_ring_slate(const struct doppel_ring *ring);

/* The kept frame's pixels if they are that frame's, as the worker says; else NULL. To be asked for while the worker has
 * no later frame in hand: only then does it write there. */
const uint8_t *doppel_ring_kept(const struct doppel_ring *ring, uint64_t frame_id);
/* How often the worker has asked for the newest frame again. */
uint32_t doppel_ring_again(const struct doppel_ring *ring);
/* No frame is with the worker or on its way there. */
bool doppel_ring_quiet(const struct doppel_ring *ring);
/* Some result of this epoch, newer than that, is here or may still come. */
bool doppel_ring_expects(const struct doppel_ring *ring, uint32_t epoch, uint64_t after);
/* Takes that frame back if the worker has not begun it. Its slot, ours again, or -1. */
int32_t doppel_ring_take_back(struct doppel_ring *ring, uint64_t frame_id);

/* Looks at every SENT slot's word once. */
void doppel_ring_harvest(struct doppel_ring *ring);
/* A slot for one more frame: a free one, else the oldest that the worker has not begun. -1: none. */
int32_t doppel_ring_acquire(struct doppel_ring *ring);
/* Its pixels are in: hands it to the worker and wakes it if it waits. */
void doppel_ring_submit(struct doppel_ring *ring, uint32_t slot, uint64_t frame_id, uint64_t timestamp_ns,
			uint64_t capture_ns, uint32_t epoch, const struct doppel_colour *colour);
/* The newest result of this epoch with after < frame_id <= upto becomes HELD; older ones and those of other epochs are
 * released unshown. -1: none. */
int32_t doppel_ring_due(struct doppel_ring *ring, uint32_t epoch, uint64_t after, uint64_t upto);
void doppel_ring_release(struct doppel_ring *ring, uint32_t slot);
/* Takes back what was not begun and releases every result. */
void doppel_ring_flush(struct doppel_ring *ring);

/* What the worker wrote about a result: read once, any value possible. */
uint32_t doppel_ring_verdict(const struct doppel_ring *ring, uint32_t slot);
uint64_t doppel_ring_done_ns(const struct doppel_ring *ring, uint32_t slot);
void doppel_ring_shown(const struct doppel_ring *ring, uint32_t slot, uint64_t now_ns);

/* Since when the worker has had the frame that it has had for longest; 0: it has none. A frame that only waits does not
 * count: it waits for as long as the networks load, and where a source has stopped nothing takes it back. */
uint64_t doppel_ring_oldest_ns(const struct doppel_ring *ring);
/* Tells the worker that the lane is over. */
void doppel_ring_close(const struct doppel_ring *ring);

#endif
