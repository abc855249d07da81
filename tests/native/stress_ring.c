/* The ring under two threads or two processes that run as fast as they can.
 *
 *     stress_ring threads|processes FRAMES
 *
 * The gate fills each frame with its id, the worker checks that every word of the frame that it took is of one id,
 * writes the complement and hands it back; the gate checks that. A torn or swapped frame, a slot with two owners or a
 * result that comes twice or backwards shows at once. Prints the number of changes of state.
 */
#define _GNU_SOURCE
#include "check.h"

#include "platform.h"
#include "ring_gate.h"

#include <string.h>
#if defined(_WIN32)
#include <windows.h>
#else
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#define WIDTH 64u
#define HEIGHT 16u
#define SLOTS 5u
#define WORDS (WIDTH * HEIGHT / 8)

static uint8_t *memory;
static uint64_t bytes;

static uint64_t worker(void)
{
	const struct doppel_segment_header *header = (const void *)memory;
	uint64_t frames = 0, newest = 0;
	for (;;) {
		uint32_t given_back = 0;
		const int32_t slot = doppel_worker_next(memory, bytes, UINT64_C(5000000000), &given_back);
		CHECK(slot != DOPPEL_NEXT_TIMEOUT);
		if (slot == DOPPEL_NEXT_CLOSED)
			return frames;
		uint64_t *words = (void *)(memory + header->pixels_offset + (uint32_t)slot * header->slot_stride);
		const uint64_t id = words[0];
		CHECK(id > newest);
		newest = id;
		for (unsigned i = 0; i < WORDS; i++) {
			CHECK(words[i] == id);
			words[i] = ~id;
		}
		CHECK_EQUAL(doppel_worker_done(memory, bytes, (uint32_t)slot, DOPPEL_VERDICT_SWAPPED, 1), 0);
		frames++;
	}
}

static void gate(struct doppel_ring *ring, uint64_t frames)
{
	static const struct doppel_colour colour;
	uint64_t sent = 0, shown = 0, last = 0, given_back = 0;
	int32_t held = -1;
	for (uint64_t id = 1; id <= frames; id++) {
		doppel_ring_harvest(ring);
		const int32_t due = id > 1 ? doppel_ring_due(ring, 0, last, id - 1) : -1;
		if (due >= 0) {
			if (held >= 0)
				doppel_ring_release(ring, (uint32_t)held);
			held = due;
			const uint64_t *words = (const void *)doppel_ring_pixels(ring, (uint32_t)held);
			const uint64_t expected = ring->slots[held].frame_id;
			CHECK(expected > last);
			last = expected;
			for (unsigned i = 0; i < WORDS; i++)
				CHECK(words[i] == ~expected);
			CHECK_EQUAL(doppel_ring_verdict(ring, (uint32_t)held), DOPPEL_VERDICT_SWAPPED);
			shown++;
		}
		const int32_t slot = doppel_ring_acquire(ring);
		if (slot < 0) {
			doppel_yield();
			continue;
		}
		uint64_t *words = (void *)doppel_ring_pixels(ring, (uint32_t)slot);
		for (unsigned i = 0; i < WORDS; i++)
			words[i] = id;
		doppel_ring_submit(ring, (uint32_t)slot, id, id, id, 0, &colour);
		sent++;
		if (id % 7 == 0)
			doppel_yield();
	}
	given_back = ring->given_back;
	doppel_ring_close(ring);
	/* FREE -> FILLED for each; FILLED -> FREE for those given back; BUSY, DONE and FREE for those shown. */
	printf("ring: %llu frames sent, %llu shown, %llu given back, %llu changes of state\n", (unsigned long long)sent,
	       (unsigned long long)shown, (unsigned long long)given_back,
	       (unsigned long long)(sent + given_back + 3 * shown));
	CHECK(shown > 0 && shown + given_back <= sent && shown + given_back + SLOTS >= sent);
}

#if defined(_WIN32)
static DWORD WINAPI worker_thread(void *unused)
{
	(void)unused;
	worker();
	return 0;
}
#else
static void *worker_thread(void *unused)
{
	(void)unused;
	worker();
	return NULL;
}
#endif

int main(int count, char **arguments)
{
	CHECK(count == 3);
	const uint64_t frames = strtoull(arguments[2], NULL, 10);
	struct doppel_geometry geometry = {.pixel_format = 9, .width = WIDTH, .height = HEIGHT};
	CHECK_EQUAL(doppel_geometry_complete(&geometry), 0);
	bytes = doppel_segment_bytes(&geometry, SLOTS);
#if defined(_WIN32)
	memory = VirtualAlloc(NULL, (SIZE_T)bytes, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
	CHECK(memory != NULL && strcmp(arguments[1], "threads") == 0);
	struct doppel_ring *ring = doppel_ring_create(memory, bytes, &geometry, SLOTS);
	HANDLE thread = CreateThread(NULL, 0, worker_thread, NULL, 0, NULL);
	CHECK(thread != NULL);
	gate(ring, frames);
	CHECK_EQUAL(WaitForSingleObject(thread, INFINITE), 0);
#else
	const int fd = memfd_create("doppel-stress", 0);
	CHECK(fd >= 0 && ftruncate(fd, (off_t)bytes) == 0);
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(memory != MAP_FAILED);
	struct doppel_ring *ring = doppel_ring_create(memory, bytes, &geometry, SLOTS);
	if (strcmp(arguments[1], "threads") == 0) {
		pthread_t thread;
		CHECK_EQUAL(pthread_create(&thread, NULL, worker_thread, NULL), 0);
		gate(ring, frames);
		CHECK_EQUAL(pthread_join(thread, NULL), 0);
	} else {
		const pid_t child = fork();
		CHECK(child >= 0);
		if (child == 0) {
			/* a mapping of its own, at another address */
			memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			CHECK(memory != MAP_FAILED);
			worker();
			_exit(0);
		}
		gate(ring, frames);
		int status;
		CHECK_EQUAL(waitpid(child, &status, 0), child);
		CHECK_EQUAL(status, 0);
	}
#endif
	doppel_ring_destroy(ring);
	return 0;
}
