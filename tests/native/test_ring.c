/* The ring's state machine, step by step, both sides in one thread. */
#include "check.h"

#include "platform.h"
#include "ring_gate.h"

#include <string.h>

#define SLOTS 4u
static _Alignas(4096) uint8_t memory[4096 + 6 * 8192];
static const struct doppel_colour colour = {.full_range = 1};

static struct doppel_ring *fresh(void)
{
	struct doppel_geometry geometry = {.pixel_format = 1, .width = 64, .height = 64};
	CHECK_EQUAL(doppel_geometry_complete(&geometry), 0);
	memset(memory, 0, sizeof memory);
	struct doppel_ring *ring = doppel_ring_create(memory, sizeof memory, &geometry, SLOTS);
	CHECK(ring != NULL);
	return ring;
}

static int32_t send(struct doppel_ring *ring, uint64_t id)
{
	const int32_t slot = doppel_ring_acquire(ring);
	if (slot >= 0)
		doppel_ring_submit(ring, (uint32_t)slot, id, id * 1000, 1, 0, &colour);
	return slot;
}

static int32_t next(uint32_t *given_back)
{
	return doppel_worker_next(memory, sizeof memory, 0, given_back);
}

static int32_t done(int32_t slot)
{
	return doppel_worker_done(memory, sizeof memory, (uint32_t)slot, DOPPEL_VERDICT_SWAPPED, 1);
}

static uint64_t id_of(const struct doppel_ring *ring, int32_t slot)
{
	return slot < 0 ? 0 : ring->slots[slot].frame_id;
}

static void one_frame_goes_round(void)
{
	struct doppel_ring *ring = fresh();
	uint32_t given_back = 9;
	CHECK_EQUAL(next(&given_back), DOPPEL_NEXT_TIMEOUT);
	const int32_t slot = send(ring, 1);
	doppel_ring_harvest(ring);
	CHECK_EQUAL(doppel_ring_oldest_ns(ring), 0); /* it waits; that is no sign of a worker that hangs */
	CHECK_EQUAL(next(&given_back), slot);
	CHECK_EQUAL(given_back, 0);
	const uint64_t before = doppel_now_ns();
	doppel_ring_harvest(ring);
	CHECK(doppel_ring_oldest_ns(ring) >= before);
	CHECK_EQUAL(doppel_ring_due(ring, 0, 0, 10), -1); /* BUSY is not due */
	CHECK(doppel_ring_oldest_ns(ring) != 0);
	CHECK_EQUAL(done(slot), 0);
	CHECK_EQUAL(done(slot), -1); /* once */
	doppel_ring_harvest(ring);
	CHECK_EQUAL(doppel_ring_oldest_ns(ring), 0);
	CHECK_EQUAL(doppel_ring_due(ring, 0, 0, 0), -1); /* not yet */
	CHECK_EQUAL(doppel_ring_due(ring, 0, 0, 1), slot);
	CHECK_EQUAL(doppel_ring_verdict(ring, (uint32_t)slot), DOPPEL_VERDICT_SWAPPED);
	CHECK_EQUAL(doppel_ring_due(ring, 0, 0, 1), -1); /* each once */
	doppel_ring_release(ring, (uint32_t)slot);
	CHECK_EQUAL(ring->given_back, 0);
	doppel_ring_destroy(ring);
}

static void the_worker_takes_the_newest_and_gives_the_others_back(void)
{
	struct doppel_ring *ring = fresh();
	send(ring, 1);
	send(ring, 2);
	const int32_t newest = send(ring, 3);
	uint32_t given_back = 0;
	CHECK_EQUAL(next(&given_back), newest);
	CHECK_EQUAL(given_back, 2);
	doppel_ring_harvest(ring);
	CHECK_EQUAL(ring->given_back, 2);
	doppel_ring_destroy(ring);
}

static void a_full_ring_takes_back_the_oldest_unbegun(void)
{
	struct doppel_ring *ring = fresh();
	const int32_t busy = send(ring, 1);
	uint32_t given_back = 0;
	CHECK_EQUAL(next(&given_back), busy);
	send(ring, 2);
	send(ring, 3);
	send(ring, 4);
	const int32_t fifth = send(ring, 5); /* in place of 2 */
	CHECK(fifth >= 0 && fifth != busy);
	CHECK_EQUAL(ring->given_back, 1);
	CHECK_EQUAL(id_of(ring, next(&given_back)), 5);
	CHECK_EQUAL(given_back, 2);
	CHECK_EQUAL(done(busy), 0); /* the first one is finished all the same */
	doppel_ring_destroy(ring);
}

