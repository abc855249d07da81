/* The ring's two sides, each against a peer gone mad, found by libFuzzer.
 *
 * The first byte says which side is ours. The gate's: it makes a ring in memory that the script scribbles over between
 * any two calls, and must keep to its own books. The worker's: the whole segment, header included, is the script's, and
 * what doppel_worker_open() takes must be safe to use - also when the header changes afterwards.
 *
 * The segment is heap memory: the address sanitizer sees every byte that is touched beside it.
 */
#include "check.h"
#include "ring_gate.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *script, *script_end;

static uint32_t byte(void)
{
	return script < script_end ? *script++ : 0;
}

static uint8_t *segment;
static uint64_t segment_bytes;

static void scribble(void)
{
	const uint32_t what = byte(), value = byte();
	if (what % 4 == 0) { /* a word of the header page */
		const uint64_t at = (byte() | byte() << 8) % 1024 * 4;
		const uint32_t wide = value < 8 ? value : value * 0x01010101u;
		if (at + 4 <= segment_bytes)
			memcpy(segment + at, &wide, 4);
	} else if (what % 4 == 1) { /* a slot's state and verdict */
		const uint32_t words[2] = {value % 5, value / 5};
		memcpy(segment + 512 + byte() % DOPPEL_MAX_SLOTS * DOPPEL_SLOT_HEADER_BYTES, words, 8);
	} else if (what % 4 == 2) {
		const uint64_t at = (byte() | byte() << 8 | byte() << 16) % segment_bytes;
		segment[at] = (uint8_t)value;
	} else {
		memset(segment, (int)value, value % 2 == 0 ? 4096 : segment_bytes);
	}
}

static struct doppel_geometry some_geometry(void)
{
	struct doppel_geometry geometry = {
		.pixel_format = byte() % 28, .width = 1 + byte() % 70, .height = 1 + byte() % 70};
	if (doppel_geometry_complete(&geometry) != 0) {
		geometry = (struct doppel_geometry){.pixel_format = 1, .width = 32, .height = 32};
		CHECK_EQUAL(doppel_geometry_complete(&geometry), 0);
	}
	for (uint32_t p = 0, padding = byte() % 5; p < geometry.plane_count; p++)
		geometry.linesize[p] += padding;
	CHECK_EQUAL(doppel_geometry_complete(&geometry), 0);
	return geometry;
}

static void make_room(uint64_t bytes)
{
	segment = aligned_alloc(4096, bytes); /* whole pages */
	CHECK(segment != NULL);
	memset(segment, 0, bytes);
	segment_bytes = bytes;
}

/* With room for pictures as RGB or without. */
static uint64_t some_bytes(const struct doppel_geometry *geometry, uint32_t slots)
{
	const uint64_t with_rgb = byte() % 2 == 0 ? doppel_segment_bytes_with_rgb(geometry, slots) : 0;
	return with_rgb != 0 ? with_rgb : doppel_segment_bytes(geometry, slots);
}

static void be_the_gate(void)
{
	const struct doppel_geometry geometry = some_geometry();
	const uint32_t slots = DOPPEL_MIN_SLOTS + byte() % 9;
	make_room(some_bytes(&geometry, slots));
	struct doppel_ring *ring = doppel_ring_create(segment, segment_bytes, &geometry, slots);
	CHECK(ring != NULL);
	const struct doppel_colour colour = {.full_range = 1};
	uint64_t id = 0, last_due = 0, sent = 0;
	uint32_t epoch = 0;
	int32_t held = -1;
	while (script < script_end) {
		const uint32_t what = byte();
		scribble();
		switch (what % 8) {
		case 0:
		case 1: {
			const int32_t slot = doppel_ring_acquire(ring);
			CHECK(slot >= -1 && slot < (int32_t)slots && (slot < 0 || slot != held));
			if (slot < 0)
				break;
			memset(doppel_ring_pixels(ring, (uint32_t)slot), 7, geometry.frame_bytes);
			id++;
			doppel_ring_submit(ring, (uint32_t)slot, id, id, id, epoch, &colour);
			sent++;
			break;
		}
		case 2: {
			doppel_ring_harvest(ring);
			const int32_t due = doppel_ring_due(ring, epoch, last_due, id - byte() % 4);
			if (due < 0)
				break;
			CHECK(due < (int32_t)slots && ring->slots[due].frame_id > last_due && ring->slots[due].frame_id <= id);
			last_due = ring->slots[due].frame_id;
			if (held >= 0)
				doppel_ring_release(ring, (uint32_t)held);
			held = due;
			(void)doppel_ring_verdict(ring, (uint32_t)due);
			(void)doppel_ring_done_ns(ring, (uint32_t)due);
			doppel_ring_shown(ring, (uint32_t)due, 1);
			break;
		}
		case 3:
			doppel_ring_flush(ring);
			epoch++;
			break;
		case 4: {
			const uint8_t *slate = doppel_ring_slate(ring), *kept = doppel_ring_kept(ring, id);
			for (uint64_t i = 0; i < geometry.frame_bytes; i += 61)
				if ((slate != NULL && slate[i] == 1) || (kept != NULL && kept[i] == 1))
					epoch += 0; /* every byte of both can be read */
			break;
		}
		case 5:
			(void)doppel_ring_quiet(ring);
			(void)doppel_ring_expects(ring, epoch, last_due);
			(void)doppel_ring_again(ring);
			(void)doppel_ring_oldest_ns(ring);
			break;
		case 6:
			CHECK(doppel_ring_take_back(ring, id) < (int32_t)slots);
			break;
		default:
			if (held >= 0)
				doppel_ring_release(ring, (uint32_t)held);
			held = -1;
		}
		CHECK(ring->given_back <= sent);
	}
	doppel_ring_close(ring);
	doppel_ring_destroy(ring);
}

static void be_the_worker(void)
{
	const struct doppel_geometry geometry = some_geometry();
	const uint32_t slots = DOPPEL_MIN_SLOTS + byte() % 9;
	make_room(some_bytes(&geometry, slots));
	struct doppel_ring *ring = doppel_ring_create(segment, segment_bytes, &geometry, slots);
	CHECK(ring != NULL);
	doppel_ring_destroy(ring);
	for (uint32_t n = byte() % 4; n > 0; n--)
		scribble();
	if (doppel_worker_open(segment, segment_bytes) != 0)
		return;
	while (script < script_end) {
		uint32_t given_back = 0;
		switch (byte() % 7) {
		case 0:
		case 1: {
			const int32_t slot = doppel_worker_next(segment, segment_bytes, 0, &given_back);
			CHECK(slot >= DOPPEL_NEXT_CLOSED && slot < (int32_t)DOPPEL_MAX_SLOTS);
			if (slot >= 0)
				doppel_worker_keep(segment, segment_bytes, (uint32_t)slot);
			break;
		}
		case 2:
			doppel_worker_keep(segment, segment_bytes, byte());
			break;
		case 3:
			doppel_worker_done(segment, segment_bytes, byte() % 16, byte(), byte());
			break;
		case 4:
			doppel_worker_make_rgb(segment, segment_bytes, byte() % 16);
			break;
		case 5:
			doppel_worker_ask_again(segment, segment_bytes);
			doppel_worker_set_slate(segment, segment_bytes, byte());
			break;
		default:
			scribble();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	script = data;
	script_end = data + size;
	if (byte() % 2 == 0)
		be_the_gate();
	else
		be_the_worker();
	free(segment);
	segment = NULL;
	return 0;
}
