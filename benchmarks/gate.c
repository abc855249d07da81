/* What the gate costs OBS's graphics thread, beside the two memory copies that it cannot do without.
 *
 *     gate WIDTH HEIGHT PIXEL_FORMAT ROUNDS
 *
 * In turns: one filter_video call, and the two copies alone (a frame into a buffer, another buffer over the frame), on
 * memory of the same kind that is walked through in the same order, so both find the caches equally cold; which of the
 * two comes first changes with each round. The worker answers at once and touches no pixel. Time is the thread's own
 * (other programs do not count). Prints one line of JSON: nanoseconds, and the ratios of medians and of p99.
 */
#define _GNU_SOURCE
#include "gate.h"
#include "obs_abi.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 6u
#define FRAMES 6u
#define USED 4u /* the slots that the gate goes through: held, two on their way, the new one */

static uint64_t video_time;

static void *nothing(const void *a)
{
	(void)a;
	return NULL;
}
static uint64_t now(void)
{
	return video_time;
}

/* Every entry answers nothing: filter_video asks libobs for the time, its source and the filters on that: none. */
static struct doppel_libobs table(void)
{
	struct doppel_libobs t = {.size = sizeof t};
	void *(*filler)(const void *) = nothing;
	for (size_t at = offsetof(struct doppel_libobs, obs_filter_get_parent); at < sizeof t; at += sizeof filler)
		memcpy((char *)&t + at, &filler, sizeof filler);
	t.obs_get_video_frame_time = now;
	return t;
}

static void *need(void *pointer)
{
	if (pointer == NULL || pointer == MAP_FAILED) {
		fputs("no memory\n", stderr);
		exit(1);
	}
	return pointer;
}

static uint8_t *shared(uint64_t bytes, int *fd)
{
	*fd = memfd_create("doppel-bench", 0);
	if (*fd < 0 || posix_fallocate(*fd, 0, (off_t)bytes) != 0)
		exit(1);
	return need(mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, *fd, 0));
}

static uint64_t cpu_ns(void)
{
	struct timespec time;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t gate_takes(const struct obs_source_info_400 *info, void *filter, struct obs_source_frame *frame)
{
	const uint64_t start = cpu_ns();
	info->filter_video(filter, frame);
	return cpu_ns() - start;
}

static uint64_t copies_take(const struct doppel_geometry *g, uint8_t *frame, uint8_t *slot, const uint8_t *result)
{
	const uint64_t start = cpu_ns();
	for (uint32_t p = 0; p < g->plane_count; p++)
		memcpy(slot + g->offset[p], frame + g->offset[p], (size_t)g->linesize[p] * g->rows[p]);
	for (uint32_t p = 0; p < g->plane_count; p++)
		memcpy(frame + g->offset[p], result + g->offset[p], (size_t)g->linesize[p] * g->rows[p]);
	return cpu_ns() - start;
}

static int by_size(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

int main(int count, char **arguments)
{
	if (count != 5)
		return 2;
	struct doppel_geometry g = {.pixel_format = (uint32_t)atoi(arguments[3]),
				    .width = (uint32_t)atoi(arguments[1]),
				    .height = (uint32_t)atoi(arguments[2])};
	const unsigned rounds = (unsigned)atoi(arguments[4]);
	if (doppel_geometry_complete(&g) != 0)
		return 2;
	const struct doppel_libobs libobs = table();
	int32_t already;
	struct obs_source_info_400 *info = need(doppel_gate_install(&libobs, "bench", "", "", NULL, 0, &already));
	void *filter = need(info->create(NULL, NULL));
	uint64_t id;
	if (doppel_gate_list(&id, 1) != 1)
		return 1;
	const struct doppel_policy policy = {.hold_ns = 500000000, .delay_frames = 2};
	doppel_gate_set_policy(id, &policy);

	uint8_t *pixels[2 * FRAMES];
	for (unsigned i = 0; i < 2 * FRAMES; i++)
		memset(pixels[i] = need(malloc(g.frame_bytes)), (int)i, g.frame_bytes);
	const uint64_t bytes = doppel_segment_bytes(&g, SLOTS);
	int fd, bare_fd;
	uint8_t *worker = shared(bytes, &fd), *bare = shared(bytes, &bare_fd);
	const uint64_t stride = (g.frame_bytes + 4095) / 4096 * 4096;

	uint64_t *gate_ns = need(calloc(rounds, 8)), *bare_ns = need(calloc(rounds, 8)), *own_ns = need(calloc(rounds, 8));
	bool attached = false;
	for (unsigned i = 0, kept = 0; kept < rounds; i++) {
		struct obs_source_frame frame = {.width = g.width, .height = g.height, .format = g.pixel_format};
		frame.timestamp = (i + 1) * UINT64_C(33333333);
		for (uint32_t p = 0; p < g.plane_count; p++) {
			frame.data[p] = pixels[i % FRAMES] + g.offset[p];
			frame.linesize[p] = g.linesize[p];
		}
		video_time++;
		uint8_t *own = pixels[FRAMES + i % FRAMES];
		uint8_t *slot = bare + 4096 + i % USED * stride, *result = bare + 4096 + (i + USED - 2) % USED * stride;
		uint64_t taken, bare_taken;
		if (i % 2 == 0) {
			taken = gate_takes(info, filter, &frame);
			bare_taken = copies_take(&g, own, slot, result);
		} else {
			bare_taken = copies_take(&g, own, slot, result);
			taken = gate_takes(info, filter, &frame);
		}

		if (!attached) {
			if (doppel_gate_attach(id, fd, bytes, SLOTS, 1, 1) != 0 || doppel_worker_open(worker, bytes) != 0)
				return 1;
			attached = true;
			continue;
		}
		const int32_t taken_slot = doppel_worker_next(worker, bytes, 0, NULL);
		if (taken_slot >= 0)
			doppel_worker_done(worker, bytes, (uint32_t)taken_slot, DOPPEL_VERDICT_SWAPPED, 1);
		struct doppel_sample sample;
		if (doppel_gate_drain(id, &sample, 1) == 1 && i > 20 && sample.outcome == DOPPEL_OUT_SWAPPED) {
			gate_ns[kept] = taken;
			own_ns[kept] = sample.total_ns - sample.copy_ns;
			bare_ns[kept++] = bare_taken;
		}
	}
	qsort(gate_ns, rounds, 8, by_size);
	qsort(bare_ns, rounds, 8, by_size);
	qsort(own_ns, rounds, 8, by_size);
	const unsigned p99 = rounds * 99 / 100;
	printf("{\"width\": %u, \"height\": %u, \"pixel_format\": %u, \"rounds\": %u, "
	       "\"gate_p50_ns\": %llu, \"gate_p99_ns\": %llu, \"copies_p50_ns\": %llu, \"copies_p99_ns\": %llu, "
	       "\"own_p50_ns\": %llu, \"ratio_p50\": %.3f, \"ratio_p99\": %.3f}\n",
	       g.width, g.height, g.pixel_format, rounds, (unsigned long long)gate_ns[rounds / 2],
	       (unsigned long long)gate_ns[p99], (unsigned long long)bare_ns[rounds / 2], (unsigned long long)bare_ns[p99],
	       (unsigned long long)own_ns[rounds / 2], (double)gate_ns[rounds / 2] / (double)bare_ns[rounds / 2],
	       (double)gate_ns[p99] / (double)bare_ns[p99]);
	return 0;
}