static void a_ring_whose_slots_are_all_begun_takes_no_frame(void)
{
	struct doppel_ring *ring = fresh();
	uint32_t given_back;
	for (uint64_t id = 1; id <= SLOTS; id++) {
		send(ring, id);
		CHECK(next(&given_back) >= 0);
	}
	CHECK_EQUAL(send(ring, 5), -1);
	doppel_ring_destroy(ring);
}

static void results_come_newest_first_and_never_backwards(void)
{
	struct doppel_ring *ring = fresh();
	uint32_t given_back;
	for (uint64_t id = 1; id <= 3; id++) {
		send(ring, id);
		CHECK_EQUAL(done(next(&given_back)), 0);
	}
	doppel_ring_harvest(ring);
	CHECK_EQUAL(id_of(ring, doppel_ring_due(ring, 0, 0, 2)), 2); /* 3 is too young; 1 is released */
	CHECK_EQUAL(ring->given_back, 1);
	CHECK_EQUAL(doppel_ring_due(ring, 0, 3, 9), -1); /* 3 is not newer than 3 */
	CHECK_EQUAL(ring->given_back, 2);
	doppel_ring_destroy(ring);
}

static void results_of_another_epoch_are_released(void)
{
	struct doppel_ring *ring = fresh();
	uint32_t given_back;
	send(ring, 1);
	CHECK_EQUAL(done(next(&given_back)), 0);
	doppel_ring_harvest(ring);
	CHECK_EQUAL(doppel_ring_due(ring, 1, 0, 9), -1);
	CHECK_EQUAL(ring->given_back, 1);
	for (uint32_t i = 0; i < SLOTS; i++)
		CHECK_EQUAL(ring->slots[i].claim, DOPPEL_OURS);
	doppel_ring_destroy(ring);
}

static void the_original_of_the_newest_frame_is_kept(void)
{
	struct doppel_ring *ring = fresh();
	uint32_t given_back;
	CHECK(doppel_ring_kept(ring, 1) == NULL);
	for (uint64_t id = 1; id <= 3; id++) {
		const int32_t slot = send(ring, id);
		CHECK(!doppel_ring_quiet(ring));
		CHECK_EQUAL(doppel_worker_keep(memory, sizeof memory, (uint32_t)slot), -1); /* not taken yet */
		memset(doppel_ring_pixels(ring, (uint32_t)slot), (int)id, ring->geometry.frame_bytes);
		CHECK_EQUAL(next(&given_back), slot);
		CHECK_EQUAL(doppel_worker_keep(memory, sizeof memory, (uint32_t)slot), 0);
		memset(doppel_ring_pixels(ring, (uint32_t)slot), 99, ring->geometry.frame_bytes);
		CHECK_EQUAL(done(slot), 0);
		doppel_ring_harvest(ring);
		CHECK(doppel_ring_quiet(ring));
		CHECK(doppel_ring_kept(ring, id - 1) == NULL && doppel_ring_kept(ring, 0) == NULL);
		const uint8_t *kept = doppel_ring_kept(ring, id);
		CHECK(kept != NULL && kept[0] == id && kept[ring->geometry.frame_bytes - 1] == id);
		CHECK(kept >= memory && kept + ring->geometry.frame_bytes <= memory + sizeof memory);
		doppel_ring_flush(ring);
	}
	CHECK_EQUAL(doppel_worker_keep(memory, sizeof memory, SLOTS), -1);
	const uint32_t before = doppel_ring_again(ring);
	doppel_worker_ask_again(memory, sizeof memory);
	CHECK_EQUAL(doppel_ring_again(ring), before + 1);
	doppel_ring_destroy(ring);
}

static void flush_takes_back_all_but_what_is_begun(void)
{
	struct doppel_ring *ring = fresh();
	uint32_t given_back;
	send(ring, 1);
	const int32_t busy = next(&given_back);
	send(ring, 2);
	send(ring, 3);
	doppel_ring_flush(ring);
	CHECK_EQUAL(ring->given_back, 2);
	CHECK_EQUAL(ring->slots[busy].claim, DOPPEL_SENT);
	CHECK_EQUAL(next(&given_back), DOPPEL_NEXT_TIMEOUT);
	doppel_ring_destroy(ring);
}

static void a_closed_lane_says_so(void)
{
	struct doppel_ring *ring = fresh();
	uint32_t given_back;
	send(ring, 1);
	doppel_ring_close(ring);
	CHECK_EQUAL(next(&given_back), DOPPEL_NEXT_CLOSED);
	CHECK_EQUAL(doppel_worker_next(memory, sizeof memory, UINT64_MAX / 2, &given_back), DOPPEL_NEXT_CLOSED);
	doppel_ring_destroy(ring);
}

static void waiting_ends_with_its_timeout(void)
{
	struct doppel_ring *ring = fresh();
	const uint64_t start = doppel_now_ns();
	CHECK_EQUAL(doppel_worker_next(memory, sizeof memory, 20000000, NULL), DOPPEL_NEXT_TIMEOUT);
	CHECK(doppel_now_ns() - start >= 20000000);
	doppel_ring_destroy(ring);
}

static void states_that_no_one_may_write_change_nothing(void)
{
	struct doppel_ring *ring = fresh();
	const int32_t slot = send(ring, 1);
	struct doppel_slot_header *words = (void *)(memory + DOPPEL_SLOT0_OFFSET);
	words += slot;
	atomic_store(&words->state, 77);
	doppel_ring_harvest(ring);
	CHECK_EQUAL(ring->slots[slot].claim, DOPPEL_SENT);
	CHECK_EQUAL(doppel_ring_due(ring, 0, 0, 9), -1);
	CHECK_EQUAL(doppel_worker_done(memory, sizeof memory, (uint32_t)slot, 1, 1), -1);
	CHECK_EQUAL(doppel_worker_done(memory, sizeof memory, 4, 1, 1), -1);
	CHECK_EQUAL(doppel_worker_done(memory, sizeof memory, UINT32_MAX, 1, 1), -1);
	doppel_ring_destroy(ring);
}

static void open_accepts_its_own_header_and_no_other(void)
{
	struct doppel_ring *ring = fresh();
	CHECK_EQUAL(doppel_worker_open(memory, sizeof memory), 0);
	CHECK_EQUAL(doppel_worker_open(memory, sizeof memory - 4096), DOPPEL_OPEN_SIZES);
	CHECK_EQUAL(doppel_worker_open(memory, 100), DOPPEL_OPEN_SIZES);
	CHECK_EQUAL(doppel_worker_open(NULL, sizeof memory), DOPPEL_OPEN_SIZES);
	for (size_t at = 0; at < 48 + sizeof(struct doppel_geometry); at++) { /* but for the reserved word, each byte */
		if (at >= 12 && at < 16)
			continue;
		memory[at] ^= 0x40;
		CHECK(doppel_worker_open(memory, sizeof memory) < 0);
		memory[at] ^= 0x40;
	}
	memory[0] ^= 1;
	CHECK_EQUAL(doppel_worker_open(memory, sizeof memory), DOPPEL_OPEN_MAGIC);
	memory[0] ^= 1;
	memory[4] ^= 1;
	CHECK_EQUAL(doppel_worker_open(memory, sizeof memory), DOPPEL_OPEN_VERSION);
	doppel_ring_destroy(ring);
}

int main(void)
{
	one_frame_goes_round();
	the_worker_takes_the_newest_and_gives_the_others_back();
	a_full_ring_takes_back_the_oldest_unbegun();
	a_ring_whose_slots_are_all_begun_takes_no_frame();
	results_come_newest_first_and_never_backwards();
	results_of_another_epoch_are_released();
	the_original_of_the_newest_frame_is_kept();
	flush_takes_back_all_but_what_is_begun();
	a_closed_lane_says_so();
	waiting_ends_with_its_timeout();
	states_that_no_one_may_write_change_nothing();
	open_accepts_its_own_header_and_no_other();
	puts("ring: ok");
	return 0;
}
